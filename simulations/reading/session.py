"""One session, open for reading."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import date
from functools import cached_property, lru_cache
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Self

from ...memory.journal import Filters, Hit, Journal, Verification, verify
from ...memory.journal.index import Index, Progress, missing, open_index
from ...memory.journal.rows import Row, rows, rows_at, values_of
from ...tools.errors import InputError
from ...tools.evidence import Evidence
from ..config import SessionConfig, load_config
from .calls import Call, call_of, calls_of
from .case import Case, read_case
from .cited import Cited, cited
from .decision import Decision, DecisionLine, decision_lines, read_decision
from .series import Bar, Outcome, Trade, bars_of, curve_of, outcomes_of, trades_of
from .sources import Close, FiledFact, closes_of, filing_of
from .summary import Summary, summarise

if TYPE_CHECKING:
    import pandas as pd

    from ...tools.market.documents.reader import Passage
    from ...tools.market.view import Market
    from ..evaluation.baselines import Track


class Session:
    """A session as it was when it was opened; later events of a running one are seen by opening it again.

    Use it in one thread at a time. It never changes the journal; filters and search write the index beside it
    (`search.db`), where the folder can be written.
    """

    def __init__(self, journal: Journal, name: str) -> None:
        self.journal = journal
        self.name = name

    @classmethod
    def open(cls, folder: Path, *, name: str | None = None) -> Self:
        """A session by its folder.

        Raises:
            JournalRefused: there is none.
            JournalDamaged: it cannot be read.
        """
        return cls(Journal.open_readonly(folder), name or folder.resolve().name)

    def close(self) -> None:
        """Let go of the folder."""
        self.journal.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    @property
    def folder(self) -> Path:
        """Where it lives."""
        assert self.journal.folder is not None
        return self.journal.folder

    @property
    def count(self) -> int:
        """Events on record."""
        return self.journal.count

    @property
    def is_finished(self) -> bool:
        """Whether it came to its end."""
        return self.journal.is_finished

    @cached_property
    def config(self) -> SessionConfig:
        """Every choice, in the user's terms."""
        assert self.journal.manifest is not None
        return load_config(None, self.journal.manifest.config)

    @cached_property
    def universe(self) -> tuple[str, ...]:
        """The names it could trade; empty before its first event."""
        first = next(rows(self.journal, ("session_started",), page=1), None)
        return tuple(first.document["universe"]) if first else ()

    def summary(self) -> Summary:
        """What it was and came to."""
        return summarise(self.journal, self.name)

    def verify(self) -> Verification:
        """Whether the record is intact: every hash is computed again."""
        return verify(self.folder)

    # decisions

    def decisions(
        self, *, after: int = -1, limit: int = 50, newest_first: bool = False, detailed: bool = True
    ) -> list[DecisionLine]:
        """A page of decisions.

        Args:
            after: number of the last decision of the page before; -1 for the first page.
            limit: how many at most.
            newest_first: from the latest one backwards.
            detailed: with counts, paths and orders, which need the index.
        """
        if not detailed:
            return decision_lines(self.journal, None, after=after, limit=limit, newest_first=newest_first)
        with self.index() as index:
            return decision_lines(self.journal, index, after=after, limit=limit, newest_first=newest_first)

    def decision_days(self) -> list[tuple[date, int]]:
        """The day of every decision and its number as people count it, from 1."""
        found = values_of(self.journal, "decision_opened", ("session",))
        return [(date.fromisoformat(day), number + 1) for _, number, day in found]

    def decision(self, number: int) -> Decision:
        """One decision in full.

        Raises:
            InputError: there is none of this number.
        """
        found = read_decision(self.journal, number, self.universe)
        if found is None:
            raise InputError(f"{self.name} has no decision {number + 1}; take one from its list of decisions")
        return found

    def case(self, number: int, ticker: str) -> Case:
        """All that is on record about one name at one decision.

        Raises:
            InputError: there is no such decision, or the name is not in the universe.
        """
        found = read_case(self.journal, number, ticker, self.universe)
        if found is None:
            raise InputError(f"{self.name} has no decision {number + 1} on {ticker}; take one from its decisions")
        return found

    def calls(self, number: int, ticker: str | None = None) -> list[Call]:
        """Requests to minds at a decision: prompts and raw completions."""
        return calls_of(self.journal, number, ticker)

    def call(self, seq: int) -> Call:
        """The request that one event tells of."""
        return call_of(self.entry(seq))

    # evidence

    def cited(self, number: int, name: str) -> Cited:
        """A piece of evidence of a decision, and who rests a claim on it.

        Raises:
            InputError: nobody was shown such evidence there.
        """
        found = cited(self.journal, number, name)
        if found is None:
            raise InputError(f"decision {number + 1} of {self.name} has no evidence {name!r}; follow a claim to it")
        return found

    def market(self) -> "Market":
        """The market that the session ran on, masked and made a placebo as it was; the last few stay open.

        Raises:
            InputError: it cannot be opened here, or it is not the same any more.
            DataError: its folder has a defect.
        """
        config = self.config
        market = _market(SessionConfig(**{name: getattr(config, name) for name in _OF_MARKET}))
        fingerprint = self.summary().market_fingerprint
        if market.fingerprint != fingerprint:
            raise InputError(f"the market of {self.name} is another one now than when it ran")
        return market

    def passage(self, evidence: Evidence) -> "Passage":
        """The passage that evidence quotes, in its document, as it stood at the time of the decision.

        Raises:
            InputError: it quotes none, or the market cannot be opened (see `market`).
        """
        from ...tools.market.documents.reader import open_passage

        return open_passage(self.market().view(evidence.as_of), evidence, surroundings=4000)

    def filing(self, evidence: Evidence) -> list[FiledFact]:
        """The figures of the filing that a ratio rests on, as they were known at the decision.

        Raises:
            InputError: the market cannot be opened (see `market`).
        """
        return filing_of(self.market().view(evidence.as_of), evidence) if evidence.kind == "ratio" else []

    def closes(self, evidence: Evidence) -> list[Close]:
        """The closes that an indicator looked back over.

        Raises:
            InputError: the market cannot be opened (see `market`).
        """
        return closes_of(self.market().view(evidence.as_of), evidence) if evidence.kind == "indicator" else []

    # series

    def bars(self, most: int | None = None) -> list[Bar]:
        """The ledger, day by day: all days, or at most so many, evenly spaced."""
        return bars_of(self.journal, most)

    def curve(self) -> list[tuple[date, float]]:
        """The equity at the close of each day: what a curve takes, and a third of the time of all bars."""
        return curve_of(self.journal)

    def trades(self) -> list[Trade]:
        """Every execution."""
        return trades_of(self.journal)

    def outcomes(self) -> list[Outcome]:
        """Every signal whose horizon has passed."""
        return outcomes_of(self.journal)

    def tracks(self) -> "list[Track]":
        """The desk's equity and trading, and those of its baselines on the same ledger (a second or two).

        Raises:
            InputError: the market cannot be opened (see `market`).
        """
        from ..evaluation.result import tracks_of
        from ..window import window_of

        market = self.market()
        window = window_of(self.config, market)
        return tracks_of(self.config, market, window, self.journal)

    def curves(self) -> dict[str, list[tuple[date, float]]]:
        """Equity by day of the desk and of its baselines (a second or two).

        Raises:
            InputError: the market cannot be opened (see `market`).
        """
        import pandas as pd

        found = {}
        for track in self.tracks():
            days: list[date] = [stamp.date() for stamp in pd.DatetimeIndex(track.equity.index)]
            found[track.name] = list(zip(days, track.equity.to_numpy().tolist(), strict=True))
        return found

    # events

    def entry(self, seq: int) -> Row:
        """One event.

        Raises:
            InputError: there is none of this number.
        """
        found = rows_at(self.journal, [seq])
        if not found:
            raise InputError(f"{self.name} has no event {seq}; it holds {self.count}")
        return found[0]

    def at(self, numbers: Sequence[int]) -> list[Row]:
        """The events with these numbers that exist, in order."""
        return rows_at(self.journal, numbers)

    def rows(self, kinds: Sequence[str] = (), *, after: int = 0) -> Iterator[Row]:
        """Every event of these kinds (of all where none is named), one page in memory at a time."""
        return rows(self.journal, kinds, after=after)

    def entries(
        self, filters: Filters, *, after: int = 0, limit: int | None = None, newest_first: bool = False
    ) -> list[Row]:
        """A page of events that match, in order.

        Args:
            filters: what must match.
            after: number of the last event of the page before; 0 for the first page.
            limit: how many at most.
            newest_first: from the latest one backwards.
        """
        with self.index() as index:
            return rows_at(self.journal, index.entries(filters, after=after, limit=limit, newest_first=newest_first))[
                :: -1 if newest_first else 1
            ]

    def hits(
        self, filters: Filters, *, after: int = 0, limit: int = 100, marks: tuple[str, str] = ("[", "]")
    ) -> list[Hit]:
        """A page of texts that match, in order; `filters.text` says which words.

        All texts of its last event are on it, though they be more than `limit`: `after` that event goes on.

        Raises:
            JournalRefused: there is no word in it.
        """
        with self.index() as index:
            return index.hits(filters, after=after, limit=limit, marks=marks)

    @contextmanager
    def index(self, progress: Progress | None = None) -> Iterator[Index]:
        """The index, brought up to date first: half a second for 10,000 new events."""
        with open_index(self.journal, progress) as index:
            yield index

    def unindexed(self) -> int:
        """How many events the index does not cover yet."""
        return missing(self.journal)

    def events(self, filters: Filters | None = None) -> "pd.DataFrame":
        """Events as a table: a row each, columns to filter by, the whole event as JSON in `event`."""
        from .frames import events_frame

        return events_frame(self, filters)


_OF_MARKET = ("market", "market_seed", "mask", "mask_seed", "placebo", "placebo_seed")
"""The choices that make the market: sessions that share them share it."""


@lru_cache(maxsize=2)
def _market(config: SessionConfig) -> "Market":
    from ..masking import market_of

    return market_of(config)
