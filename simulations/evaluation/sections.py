"""A report as sections of text: what the terminal, the page and the markdown of docs/results.md all show."""

from dataclasses import dataclass

from . import drawing
from .document import SessionReport, TrackReport
from .figures import FIGURES, Estimate
from .words import share, span

HEADINGS = {
    "return": "return",
    "volatility": "vol.",
    "Sharpe": "Sharpe",
    "Sortino": "Sortino",
    "Calmar": "Calmar",
    "max drawdown": "drawdown",
    "CVaR 95 %": "CVaR",
}
"""Figures of a table of tracks, with their headings."""
FORMS = {
    "return": "{:+.1%}",
    "volatility": "{:.1%}",
    "Sharpe": "{:.2f}",
    "Sortino": "{:.2f}",
    "Calmar": "{:.2f}",
    "max drawdown": "{:.1%}",
    "longest drawdown": "{:.0f} sessions",
    "CVaR 95 %": "{:.2%}",
    "hit rate": "{:.1%}",
}

Rows = tuple[tuple[str, ...], ...]


@dataclass(frozen=True)
class Section:
    """A table under a heading, perhaps with a drawing."""

    heading: str
    headings: tuple[str, ...]
    rows: Rows
    note: str = ""
    drawing: str = ""
    """SVG, for the page."""
    narrow: tuple[int, ...] = ()
    """Columns that stay on a terminal of fewer than 110 characters; all where empty."""
    first_is_desk: bool = False


def session_sections(report: SessionReport) -> tuple[Section, ...]:
    """The sections of one session's report."""
    found = [_desk(report), _tracks(report), _comparisons(report), _luck(report), _agents(report), _fitted(report)]
    found.append(_exchanges(report))
    return tuple(section for section in found if section.rows)


def cell(found: Estimate | None, form: str) -> str:
    """A figure without its interval; a dash where there is none."""
    return "-" if found is None else form.format(found.value)


def _desk(report: SessionReport) -> Section:
    desk = report.tracks[0]
    rows = []
    for figure in FIGURES:
        found, form = desk.figures[figure.name], FORMS[figure.name]
        known = found is not None and found.low is not None and found.high is not None
        ends = (form.format(found.low), form.format(found.high)) if known and found else ("-", "-")
        rows.append((figure.name, cell(found, form), *ends))
    rows.append(("turnover", f"{desk.traded.turnover:.1f}x a year", "", ""))
    rows.append(("cost drag", f"{desk.traded.cost_drag_bps:.1f} bp a year", "", ""))
    if desk.traded.exposure is not None:
        rows.append(("exposure", f"{desk.traded.exposure:.1%}", "", ""))
    return Section(
        "The desk",
        ("", "value", "2.5 %", "97.5 %"),
        tuple(rows),
        "Intervals: stationary bootstrap of daily returns. Return, volatility and ratios are a year's.",
        drawing.curves(report.curves, report.curve_days),
    )


def track_row(track: TrackReport) -> tuple[str, ...]:
    """A track's row in a table of tracks."""
    figures = (cell(track.figures[name], FORMS[name]) for name in HEADINGS)
    return (track.name, *figures, f"{track.traded.turnover:.1f}x", f"{track.traded.cost_drag_bps:.0f}")


def _tracks(report: SessionReport) -> Section:
    return Section(
        "Opponents on the same ledger",
        ("", *HEADINGS.values(), "turnover", "costs, bp"),
        tuple(track_row(track) for track in report.tracks),
        "; ".join(f"{track.name}: {track.about}" for track in report.tracks[1:]) + ".",
        narrow=(0, 1, 2, 3, 6, 8, 9),
        first_is_desk=True,
    )


def _comparisons(report: SessionReport) -> Section:
    rows = tuple(
        (
            row.opponent,
            span(row.excess),
            "-" if row.alpha is None else span(row.alpha),
            cell(row.beta, "{:.2f}"),
            row.verdict,
        )
        for row in report.comparisons
    )
    return Section(
        "The desk less each opponent",
        ("", "excess a year", "alpha a year", "beta", "verdict"),
        rows,
        "Excess: difference of mean daily returns times 252, both series resampled together. The verdict counts all "
        "opponents (Bonferroni), so an interval may leave 0 out and the verdict still be open.",
        drawing.forest([(row.opponent, row.excess) for row in report.comparisons], "Excess return a year"),
        narrow=(0, 1, 4),
    )


def _luck(report: SessionReport) -> Section:
    rows: list[tuple[str, ...]] = []
    if (luck := report.luck) is not None:
        trials = "not on record, so nothing is deflated for them"
        if luck.trials is not None:
            trials = f"{luck.trials} on this market; the best of them by luck {luck.best_by_luck:.2f}"
        needed = "none suffices" if luck.needed_sessions is None else f"{luck.needed_sessions:,} sessions"
        rows += [
            ("Sharpe ratio", f"{luck.sharpe:.2f}; skew {luck.skew:+.2f}, kurtosis {luck.kurtosis:.1f}"),
            ("above 0, as if the only trial", share(luck.probabilistic)),
            ("trials", trials),
            ("above 0, the search counted", share(luck.deflated)),
            ("record needed for 95 %", f"{needed}; there are {luck.observations:,}"),
        ]
    if (lottery := report.lottery) is not None:
        low, middle, high = (f"{value:+.1%}" for value in lottery.returns)
        verdict = "told from luck" if lottery.skilled else "not told from luck"
        rows += [
            ("random accounts", f"{lottery.accounts}, return {middle} ({low} to {high})"),
            ("desk is better than", f"{lottery.rank_return:.0%} by return, {lottery.rank_sharpe:.0%} by Sharpe ratio"),
            ("choice of names earned", f"{span(lottery.alpha)} a year"),
            ("skill in names", f"{share(lottery.deflated)}, the search counted: {verdict}"),
        ]
    note = (
        "Random accounts trade as much as the desk, when it did, in names drawn by lot. Probabilities: Bailey and "
        "Lopez de Prado (2012, 2014)."
    )
    return Section("Luck", ("", ""), tuple(rows), note)


def _fitted(report: SessionReport) -> Section:
    rows = tuple((row.what, row.measure, *map(_gain, (row.walk_forward, row.combinatorial))) for row in report.fitted)
    return Section(
        "What is fitted, where it was not fitted",
        ("", "gain in", "walk forward", "combinatorial, purged"),
        rows,
        "Gain over the average of the training set alone, per observation, above 0 where something was learnt: two "
        "states of the market over one normal distribution; a probability fitted to an agent's scores over how often "
        "a rise came.",
    )


def _gain(found: Estimate | None) -> str:
    return "-" if found is None else span(found, "{:+.4f}")


def _exchanges(report: SessionReport) -> Section:
    rows = tuple(
        (
            row.agent.replace("_", " "),
            str(row.decisions),
            str(row.told_apart),
            "-" if row.follows_evidence is None else f"{row.follows_evidence:.0%}",
            row.verdict,
        )
        for row in report.exchanges
    )
    return Section(
        "Names shown the evidence of other names",
        ("", "decisions", "told apart", "follow the evidence", "verdict"),
        rows,
        "An answer follows the evidence where it is nearer to the score that the donor of the evidence had.",
    )


def _agents(report: SessionReport) -> Section:
    earned = {row.agent: row.profit for row in report.attribution}
    rows = []
    for skill in report.skills:
        profit = earned.get(skill.agent)
        rows.append(
            (
                skill.agent.replace("_", " "),
                str(skill.signals),
                str(skill.judged),
                "-" if skill.ic is None else span(skill.ic, "{:+.2f}"),
                cell(skill.hit_rate, "{:.0%}"),
                cell(skill.brier, "{:.3f}"),
                cell(skill.calibration_error, "{:.3f}"),
                "-" if profit is None else span(profit),
            )
        )
    return Section(
        "Agents",
        ("", "signals", "judged", "IC", "hits", "Brier", "calibration", "earned a year"),
        tuple(rows),
        "A Brier score above 0.25 is worse than always saying one half. Earned: Shapley share of what the views added "
        "to the proposals, before costs.",
        narrow=(0, 2, 3, 7),
    )
