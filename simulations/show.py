"""`show`: a session's events on standard output, filtered, for people or as JSON.

A masked session can be read with its original names and dates, by the key beside its journal.
"""

import json as jsonlib
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import NamedTuple

from rich.console import Console
from rich.text import Text

from ..memory.journal import Filters
from ..memory.journal.index import COLUMNS, Index
from ..memory.journal.rows import Row
from ..tools.errors import InputError
from ..tools.market.mask.key import MaskKey
from .exporting import document_of
from .masking import KEY_FILE
from .reading import Session
from .transcript import Styled, flat_line, full_lines, transcript

HEADINGS = ("session_started", "desk_changed", "decision_opened", "session_ended")
"""Kinds of events that stay above what is filtered; of decisions, those in which something matches."""
_PAGE = 500
"""Events read at a time."""


@dataclass(frozen=True)
class Form:
    """How events are printed."""

    flat: bool = False
    """A line per event instead of a tree per decision."""
    full: bool = False
    """With claims, evidence, findings and rules also where nothing is filtered."""
    json: bool = False
    unmask: bool = False
    """Original names, tickers and dates for those of a masked session; filters may be original too."""


class Chosen(NamedTuple):
    """Which events are shown."""

    numbers: Sequence[int]
    """In order, headings included."""
    matching: Sequence[int]
    """Those that match by themselves."""


def print_session(folder: Path, filters: Filters, form: Form) -> None:
    """Prints a session's events.

    Args:
        folder: the session.
        filters: what is wanted; headings of the session and of its decisions stay.
        form: how.

    Raises:
        InputError: the session has no such decision, ticker, agent, kind or verdict, or it cannot be unmasked.
    """
    with Session.open(folder) as session:
        key = _key(folder, form.json) if form.unmask else None
        chosen = choose(session, filters) if key is None else _choose_original(session, key, filters)
        found = events_at(session, chosen.matching if form.flat else chosen.numbers)
        if form.json:
            for row in found:
                print_document(row)
            return
        terminal = Console(highlight=False, soft_wrap=True)
        if not chosen.matching and filters != Filters():
            words = f"contains {filters.text!r}" if _only_text(filters) else "matches all of these filters"
            terminal.print(Text(f"nothing in this session {words}"))
            return
        lines: Iterator[Styled]
        if form.flat:
            lines = ((flat_line(row), "") for row in found)
        else:
            lines = transcript(found, detailed=form.full or filters != Filters())
        for line, style in lines:
            terminal.print(Text(line if key is None else key.unmask(line)), style=style)


def print_event(folder: Path, number: int, *, json: bool) -> None:
    """Prints one event in full.

    Raises:
        InputError: the session has no such event.
    """
    with Session.open(folder) as session:
        row = session.entry(number)
        if json:
            print_document(row)
            return
        terminal = Console(highlight=False, soft_wrap=True)
        for line, style in full_lines(row):
            terminal.print(Text(line), style=style)


def print_document(row: Row) -> None:
    """An event as one line of JSON: `seq`, `hash`, `event`."""
    sys.stdout.write(jsonlib.dumps(document_of(row), ensure_ascii=False) + "\n")


def choose(session: Session, filters: Filters) -> Chosen:
    """The numbers of the events that match, and of the headings above them.

    With a ticker the portfolio manager's proposals stay too: they are about every ticker.

    Raises:
        InputError: the session has no such decision, ticker, agent, kind or verdict.
    """
    if filters == Filters():
        return Chosen(range(1, session.count + 1), range(1, session.count + 1))
    window = Filters(decision=filters.decision, since=filters.since, until=filters.until)
    with session.index() as index:
        _refuse_unknown(index, filters)
        chosen = set(index.entries(filters))
        if filters == replace(window, ticker=filters.ticker):
            chosen.update(index.entries(replace(window, kind="proposal_made")))
        headings: set[int] = set()
        for kind in HEADINGS:
            of = window if kind in ("desk_changed", "decision_opened") else Filters()
            headings.update(index.entries(replace(of, kind=kind)))
        opened = set(index.entries(replace(window, kind="decision_opened")))
    every = sorted(chosen | headings)
    # a decision is named where something of it follows, before the next heading
    bare = {
        one for one, following in zip(every, [*every[1:], 0], strict=True) if one in opened and following not in chosen
    }
    return Chosen([one for one in every if one not in bare - chosen], sorted(chosen))


def events_at(session: Session, numbers: Sequence[int]) -> Iterator[Row]:
    """The events with these numbers, read one page at a time."""
    for first in range(0, len(numbers), _PAGE):
        yield from session.at(numbers[first : first + _PAGE])


def _key(folder: Path, json: bool) -> MaskKey:
    """The key of a masked session."""
    if json:
        raise InputError("--unmask changes text for people, --json prints the journal as it is; leave one of them out")
    path = folder / KEY_FILE
    if not path.is_file():
        raise InputError(f"{folder} holds no {KEY_FILE}: only a session that ran with --mask is read with --unmask")
    return MaskKey.read(path)


def _choose_original(session: Session, key: MaskKey, filters: Filters) -> Chosen:
    """`choose` by original tickers, days and words, or masked tickers and words."""
    given = replace(
        filters,
        ticker=key.tickers.get(filters.ticker, filters.ticker) if filters.ticker else None,
        text=key.masked(filters.text) if filters.text else None,
        since=key.later(filters.since) if filters.since else None,
        until=key.later(filters.until) if filters.until else None,
    )
    try:
        return choose(session, given)
    except InputError as error:
        raise InputError(key.unmask(str(error))) from error


def _only_text(filters: Filters) -> bool:
    return filters == Filters(text=filters.text)


def _refuse_unknown(index: Index, filters: Filters) -> None:
    for column in COLUMNS:
        value, known = getattr(filters, column), list(index.known(column))
        if value is not None and value not in known:
            raise _unknown(column, value, ", ".join(known))
    number = filters.decision
    if number is not None and not index.of_decisions("decision_opened", number, number):
        count = index.known("kind").get("decision_opened", 0)
        raise _unknown("decision", str(number + 1), "1" if count == 1 else f"1 to {count}" if count else "")


def _unknown(column: str, value: str, known: str) -> InputError:
    choices = f"choose from {known}" if known else "it has none so far"
    return InputError(f"This session has no {column} {value}: {choices}.")
