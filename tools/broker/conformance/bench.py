"""Short words for the checks: orders, tokens, and what must be true."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

from ...errors import BrokerError, PaperDeskError
from ..guard import GuardedBroker
from ..protocol import Broker, OrderIntent, OrderState, VerdictToken
from .stage import Stage

TOLERANCE = 1e-6
"""Shares and units of money below which a difference is rounding."""
TOKEN = VerdictToken(terms="", policy="", state_version="", expires_at=datetime(2100, 1, 1, tzinfo=UTC), mac="yes")


class Broken(AssertionError):
    """A promise that a broker did not keep, in a sentence."""


def must(holds: bool, otherwise: str) -> None:
    """Raise `Broken` unless it holds."""
    if not holds:
        raise Broken(otherwise)


def near(value: float, wanted: float) -> bool:
    """Equal up to rounding."""
    return abs(value - wanted) <= TOLERANCE * max(1.0, abs(wanted))


@contextmanager
def an_error(otherwise: str) -> Iterator[None]:
    """What is inside must raise `BrokerError`."""
    try:
        yield
    except BrokerError:
        return
    raise Broken(otherwise)


def permit(order: OrderIntent, token: VerdictToken) -> None:
    """Stands for the rule engine: one token is good."""
    if token.mac != "yes":
        raise PaperDeskError("the verdict token is not valid")


@dataclass
class Bench:
    """A stage with an open broker on it."""

    stage: Stage
    broker: Broker = field(init=False)

    def __post_init__(self) -> None:
        self.broker = self.stage.open()
        self.tag = uuid4().hex[:16]
        self.made = 0

    @property
    def ticker(self) -> str:
        """The name that checks trade."""
        return self.stage.tickers[0]

    def guard(self) -> GuardedBroker:
        """The broker in its guard, which waits for nothing."""
        return GuardedBroker(self.broker, permit, pauses=(0, 0, 0, 0), sleep=lambda seconds: None)

    def reopen(self) -> Broker:
        """As after a restart."""
        self.broker.close()
        self.broker = self.stage.open()
        return self.broker

    def order(self, side: str = "buy", quantity: float = 10.0, **changes: Any) -> OrderIntent:
        """A new order under a new id."""
        self.made += 1
        usual = {
            "client_order_id": f"{self.tag}{self.made:08d}",
            "ticker": self.ticker,
            "side": side,
            "quantity": quantity,
            "reference_price": 50.0,
            "decided_at": self.stage.now(),
        }
        return OrderIntent.model_validate({**usual, **changes})

    def away(self, quantity: float = 10.0, **changes: Any) -> OrderIntent:
        """An order that stays open: with a limit far away, or until the venue trades where it knows no limits."""
        if "limit" not in self.broker.capabilities.order_types:
            return self.order(quantity=quantity, **changes)
        return self.order(quantity=quantity, order_type="limit", limit_price=0.5, **changes)

    def held(self, ticker: str | None = None) -> float:
        """Shares held."""
        return self.broker.positions().get(ticker or self.ticker, 0.0)

    def state(self, order: OrderIntent) -> OrderState:
        """The state of an order that must be known."""
        found = self.broker.order(order.client_order_id)
        if found is None:
            raise Broken("an order that was accepted is not known any more")
        return found

    def until(self, holds: Callable[[], bool], seconds: float = 10.0) -> bool:
        """Wait for what a venue pushes; whether it came in so much time of this machine."""
        end = time.monotonic() + seconds
        while not holds():
            if time.monotonic() > end:
                return False
            time.sleep(0.005)
        return True

    def bought(self, quantity: float = 10.0) -> OrderIntent:
        """A purchase that has been filled."""
        order = self.order(quantity=quantity)
        answer = self.broker.submit(order)
        must(answer.status == "accepted", f"a plain purchase was answered {answer}")
        self.stage.trade()
        return order
