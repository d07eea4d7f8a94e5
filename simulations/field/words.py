"""What a field comes to, in plain sentences."""

from ..evaluation.words import Sentences, share, span
from .document import FieldReport, MemberReport


def field_findings(report: FieldReport) -> tuple[Sentences, Sentences, Sentences]:
    """What was tried, what survived, what did not; the base session's own judgement first."""
    done = [m for m in report.members if m.state == "done"]
    tried = [f"{len(report.members)} sessions, {len(done)} of them finished."]
    survived: list[str] = []
    failed: list[str] = []
    if report.base is not None:
        tried = [*report.base.tried, *tried]
        survived += [s for s in report.base.survived if not s.startswith("Nothing that was tested")]
        failed += report.base.failed
    failed += [f"{m.name} failed: {m.error}" for m in report.members if m.state == "failed"]
    _judge_members(report, survived, failed)
    _judge_reactions(report, survived, failed)
    _judge_repeats(report, survived, failed)
    _judge_selections(report, survived, failed)
    if report.base is None:
        _warn_of_memory(done, failed)
    if not survived:
        survived.append("Nothing that was tested stood out from luck.")
    return tuple(tried), tuple(survived), tuple(failed)


def _judge_members(report: FieldReport, survived: list[str], failed: list[str]) -> None:
    ablations = [m for m in report.members if m.role == "ablation" and m.beyond_base is not None]
    quiet, same = [], []
    for member in ablations:
        found = member.beyond_base
        if found is None or found.low is None or found.high is None:
            continue
        if found.low == found.high == 0:
            same.append(member.about)
            continue
        if member.name == "no-costs":
            failed.append(f"At no costs the desk earns {span(found)} a year more.")
            continue
        if found.high < 0:
            survived.append(f"Desk {member.about}: {span(found)} a year; what was switched off is worth having.")
        elif found.low > 0:
            failed.append(f"Desk {member.about}: {span(found)} a year; what was switched off costs money.")
        else:
            quiet.append(member.about)
    if same:
        failed.append(f"The desk {', '.join(same)} made the very same trades: what was switched off did nothing here.")
    if quiet:
        failed.append(f"No difference is told from luck for the desk {', '.join(quiet)}.")
    for member in report.members:
        if member.role == "placebo" and member.beyond_equal is not None and (member.beyond_equal.low or 0) > 0:
            failed.append(
                f"On the placebo {member.name} the desk still earns {span(member.beyond_equal)} a year beyond equal "
                "weight: what it earns elsewhere need not come from what it reads."
            )


def _judge_reactions(report: FieldReport, survived: list[str], failed: list[str]) -> None:
    for row in report.reactions:
        name, text = row.agent.replace("_", " ").capitalize(), row.verdict
        if row.verdict == "does not read what was changed":
            continue
        good = row.verdict in ("moves with its inputs", "unmoved, as it should be")
        moved = "" if row.moved is None else f" ({row.moved:.0%} of {row.inputs_changed:.0%} with other evidence)"
        (survived if good else failed).append(f"{name} on the placebo {row.member}: {text}{moved}.")


def _judge_repeats(report: FieldReport, survived: list[str], failed: list[str]) -> None:
    if (found := report.repeats) is None:
        return
    low, mean, high = found.returns
    text = (
        f"{found.runs} runs with other seeds: {found.signals_alike:.0%} of the stances are alike in all, returns of "
        f"{low:+.1%} to {high:+.1%} a year (mean {mean:+.1%}); {found.beat_equal} of them earned more than equal weight"
    )
    alike = high - low < 0.01
    (survived if alike else failed).append(f"{text}.")


def _judge_selections(report: FieldReport, survived: list[str], failed: list[str]) -> None:
    for row in report.selections:
        if row.overfitting is not None:
            text = (
                f"Choosing the best of {row.variants} different tracks on {row.market} ({row.best}) is overfitting "
                f"with a probability of {share(row.overfitting)}"
            )
            (survived if row.overfitting < 0.05 else failed).append(f"{text} ({row.splits} splits).")
        if row.superior is not None:
            text = f"That any of them earns more than equal weight: p = {row.superior:.3f} (Hansen's test)"
            (survived if row.superior < 0.05 else failed).append(f"{text}.")


def _warn_of_memory(done: list[MemberReport], failed: list[str]) -> None:
    labels = {
        m.contamination.sentence
        for m in done
        if m.contamination and m.contamination.label in ("contaminated", "unknown")
    }
    failed += sorted(labels)
