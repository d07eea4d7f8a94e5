"""Small markets and a desk that orders in them."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import Any

import numpy as np
import pytest

from paperdesk.tools.broker import OrderIntent, Submission, VerdictToken
from paperdesk.tools.broker.simulated import Costs, SimulatedBroker, StepReport
from paperdesk.tools.market.bars import Bars

TOKEN = VerdictToken(terms="t", policy="p", state_version="s", expires_at=datetime(2040, 1, 1, tzinfo=UTC), mac="m")
FREE = Costs(slippage_bps=0, volume_limit=None)


def close_of(session: date) -> datetime:
    """21:00 UTC."""
    return datetime(session.year, session.month, session.day, 21, tzinfo=UTC)


def permit(order: OrderIntent, token: VerdictToken) -> None:
    """A rule engine that agrees to everything."""


def bars_of(
    opens: Mapping[str, Sequence[float]],
    closes: Mapping[str, Sequence[float]] | None = None,
    *,
    highs: Mapping[str, Sequence[float]] | None = None,
    lows: Mapping[str, Sequence[float]] | None = None,
    volume: float | Mapping[str, Sequence[float]] = 1e6,
    dividend: Mapping[tuple[str, int], float] | None = None,
    split: Mapping[tuple[str, int], float] | None = None,
) -> Bars:
    """Bars from a column of opens per ticker; closes equal the opens unless given, highs and lows are those of both;
    events by (ticker, row).
    """
    tickers = tuple(opens)
    o = np.array([opens[t] for t in tickers], dtype=float).T
    c = o if closes is None else np.array([closes[t] for t in tickers], dtype=float).T
    v = (
        np.array([volume[t] for t in tickers], dtype=float).T
        if isinstance(volume, Mapping)
        else np.full(o.shape, volume)
    )
    paid, ratio = np.zeros(o.shape), np.ones(o.shape)
    for matrix, events in ((paid, dividend), (ratio, split)):
        for (ticker, row), value in (events or {}).items():
            matrix[row, tickers.index(ticker)] = value
    days = tuple(date(2031, 3, 3) + timedelta(days=i) for i in range(len(o)))
    high, low = np.fmax(o, c), np.fmin(o, c)
    high = high if highs is None else np.array([highs[t] for t in tickers], dtype=float).T
    low = low if lows is None else np.array([lows[t] for t in tickers], dtype=float).T
    return Bars(days, tickers, o, high, low, c, v, paid, ratio)


@dataclass
class Desk:
    """A broker and short words to use it with."""

    broker: SimulatedBroker
    reports: list[StepReport] = field(default_factory=list)
    orders: int = 0

    def intent(self, side: str, ticker: str, quantity: float, key: str = "", **terms: Any) -> OrderIntent:
        """An order decided now, at the market unless told otherwise."""
        self.orders += 1
        return OrderIntent.model_validate(
            {
                "client_order_id": key or f"order-{self.orders}",
                "ticker": ticker,
                "side": side,
                "quantity": quantity,
                "reference_price": 100.0,
                "decided_at": close_of(self.broker.session),
                **terms,
            }
        )

    def submit(self, side: str, ticker: str, quantity: float, key: str = "", **terms: Any) -> Submission:
        """Submit an order, with a token."""
        return self.broker.submit(self.intent(side, ticker, quantity, key, **terms), TOKEN)

    def buy(self, ticker: str, quantity: float, **terms: Any) -> str:
        """Buy; the id of the accepted order."""
        return self._accepted(self.submit("buy", ticker, quantity, **terms))

    def sell(self, ticker: str, quantity: float, **terms: Any) -> str:
        """Sell; the id of the accepted order."""
        return self._accepted(self.submit("sell", ticker, quantity, **terms))

    def step(self) -> StepReport:
        """One session that must exist."""
        report = self.broker.step()
        assert report is not None
        self.reports.append(report)
        return report

    @staticmethod
    def _accepted(answer: Submission) -> str:
        assert answer.status == "accepted", answer
        return answer.client_order_id


MakeDesk = Callable[..., Desk]


@pytest.fixture(name="desk_on", scope="session")
def _desk_on() -> MakeDesk:
    """A desk on bars: `desk_on(bars, cash=..., costs=..., fractional=...)`; without costs unless given."""

    def make(bars: Bars, *, cash: float = 100_000, costs: Costs = FREE, **others: Any) -> Desk:
        return Desk(SimulatedBroker(bars, cash=cash, costs=costs, authorise=permit, close_of=close_of, **others))

    return make


@pytest.fixture(name="bars_of", scope="session")
def _bars_of() -> Callable[..., Bars]:
    """The builder of small markets."""
    return bars_of
