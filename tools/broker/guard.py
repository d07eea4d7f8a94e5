"""The guard around every adapter: nothing reaches a venue without a valid verdict token, whoever calls.

It also keeps the two promises that no adapter should have to keep for itself: an order without a clear answer is looked
up before anything is sent again, and money that is real is not touched by accident.
"""

import time
from collections.abc import Callable, Sequence
from datetime import datetime

from ..errors import BrokerError, PaperDeskError
from .protocol import (
    Accepted,
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
    Unknown,
    VerdictToken,
    malformed,
)
from .switches import admit
from .updates import Streaming, UpdateFeed

Authorise = Callable[[OrderIntent, VerdictToken], None]
"""Checks and uses up a token; raises a `PaperDeskError` when the order may not go out."""

PAUSES = (0.5, 1.0, 2.0, 4.0, 8.0)
"""Seconds to wait before each look-up of an order that got no clear answer."""


class GuardedBroker:
    """A broker that sends only what carries its token.

    Args:
        broker: the adapter; nobody else should hold it.
        authorise: called with every order and token before anything leaves.
        live_account: number of the live account that both switches name; a paper account is always fine.
        pauses: seconds before each look-up of an order without a clear answer.
        sleep: waits so many seconds.

    Raises:
        BrokerError: the account is neither a paper account nor that one.
    """

    def __init__(
        self,
        broker: Broker,
        authorise: Authorise,
        *,
        live_account: str = "",
        pauses: Sequence[float] = PAUSES,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        able = broker.capabilities
        admit(able.name, able.account, paper=able.paper, live_account=live_account)
        self._broker = broker
        self._authorise = authorise
        self._pauses = tuple(pauses)
        self._sleep = sleep

    @property
    def capabilities(self) -> Capabilities:
        """What the broker can do."""
        return self._broker.capabilities

    def submit(self, order: OrderIntent, token: VerdictToken) -> Submission:
        """Send one order; without a valid, unused token it is refused and nothing leaves.

        Returns:
            `Unknown` only when neither the submission nor the look-ups after it got an answer.
        """
        refused = self._refusal(order, token)
        if refused is not None:
            return refused
        return self._send(order, self._broker.submit)

    def replace(self, order: OrderIntent, token: VerdictToken) -> Submission:
        """Put an order in the place of the open one that its `replaces` names; needs a token like any other."""
        if not self.capabilities.replaces or order.replaces is None:
            reason = f"{self.capabilities.name} cannot replace orders: cancel the old one and send a new one."
            return Rejected(client_order_id=order.client_order_id, reason=reason)
        refused = self._refusal(order, token)
        if refused is not None:
            return refused
        return self._send(order, self._broker.replace)

    def settle(self, client_order_id: str) -> OrderState | None:
        """What became of an order that may have left, e.g. before this process was started; None: it never arrived.

        Raises:
            BrokerError: the venue gives no answer, so nothing may be concluded.
        """
        failure: BrokerError | None = None
        for pause in (0.0, *self._pauses):
            self._sleep(pause)
            try:
                return self._arrived(client_order_id)
            except BrokerError as error:
                failure = error
        raise BrokerError(
            f"The state of order {client_order_id} is unknown ({failure}): look it up at the broker before anything "
            "is sent again."
        )

    def clock(self) -> BrokerClock:
        """The venue's time and hours."""
        return self._broker.clock()

    def account(self) -> PortfolioSnapshot:
        """Cash, positions and prices now."""
        return self._broker.account()

    def positions(self) -> dict[str, float]:
        """Shares by ticker."""
        return self._broker.positions()

    def order(self, client_order_id: str) -> OrderState | None:
        """The state of one order, None only if the venue never saw it."""
        return self._broker.order(client_order_id)

    def open_orders(self) -> list[OrderState]:
        """Orders that may still fill."""
        return self._broker.open_orders()

    def cancel(self, client_order_id: str) -> OrderState:
        """Ask for what is left of an order to be cancelled."""
        return self._broker.cancel(client_order_id)

    def fills(self, since: datetime) -> list[Execution]:
        """Executions at or after a time, each once, in order of occurrence."""
        return self._broker.fills(since)

    def quotes(self, tickers: Sequence[str]) -> dict[str, Quote]:
        """The best prices now; empty where the venue knows none."""
        return self._broker.quotes(tickers) if self.capabilities.quotes else {}

    def updates(self) -> UpdateFeed | None:
        """What the venue pushes; None where it pushes nothing, and has to be asked."""
        return self._broker.updates() if self.capabilities.streams and isinstance(self._broker, Streaming) else None

    def close(self) -> None:
        """Let go of connections."""
        self._broker.close()

    def _refusal(self, order: OrderIntent, token: VerdictToken) -> Rejected | None:
        wrong = malformed(order)
        if wrong:
            return Rejected(client_order_id=str(getattr(order, "client_order_id", "")), reason=wrong)
        able = self.capabilities
        if order.order_type not in able.order_types:
            wrong = f"{able.name} takes no {order.order_type} orders."
        elif not able.fractional and order.quantity != int(order.quantity):
            wrong = f"{order.quantity} is no whole number of shares, and {able.name} trades whole ones only."
        if wrong:
            return Rejected(client_order_id=order.client_order_id, reason=wrong)
        try:
            self._authorise(order, token)
        except PaperDeskError as error:
            return Rejected(client_order_id=order.client_order_id, reason=str(error))
        return None

    def _arrived(self, key: str) -> OrderState | None:
        """The state of an order; None once it was not found and what had no answer cannot arrive any more."""
        found = self._broker.order(key)
        if found is None and (seconds := self.capabilities.in_flight_seconds):
            self._sleep(seconds)
            found = self._broker.order(key)
        return found

    def _send(self, order: OrderIntent, act: Callable[[OrderIntent], Submission]) -> Submission:
        answer = _attempt(order, act)
        for pause in self._pauses:
            if not isinstance(answer, Unknown):
                return answer
            self._sleep(pause)
            try:
                found = self._arrived(order.client_order_id)
            except BrokerError as error:
                answer = Unknown(client_order_id=order.client_order_id, reason=str(error))
                continue
            # It never arrived: the same order goes out once more under the same id.
            answer = _attempt(order, act) if found is None else answer_of(order, found)
        return answer


def answer_of(order: OrderIntent, found: OrderState) -> Submission:
    """The answer to a submission, from the state of the order that stands under its id."""
    cut = order.quantity - found.quantity  # to whole lots, by a venue that has them
    same = cut == 0 or 0 < cut < found.lot
    if (found.ticker, found.side) != (order.ticker, order.side) or not same:
        reason = (
            f"this client order id stands for {found.side} {found.quantity:g} {found.ticker} at the broker; "
            "find out who sent it"
        )
        return Rejected(client_order_id=order.client_order_id, reason=reason)
    if found.status == "rejected":
        return Rejected(client_order_id=order.client_order_id, reason=found.reason or "refused by the broker")
    return Accepted(client_order_id=order.client_order_id)


def _attempt(order: OrderIntent, act: Callable[[OrderIntent], Submission]) -> Submission:
    try:
        return act(order)
    except BrokerError as error:  # whether it arrived is not known
        return Unknown(client_order_id=order.client_order_id, reason=str(error))
