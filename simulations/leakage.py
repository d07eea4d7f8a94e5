"""Whether anything original is left in a masked session: every string of every event is searched.

Looked for are the original tickers, names and aliases, every word that was taken for a name in a document, and the
years of the original prices in all spellings; where levels are masked, also original closes and filed figures as they
would be printed. A level is a warning only: some figure of a small set equals some other one by chance.
"""

import re
from collections.abc import Iterable, Iterator
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from datetime import date, datetime
from functools import cached_property
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pandas as pd

from ..memory.journal import Journal, Record
from ..memory.journal.events import DecisionOpened
from ..tools.errors import PaperDeskError
from ..tools.frozen import Frozen
from ..tools.market.mask import Identity, Masked, identity_of, years
from ..tools.market.mask.identity import tokens_of
from ..tools.market.mask.words import is_ordinary
from .config import load_config
from .masking import market_of

Kind = Literal["ticker", "name", "date", "level"]
"""What is original."""
Keys = tuple[str, ...]
"""Where a string stands in an event: names of fields and indices."""
Found = tuple[Kind, str]
"""A kind and the word as it stands there."""

LEVEL_DAYS = 200
"""Filed figures are looked for so long after their filing."""
_SHORT_WORD = 5
"""Letters below which a word that some document used as a name is not looked for: it may be anything."""
_MAPS_BY_TICKER = frozenset({"weights", "positions", "prices", "expected_returns", "previous_weights", "caps"})
_TICKER_FIELDS = frozenset({"ticker", "tickers", "universe", "benchmark", "symbol"})
_PRINTED = re.compile(r"(?P<money>\$?)(?P<number>\d[\d,]*(?:\.\d+)?)(?P<scale>\s(?:million|billion))?")


class LeakError(PaperDeskError):
    """A masked session holds something original."""

    exit_code = 3


class Leak(Frozen):
    """Something original in a masked session."""

    seq: int
    """Number of the event."""
    event: str
    """Its kind."""
    kind: Kind
    where: str
    """Path of the string in the event: `evidence.0.text`."""
    what: str
    """The word as it stands there."""

    @property
    def is_warning(self) -> bool:
        """Whether it may be chance."""
        return self.kind == "level"


def leaks(events: Iterable[Record], masked: Masked) -> list[Leak]:
    """Everything original that a masked session's events hold, in order.

    Args:
        events: the journal's records, from the first one on.
        masked: the market with its key and its original.
    """
    search = _Search(masked)
    return [leak for record in events for leak in search.in_record(record)]


def session_leaks(folder: Path) -> list[Leak]:
    """The leaks of a session in a folder; none for a session without a mask.

    Raises:
        JournalRefused: the folder holds no session.
        InputError: its market is no longer there.
    """
    with Journal.open_readonly(folder) as journal:
        assert journal.manifest is not None  # a journal in a folder has one
        if not journal.manifest.config.get("mask"):
            return []  # and its market need not be there any more
        config = load_config(None, journal.manifest.config)
        market = market_of(config)
        return [] if market.masked is None else leaks(journal.events(), market.masked)


def refuse_leaks(events: Iterable[Record], masked: Masked) -> None:
    """Raise for the first leak that is no warning.

    Raises:
        LeakError: naming the event and the word.
    """
    found = [leak for leak in leaks(events, masked) if not leak.is_warning]
    if found:
        first = found[0]
        raise LeakError(
            f"Event {first.seq} ({first.event}, {first.where}) of this masked session holds the original {first.kind} "
            f"{first.what!r}, the first of {len(found)} leaks: do not use the session, and add the word to the "
            "company's aliases."
        )


@dataclass
class _Search:
    """What is looked for, and what has been found in strings seen before."""

    masked: Masked
    explained: set[int] = field(default_factory=set)
    """Years that the masked documents cited so far hold by right: 1996 moved to 2024."""
    levels: frozenset[str] = frozenset()
    """Printed levels of the decision at hand."""
    _seen: dict[str, list[Found]] = field(default_factory=dict)

    @cached_property
    def identity(self) -> Identity:
        return identity_of(self.masked.original)

    @cached_property
    def names(self) -> frozenset[str]:
        """Words that were taken for names and are nothing else."""
        words = self.masked.key.words
        invented = set(words.values())
        return frozenset(
            word
            for word in words
            if len(word) >= _SHORT_WORD and word.isalpha() and not is_ordinary(word.lower()) and word not in invented
        )

    @cached_property
    def forbidden(self) -> frozenset[int]:
        """Years of the original prices that are no year of the masked ones."""
        sessions, moved = self.masked.original.bars.sessions, self.masked.dataset.bars.sessions
        there = range(moved[0].year, moved[-1].year + 1)
        return frozenset(range(sessions[0].year, sessions[-1].year + 1)) - frozenset(there)

    @cached_property
    def years_by_document(self) -> dict[str, frozenset[int]]:
        """Years that each masked document holds by right."""
        key = self.masked.key
        return {
            key.documents.get(row.id, row.id): frozenset(year.year + key.years for year in years(row.text))
            for row in self.masked.original.documents
        }

    def in_record(self, record: Record) -> Iterator[Leak]:
        event = record.event
        if isinstance(event, DecisionOpened) and "levels" in self.masked.key.what:
            self.levels = self._printed_levels(event.session, event.as_of)
        # what the mind itself is called, and its training cutoff, are no part of the market
        fields = event.model_dump(mode="json", exclude={"model"})
        for path, text, document in _strings(fields, (), None):
            cited = self.years_by_document.get(document, frozenset()) if document else frozenset()
            self.explained |= cited
            allowed = cited if path[-1] == "text" else self.explained
            for kind, what in self._in_string(path, text, allowed):
                yield Leak(seq=record.seq, event=event.kind, kind=kind, where=".".join(path), what=what)

    def _in_string(self, path: Keys, text: str, allowed: AbstractSet[int]) -> Iterator[Found]:
        key = self.masked.key
        if "names" in key.what:
            yield from self._names_in(path, text)
        if "dates" in key.what:
            for year in years(text):
                if year.year in self.forbidden and year.year not in allowed:
                    yield "date", text[year.start : year.end]
        if self.levels:
            for match in _PRINTED.finditer(text):
                money, number, scale = match["money"], match["number"].rstrip(","), (match["scale"] or "").strip()
                if {f"{money}{number}", f"{number} {scale}", number} & self.levels:
                    yield "level", match.group().strip()

    def _names_in(self, path: Keys, text: str) -> Iterator[Found]:
        tickers = self.identity.tickers
        place = path[-1] if not path[-1].isdigit() else path[-2]
        by_ticker = len(path) > 1 and path[-2] in _MAPS_BY_TICKER and text == path[-1]
        if text in tickers and (place in _TICKER_FIELDS or by_ticker or self.identity.plain_ticker(text)):
            yield "ticker", text
            return
        if text.split("/", 1)[0] in tickers and "/" in text:
            yield "ticker", text.split("/", 1)[0]
            return
        if text not in self._seen:
            self._seen[text] = list(self._words_in(text))
        yield from self._seen[text]

    def _words_in(self, text: str) -> Iterator[Found]:
        for word in self.identity.found_in(text):
            if word in self.identity.tickers:
                yield "ticker", word
            elif word.lower() not in self.identity.capitals or _within_sentence(text, word):
                yield "name", word
        for token in tokens_of(text):
            if token.word in self.names and not self.identity.named(token.word):
                yield "name", token.word

    def _printed_levels(self, session: date, as_of: datetime) -> frozenset[str]:
        """Closes of a session and figures filed before it, as a text would print them."""
        original, shift = self.masked.original, self.masked.key.shift
        row = original.bars.sessions.index(session - shift)
        closes = original.bars.close[row]
        found = {f"{close:,.2f}" for close in closes[np.isfinite(closes)]}
        until = pd.Timestamp(as_of) - shift
        times = original.facts["available_at"]
        recent = original.facts[(times <= until) & (times > until - pd.Timedelta(days=LEVEL_DAYS))]
        for value, unit in zip(recent["value"], recent["unit"], strict=True):
            if unit == "USD":
                found |= {f"{abs(value) / 1e6:,.0f}"} if abs(value) >= 1e9 else set()
                found |= {f"{abs(value) / 1e9:.2f} billion"} if abs(value) >= 1e10 else set()
            elif unit.startswith("USD/"):
                found.add(f"${abs(value):.2f}")
        return frozenset(found)


def _strings(
    value: Any, path: tuple[str, ...], document: str | None
) -> Iterator[tuple[tuple[str, ...], str, str | None]]:
    """Every string of a JSON value, keys included, with its path and the document that it is cited from."""
    if isinstance(value, str):
        yield path, value, document
    elif isinstance(value, dict):
        span = value.get("span")
        cited = span.get("document") if isinstance(span, dict) else document
        for key, inner in value.items():
            if path and path[-1] in _MAPS_BY_TICKER:
                yield (*path, key), key, None
            yield from _strings(inner, (*path, key), cited)
    elif isinstance(value, list):
        for i, inner in enumerate(value):
            yield from _strings(inner, (*path, str(i)), document)


def _within_sentence(text: str, word: str) -> bool:
    """Whether a capitalised ordinary word stands after a word in lower case, where only a name has a capital."""
    return re.search(rf"[a-z,]\s{re.escape(word)}\b", text) is not None
