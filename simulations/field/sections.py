"""A field's report as sections."""

from ..evaluation import drawing
from ..evaluation.contamination import Contamination
from ..evaluation.figures import Estimate
from ..evaluation.rendering import Paper
from ..evaluation.sections import Section, cell, session_sections
from ..evaluation.words import share, span
from .document import FieldReport


def field_paper(report: FieldReport) -> Paper:
    """A field's report in words."""
    done = sum(m.state == "done" for m in report.members)
    return Paper(
        title=report.title,
        subtitle=f"{done} of {len(report.members)} sessions finished; field {report.folder}",
        memory=_memory(report),
        tried=report.tried,
        survived=report.survived,
        failed=report.failed,
        sections=field_sections(report),
    )


def field_sections(report: FieldReport) -> tuple[Section, ...]:
    """The sections of the field, then those of the session it was built around."""
    found = [_members(report), _reactions(report), _repeats(report), _selections(report)]
    own = () if report.base is None else session_sections(report.base)
    return (*(section for section in found if section.rows), *own)


def _memory(report: FieldReport) -> Contamination:
    if report.base is not None:
        return report.base.contamination
    labels = [m.contamination for m in report.members if m.contamination is not None]
    for wanted in ("contaminated", "unknown", "clean", "none"):
        for found in labels:
            if found.label == wanted:
                return found
    return Contamination(label="none", sentence="No session is finished.")


def _dash(found: Estimate | None) -> str:
    return "-" if found is None else span(found)


def _members(report: FieldReport) -> Section:
    rows = []
    for m in report.members:
        state = "" if m.state == "done" else m.state
        turnover = "-" if m.turnover is None else f"{m.turnover:.1f}x"
        figures = (cell(m.annual_return, "{:+.1%}"), cell(m.sharpe, "{:.2f}"), cell(m.max_drawdown, "{:.1%}"), turnover)
        memory = "" if m.contamination is None else m.contamination.label
        rows.append((m.name, state or m.role, *figures, _dash(m.beyond_equal), _dash(m.beyond_base), memory))
    shown = [(m.name, m.beyond_equal) for m in report.members if m.beyond_equal is not None]
    return Section(
        "Sessions",
        ("", "role", "return", "Sharpe", "drawdown", "turnover", "beyond equal weight", "beyond the base", "memory"),
        tuple(rows),
        "A year, with 95 % intervals. Beyond the base: where both sessions lived through the same prices.",
        drawing.forest([(n, e) for n, e in shown if e is not None], "Excess a year beyond equal weight")
        if shown
        else "",
        narrow=(0, 1, 2, 3, 6),
        first_is_desk=report.base is not None,
    )


def _reactions(report: FieldReport) -> Section:
    def per_cent(value: float | None) -> str:
        return "-" if value is None else f"{value:.0%}"

    rows = tuple(
        (
            f"{row.member}: {row.agent.replace('_', ' ')}",
            per_cent(row.inputs_changed),
            per_cent(row.moved),
            per_cent(row.strayed),
            "-" if row.correlation is None else f"{row.correlation:+.2f}",
            row.verdict,
        )
        for row in report.reactions
    )
    return Section(
        "Do decisions follow what is read?",
        ("placebo: agent", "other evidence", "of these moved", "moved without", "correlation", "verdict"),
        rows,
        "Signals of the same agent, name and decision, on the altered and the plain market; moved: a score that "
        "differs by more than 0.01.",
        narrow=(0, 1, 2, 5),
    )


def _repeats(report: FieldReport) -> Section:
    rows: tuple[tuple[str, ...], ...] = ()
    if (found := report.repeats) is not None:
        power = ", ".join(f"k = {k}: {p:.0%}" for k, p in enumerate(found.pass_power, 1))
        rows = (
            ("runs", str(found.runs)),
            ("return a year", "least {:+.1%}, mean {:+.1%}, most {:+.1%}".format(*found.returns)),
            ("Sharpe ratio", "least {:.2f}, mean {:.2f}, most {:.2f}".format(*found.sharpes)),
            ("stances alike in all", f"{found.signals_alike:.1%}"),
            ("earned more than equal weight", f"{found.beat_equal} of {found.runs}"),
            ("pass^k", power),
        )
    return Section("The same session with other seeds", ("", ""), rows)


def _selections(report: FieldReport) -> Section:
    rows = tuple(
        (
            row.market,
            str(row.variants),
            row.best,
            "-" if row.overfitting is None else share(row.overfitting),
            "-" if row.superior is None else f"{row.superior:.3f}",
        )
        for row in report.selections
    )
    return Section(
        "What choosing the best is worth",
        ("", "different tracks", "best Sharpe", "overfitting", "Hansen's p"),
        rows,
        "Overfitting: how often the best of one half of the days is in the lower half of the other (Bailey et al. "
        "2017). Hansen's p (2005): that no track earns more than equal weight.",
    )
