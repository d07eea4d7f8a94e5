"""`diff` on a screen: which sessions, where they part, what differs decision by decision, what it came to."""

import sys
from collections.abc import Iterable, Iterator
from pathlib import Path

from rich.console import Console
from rich.table import Table
from rich.text import Text

from ..agents.roles import title_of
from .reading.comparison import differences
from .reading.comparison_parts import (
    FIGURES,
    MOST_ROWS,
    Choice,
    Closing,
    DecisionDifference,
    Difference,
    FirstDifference,
    Opening,
    Part,
    Side,
)

PIPE_WIDTH = 160
"""Characters of a line where no terminal says how many it has."""


def print_difference(a: Path, b: Path, *, json: bool = False, whole: bool = False) -> None:
    """Prints what differs between two sessions to standard output.

    Args:
        a: folder of a session.
        b: of another.
        json: one JSON object per line: the sessions, each decision that differs, the end.
        whole: every difference, however many.
    """
    parts = differences(a, b)
    if json:
        for part in parts:
            sys.stdout.write(part.model_dump_json() + "\n")
        return
    terminal = Console(highlight=False, soft_wrap=True)
    if not terminal.is_terminal:
        terminal = Console(highlight=False, soft_wrap=True, width=PIPE_WIDTH)
    for block in blocks(parts, whole=whole):
        terminal.print(block)


def blocks(parts: Iterable[Part], *, whole: bool = False) -> Iterator[Text | Table]:
    """What is printed, piece by piece."""
    for part in parts:
        match part:
            case Opening():
                yield from _opening(part)
            case DecisionDifference():
                yield Text("")
                yield Text(_title(part), style="bold")
                if part.differences:
                    yield _table(part, whole)
            case Closing():
                yield Text("")
                yield from _closing(part)


def _opening(part: Opening) -> Iterator[Text]:
    for name, side, other in (("A", part.a, part.b), ("B", part.b, part.a)):
        yield Text(f"{name}  {side.folder}: {_about(side)}")
        for branch in side.branches:
            at_home = branch.parent_head == other.head or branch.parent == str(Path(other.folder).resolve())
            whose = "the other one" if at_home else branch.parent
            what = f"{branch.by} set {', '.join(branch.settings)}" if branch.settings else "nothing was set"
            yield Text(f"   left {whose} at {branch.at} (decision {branch.decision + 1}): {what}", style="dim")
    yield Text("")
    if part.equal:
        yield Text(f"equal: all {part.shared_events:,} events are the same", style="green")
        return
    for choice in part.choices:
        yield Text(f"chosen otherwise: {_choice(choice)}", style="yellow")
    if set(part.a.universe).isdisjoint(part.b.universe):
        yield Text("They trade no name in common, so only dates and equity can be compared.", style="yellow")
    if part.shared_events:
        yield Text(f"the same up to event {part.shared_events:,}{_decisions(part)}")
    if part.first is not None:
        yield Text(_first(part.first))


def _about(side: Side) -> str:
    state = "finished" if side.finished else "unfinished"
    return (
        f"{side.market}, {side.mind}, {len(side.universe)} names, {len(side.decisions)} decisions, {state}, "
        f"{side.events:,} events, head {side.head[:16]}"
    )


def _choice(choice: Choice) -> str:
    def told(value: object) -> str:
        text = "none" if value is None else ", ".join(map(str, value)) if isinstance(value, list) else str(value)
        return text if len(text) <= 60 else f"{text[:57]}..."

    return f"{choice.field.replace('_', ' ')}: {told(choice.a)} | {told(choice.b)}"


def _decisions(part: Opening) -> str:
    if part.first is None or not part.first.decision:
        return ""
    before = part.first.decision
    days = part.a.decisions[:before]
    return f": decisions 1 to {before} ({days[0]} to {days[-1]}) are equal" if before > 1 else ": decision 1 is equal"


def _first(first: FirstDifference) -> str:
    where = f"first difference: event {first.seq:,}"
    if first.kind_a is None or first.kind_b is None:
        ended, goes_on = ("A", "B") if first.kind_a is None else ("B", "A")
        return f"{where}, where {ended} has nothing more and {goes_on} has {first.kind_a or first.kind_b}"
    if first.kind_a != first.kind_b:
        return f"{where}, {first.kind_a} in A and {first.kind_b} in B"
    values = " | ".join(text if len(text) <= 60 else f"{text[:57]}..." for text in (str(first.a), str(first.b)))
    return f"{where} ({first.kind_a}), {first.where}: {values}"


def _title(part: DecisionDifference) -> str:
    if part.decision_a is None or part.decision_b is None:
        only = "A" if part.decision_b is None else "B"
        alone = part.decision_a if part.decision_b is None else part.decision_b
        return f"{part.session}  decided in {only} only (decision {(alone or 0) + 1})"
    one, two = part.decision_a + 1, part.decision_b + 1
    number = f"decision {one}" if one == two else f"decision {one} in A, {two} in B"
    if part.equity_a is None or part.equity_b is None or part.equity_a == part.equity_b:
        return f"{part.session}  {number}, equity {part.equity_a:,.0f} in both"
    gap = part.equity_b / part.equity_a - 1
    return f"{part.session}  {number}, equity {part.equity_a:,.0f} | {part.equity_b:,.0f} ({gap:+.2%})"


def _table(part: DecisionDifference, whole: bool) -> Table:
    table = Table(box=None, padding=(0, 2, 0, 0), header_style="dim")
    for heading in ("", "", "A", "B"):
        table.add_column(heading, overflow="fold")
    for group in part.groups(None if whole else MOST_ROWS):
        for row in group.rows:
            table.add_row(f"  {group.what}", _subject(row), _value(row.a), _value(row.b))
        if group.left_out:
            table.add_row(f"  {group.what}", f"and {group.left_out} more (--all)", "", "")
    return table


def _subject(row: Difference) -> str:
    if row.agent is None:
        return row.subject
    return f"{title_of(row.agent)} on {row.ticker}" if row.ticker else title_of(row.agent)


def _value(value: str | float | None) -> str:
    if value is None:
        return "-"
    return f"{value:.2%}" if isinstance(value, float) else value


def _closing(part: Closing) -> Iterator[Text | Table]:
    if part.different:
        yield Text(f"{part.different} of {part.decisions} common decisions differ", style="bold")
    elif part.decisions:
        yield Text(f"all {part.decisions} common decisions are equal", style="bold")
    if part.only_a or part.only_b:
        yield Text(f"{part.only_a} decisions are in A only, {part.only_b} in B only")
    if part.equity_a is not None and part.equity_b is not None:
        gap = part.equity_b - part.equity_a
        yield Text(
            f"equity at {part.last_session}: {part.equity_a:,.2f} | {part.equity_b:,.2f}, "
            f"B {gap:+,.2f} ({part.equity_b / part.equity_a - 1:+.2%})"
        )
    if part.furthest_a is not None and part.furthest_b is not None:
        gap = part.furthest_b - part.furthest_a
        yield Text(f"furthest apart at {part.furthest}: {part.furthest_a:,.2f} | {part.furthest_b:,.2f}, B {gap:+,.2f}")
    if part.metrics_a is not None and part.metrics_b is not None and part.metrics_a != part.metrics_b:
        table = Table("", "A", "B", box=None, padding=(0, 2, 0, 0), header_style="dim")
        for key, label in FIGURES.items():
            form = "{:,.0f}" if key == "costs" else "{:.2f}" if key in ("sharpe", "turnover") else "{:+.2%}"
            cells = [form.format(m[key]) if m[key] is not None else "-" for m in (part.metrics_a, part.metrics_b)]
            table.add_row(label, *cells)
        yield table
