"""All that one company ever filed, arranged once per market so that a view finds a figure by its period at once.

A ledger knows the future; `statements.Statements` reads it at one moment. Per-share figures and share counts are in the
shares of their filing's day: each keeps how many sessions lay behind that filing, so that a view brings it into its own
shares before it adds or subtracts.
"""

from bisect import bisect_right
from collections.abc import Sequence
from datetime import UTC, date, datetime
from math import prod
from weakref import WeakKeyDictionary

import pandas as pd

from ..view import Market
from .accounts import Account, Version
from .concepts import CONCEPTS, ConceptKind, ConceptUnit, canonical
from .figures import Figure


class _Facts:
    """The rows of one company as columns; those of a concept become versions when they are asked for."""

    def __init__(self, facts: pd.DataFrame, sessions: Sequence[date]) -> None:
        moments, stamps = pd.factorize(facts["available_at"])
        times = [stamp.to_pydatetime().astimezone(UTC) for stamp in stamps]
        filed, days = pd.factorize(facts["filed"])
        behind = [bisect_right(sessions, day.date()) for day in days]
        self.known_from: list[datetime] = [times[moment] for moment in moments.tolist()]
        self._sessions_before = [behind[day] for day in filed.tolist()]
        self._values: list[float] = facts["value"].tolist()
        self._starts: list[date | None] = facts["period_start"].to_numpy().astype("datetime64[D]").tolist()
        self._ends: list[date] = facts["period_end"].to_numpy().astype("datetime64[D]").tolist()
        self._sources: list[str] = facts["accession"].tolist()
        self._units = facts["unit"]
        self._names: list[str] = facts["concept"].tolist()
        self.rows: dict[str, list[int]] = {}
        """Rows by canonical name, in the order in which they became known."""
        codes, names = pd.factorize(facts["concept"])
        known_as = [canonical(name)[0] for name in names]
        for row, code in enumerate(codes.tolist()):
            self.rows.setdefault(known_as[code], []).append(row)

    def versions(self, concept: str) -> list[Version]:
        """All rows of a concept; within one filing, the preferred of its names comes last and so wins."""
        rows = self.rows[concept]
        if any(self._names[row] != concept for row in rows):
            # Filings that become known together keep their order: a name decides within a filing only.
            first: dict[tuple[object, ...], int] = {}
            places = {row: first.setdefault(self._filing(row), place) for place, row in enumerate(rows)}
            rows = sorted(rows, key=lambda row: (self.known_from[row], places[row], -canonical(self._names[row])[1]))
        return [self._version(row) for row in rows]

    def _filing(self, row: int) -> tuple[object, ...]:
        """What the rows have in common that say one figure under several names."""
        return self.known_from[row], self._sources[row], self._starts[row], self._ends[row]

    def nature(self, concept: str) -> tuple[ConceptKind, ConceptUnit]:
        """Whether it adds up and what splits do to it: by the table, else by the unit that was filed."""
        if (known := CONCEPTS.get(concept)) is not None:
            return known.kind, known.unit
        unit = str(self._units.iloc[self.rows[concept][0]])
        if unit.endswith("/shares"):
            return "flow", "money/shares"
        return ("average", "shares") if unit == "shares" else ("flow", "money")

    def _version(self, row: int) -> Version:
        period = self._starts[row], self._ends[row]
        figure = Figure(self._values[row], *period, self.known_from[row], self._sources[row])
        return Version(figure, self._sessions_before[row])


Computed = dict[tuple[str, str, date], Figure | None]
"""By what was computed (`trailing`, `average`, or a measure), of what, and for which day."""


class Ledger:
    """The accounts and splits of one company."""

    def __init__(self, market: Market, ticker: str) -> None:
        bars, column = market.dataset.bars, market.column(ticker)
        self.close = bars.close[:, column]
        """(T,) closes as traded."""
        split = bars.split[:, column]
        self.splits: tuple[tuple[int, float], ...] = tuple((int(i), float(split[i])) for i in (split != 1).nonzero()[0])
        """(row of the session, new shares per old) of every split."""
        facts = market.facts_by_ticker.get(ticker)
        self._facts = None if facts is None else _Facts(facts, bars.sessions)
        self._accounts: dict[str, Account] = {}
        self._computed: dict[tuple[int, int], Computed] = {}

    def account(self, concept: str) -> Account | None:
        """All about one concept by canonical name; None if it was never filed."""
        account = self._accounts.get(concept)
        if account is None and self._facts is not None and concept in self._facts.rows:
            account = Account(self._facts.versions(concept), *self._facts.nature(concept))
            self._accounts[concept] = account
        return account

    def concepts(self) -> tuple[str, ...]:
        """Everything that was ever filed, by canonical name."""
        return () if self._facts is None else tuple(self._facts.rows)

    def new_shares(self, first: int, stop: int) -> float:
        """New shares per share: the product of the splits in sessions `first` to `stop` - 1."""
        return prod(ratio for row, ratio in self.splits if first <= row < stop) if self.splits else 1.0

    def computed(self, as_of: datetime, stop: int) -> Computed:
        """What was computed from the filings known at `as_of` in the shares of session `stop` - 1, to be added to.

        It is shared by all moments between which neither a filing nor a split became known.
        """
        return self._computed.setdefault(self.state(as_of, stop), {})

    def state(self, as_of: datetime, stop: int) -> tuple[int, int]:
        """How many filed figures, and how many splits before session `stop`, are known at `as_of`: both only grow."""
        splits = sum(row < stop for row, _ in self.splits)
        return 0 if self._facts is None else bisect_right(self._facts.known_from, as_of), splits

    def figure(self, account: Account, version: Version, stop: int) -> Figure:
        """A version in the shares of session `stop` - 1."""
        if account.unit == "money":
            return version.figure
        if not self.splits or self.splits[-1][0] < version.sessions_before:
            return version.figure
        if version.total is not None and version.part is not None:
            total, part = (self.figure(account, row, stop) for row in (version.total, version.part))
            return version.figure._replace(value=total.value - part.value)
        value, factor = version.figure.value, self.new_shares(version.sessions_before, stop)
        return version.figure._replace(value=value * factor if account.unit == "shares" else value / factor)


_LEDGERS: WeakKeyDictionary[Market, dict[str, Ledger]] = WeakKeyDictionary()


def ledger(market: Market, ticker: str) -> Ledger:
    """The ledger of a company, arranged at the first call for a market.

    Raises:
        InputError: the ticker is unknown.
    """
    ledgers = _LEDGERS.setdefault(market, {})
    if ticker not in ledgers:
        ledgers[ticker] = Ledger(market, ticker)
    return ledgers[ticker]
