"""The simulated broker as a venue among others, for the conformance kit."""

from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta

import numpy as np

from ...errors import BrokerError
from ...market.bars import Bars
from ..protocol import (
    Broker,
    BrokerClock,
    Capabilities,
    Execution,
    OrderIntent,
    OrderState,
    PortfolioSnapshot,
    Quote,
    Rejected,
    Submission,
    VerdictToken,
)
from ..registry import BrokerSettings
from ..stand_in.faults import Fault, FaultInjector
from .broker import SimulatedBroker
from .costs import Costs

_TOKEN = VerdictToken(terms="", policy="", state_version="", expires_at=datetime(2100, 1, 1, tzinfo=UTC), mac="")
HOURS = timedelta(hours=6, minutes=30)


def open_broker(settings: BrokerSettings) -> Broker:
    """The entry point: a flat market of two names, for a look at the protocol. Sessions make their own broker."""
    return SimulatedVenue(flat_market())


def flat_market(sessions: int = 60) -> SimulatedBroker:
    """An account of 100,000 in a market of two names whose prices never move, without costs."""
    days = tuple(
        day for day in (date(2031, 3, 3) + timedelta(days=i) for i in range(2 * sessions)) if day.weekday() < 5
    )
    price = np.full((len(days), 2), [50.0, 20.0])
    flat = np.ones(price.shape)
    bars = Bars(days, ("AURX", "BOLT"), price, price, price, price, flat * 1e6, flat * 0, flat)
    return SimulatedBroker(
        bars,
        cash=100_000,
        costs=Costs(slippage_bps=0, volume_limit=None),
        authorise=lambda order, token: None,  # the guard has looked at the token
        close_of=_close,
        fractional=True,
    )


def _close(day: date) -> datetime:
    return datetime(day.year, day.month, day.day, 21, tzinfo=UTC)


class SimulatedVenue:
    """A stepped broker seen as a venue. Time moves by `broker.step()`; between two steps its exchange is closed."""

    def __init__(self, broker: SimulatedBroker) -> None:
        self._simulated = broker

    @property
    def capabilities(self) -> Capabilities:
        """Those of the simulated account."""
        return self._simulated.capabilities

    def clock(self) -> BrokerClock:
        """The close of the session at which it stands."""
        at = self._simulated.account().at
        following = at + timedelta(days=1)
        return BrokerClock(at=at, is_open=False, next_open=following - HOURS, next_close=following)

    def account(self) -> PortfolioSnapshot:
        """Cash, positions and prices at the close."""
        return self._simulated.account()

    def positions(self) -> dict[str, float]:
        """Shares by ticker."""
        return dict(self._simulated.account().positions)

    def submit(self, order: OrderIntent) -> Submission:
        """Take one day order for the next open."""
        return self._simulated.submit(order, _TOKEN)

    def order(self, client_order_id: str) -> OrderState | None:
        """The state of one order."""
        return self._simulated.order(client_order_id)

    def open_orders(self) -> list[OrderState]:
        """Orders for the next open."""
        return self._simulated.open_orders()

    def cancel(self, client_order_id: str) -> OrderState:
        """Cancel an open order."""
        return self._simulated.cancel(client_order_id)

    def replace(self, order: OrderIntent) -> Submission:
        """Not offered."""
        return Rejected(client_order_id=order.client_order_id, reason="the simulated broker replaces no orders")

    def fills(self, since: datetime) -> list[Execution]:
        """Executions since a time; one counts as made at its session's close."""
        found = [
            Execution(
                execution_id=f"{i:08d}",
                client_order_id=fill.client_order_id,
                ticker=fill.ticker,
                side=fill.side,
                quantity=fill.quantity,
                price=fill.price,
                commission=fill.commission,
                at=_close(fill.session),
            )
            for i, fill in enumerate(self._simulated.fills())
        ]
        return [execution for execution in found if execution.at >= since]

    def quotes(self, tickers: Sequence[str]) -> dict[str, Quote]:
        """Not offered."""
        raise BrokerError("The simulated broker knows no quotes: it fills at the next open.")

    def close(self) -> None:
        """Nothing to let go of."""


class SimulatedStage:
    """The simulated broker for the conformance kit: it fails in no way, and ends what an open leaves over."""

    tickers = ("AURX", "BOLT")
    faults: frozenset[Fault] = frozenset()
    partial = False

    def __init__(self) -> None:
        self.injector = FaultInjector()
        self._broker = flat_market()

    def open(self) -> Broker:
        """Another view on the same account."""
        return SimulatedVenue(self._broker)

    def now(self) -> datetime:
        """The close at which it stands."""
        return self._broker.account().at

    def trade(self, share: float = 1.0) -> None:
        """The next session."""
        self._broker.step()

    def close(self) -> None:
        """Nothing to end."""
