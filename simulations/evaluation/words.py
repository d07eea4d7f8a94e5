"""What an evaluation comes to, in plain sentences: what was tried, what survived, what did not."""

from .document import Lottery, Luck, SessionReport
from .figures import Estimate

Sentences = tuple[str, ...]
ENOUGH_DECISIONS = 60
"""Decisions below which a table of figures mostly describes what happened to happen."""


def share(value: float) -> str:
    """A probability; never a certainty that a finite record cannot give."""
    return "over 99.9%" if value > 0.999 else "under 0.1%" if value < 0.001 else f"{value:.1%}"


def span(found: Estimate, form: str = "{:+.1%}") -> str:
    """`+5.0% (-1.0% to +11.0%)`."""
    if found.low is None or found.high is None:
        return form.format(found.value)
    return f"{form.format(found.value)} ({form.format(found.low)} to {form.format(found.high)})"


def findings(report: SessionReport) -> tuple[Sentences, Sentences, Sentences]:
    """What was tried, what survived, what did not."""
    survived: list[str] = []
    failed: list[str] = []
    _judge_luck(report.luck, survived, failed)
    _judge_lottery(report.lottery, survived, failed)
    _judge_opponents(report, survived, failed)
    _judge_agents(report, survived, failed)
    for row in report.exchanges:
        name = row.agent.replace("_", " ").capitalize()
        share_ = "" if row.follows_evidence is None else f" ({row.follows_evidence:.0%} of {row.told_apart} answers)"
        good = row.verdict == "follows the evidence"
        (survived if good else failed).append(f"{name}, shown the evidence of other names: {row.verdict}{share_}.")
    if report.decisions < ENOUGH_DECISIONS:
        failed.append(f"{report.decisions} decisions are too few to show skill in either direction.")
    if report.contamination.label in ("contaminated", "unknown"):
        failed.append(report.contamination.sentence)
    if not survived:
        survived.append("Nothing that was tested stood out from luck.")
    return _tried(report), tuple(survived), tuple(failed)


def _tried(report: SessionReport) -> Sentences:
    desk = report.tracks[0]
    what = f"{report.decisions} decisions over {report.sessions} sessions, {report.start} to {report.end}"
    told = [
        f"The desk {report.desk} with {report.mind} on {report.market}: {what}.",
        f"{len(report.comparisons)} opponents on the same ledger, at the same costs and decision times.",
    ]
    if report.lottery is not None:
        told.append(
            f"{report.lottery.accounts} accounts that traded as much as the desk in names drawn by lot "
            f"(turnover {report.lottery.turnover:.1f}x a year; the desk {desk.traded.turnover:.1f}x)."
        )
    if report.luck is not None and report.luck.trials is None:
        told.append(
            "No trials are on record for this market (the ledger is off, or the session was run elsewhere): how often "
            "this was tried is not known, and nothing is deflated for it."
        )
    elif report.luck is not None:
        count = report.luck.trials
        told.append(f"{count} configuration{'s' * (count != 1)} in all were run on this market so far.")
    return tuple(told)


def _judge_luck(luck: Luck | None, survived: list[str], failed: list[str]) -> None:
    if luck is None:
        failed.append("The desk's equity does not move: there is no Sharpe ratio to judge.")
        return
    search = "" if luck.trials in (None, 1) else f" (the best of {luck.trials} by luck: {luck.best_by_luck:.2f})"
    text = (
        f"The Sharpe ratio of {luck.sharpe:.2f}{search} is above 0 with a probability of {share(luck.deflated)}; "
        "a rising market does that for anyone who holds shares"
    )
    (survived if luck.deflated > 0.95 else failed).append(f"{text}.")
    if luck.needed_sessions is not None and luck.needed_sessions > luck.observations:
        failed.append(
            f"To be told from luck, a Sharpe ratio like this needs {luck.needed_sessions:,} sessions; there are "
            f"{luck.observations:,}."
        )


def _judge_lottery(lottery: Lottery | None, survived: list[str], failed: list[str]) -> None:
    if lottery is None:
        failed.append("The desk never traded, so there is no choice of names to judge.")
        return
    text = (
        f"The choice of names earned {span(lottery.alpha)} a year beyond the mean random account; the Sharpe ratio is "
        f"better than that of {lottery.rank_sharpe:.0%} of them, the return than that of {lottery.rank_return:.0%}; "
        f"deflated probability of skill {share(lottery.deflated)}"
    )
    if lottery.skilled:
        survived.append(f"{text}: told from luck.")
    else:
        failed.append(f"{text}: not told from luck.")


def _judge_opponents(report: SessionReport, survived: list[str], failed: list[str]) -> None:
    for verdict, into, words in (
        ("better", survived, "Earned more than"),
        ("worse", failed, "Earned less than"),
        ("not told apart", failed, "Not told apart from"),
    ):
        names = [row.opponent for row in report.comparisons if row.verdict == verdict]
        if names:
            into.append(f"{words} {', '.join(names)} (95 %, all {len(report.comparisons)} opponents counted).")


def _judge_agents(report: SessionReport, survived: list[str], failed: list[str]) -> None:
    for skill in report.skills:
        name = skill.agent.replace("_", " ").capitalize()
        if skill.ic is None:
            failed.append(f"{name}: {skill.judged} outcomes, no information coefficient.")
            continue
        known = skill.ic.low is not None and skill.ic.low > 0
        text = f"{name}: information coefficient {span(skill.ic, '{:+.3f}')} over {skill.judged} outcomes"
        (survived if known else failed).append(f"{text}{'' if known else ', not told from none'}.")
