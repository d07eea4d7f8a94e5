"""The broker of a live session as the session graph sees it: the simulator's steps, at the venue's pace."""

from collections.abc import Callable, Iterator
from datetime import date
from math import fsum

from ...memory.journal.events import VenueReported
from ...tools.broker.protocol import (
    Accepted,
    OrderIntent,
    OrderState,
    PortfolioSnapshot,
    Rejected,
    Submission,
    VerdictToken,
)
from ...tools.broker.report import CorporateAction, OrderEnd, StepReport
from ...tools.errors import BrokerError, PaperDeskError
from ...tools.rules import RuleContext, RuleEngine
from ...tools.rules.engine import Judged
from .closing import Data, first_report, report_session
from .opening import Trader, trade
from .standing import STEPS


class RememberingRules(RuleEngine):
    """The desk's rules, which keep what they looked at: at the open it is judged once more."""

    context: RuleContext | None = None

    def judge_all(self, orders: object, context: RuleContext) -> list[Judged]:
        """Judge, and remember in what state."""
        self.context = context
        return super().judge_all(orders, context)  # type: ignore[arg-type]


class PacedBroker:
    """Stands at the close of a session; `step` lives through the next one.

    What came from outside is an event on record. After a restart it is read from there, up to the moment at which the
    process died, and everything else is derived again: so nothing is forgotten and nothing is done twice.

    Args:
        trader: the venue and how to trade there.
        data: the market folder.
        rules: what judged the desk's orders; they are asked whether a token is good.
        told: called with every report of a session that is new, for reports to people.
    """

    def __init__(
        self, trader: Trader, data: Data, rules: RememberingRules, told: Callable[[VenueReported], None]
    ) -> None:
        self._trader, self._data, self._rules, self._told = trader, data, rules, told
        self._reported: VenueReported | None = None

    @property
    def report(self) -> StepReport:
        """What happened in the current session; asks the venue where nothing is on record yet."""
        if self._reported is None:
            self._stand_at(self._recorded() or self._new(first_report(self._trader, self._data)))
        assert self._reported is not None
        return step_report(self._reported)

    def step(self) -> StepReport | None:
        """Live through the next session; None after the last one that was asked for."""
        trader, standing, until = self._trader, self._trader.standing, self._trader.config.until
        if until is not None and standing.session >= until:
            return None
        trader.context = self._rules.context
        session = trader.calendar().next_session(standing.session)
        reported = self._recorded()
        if reported is None:
            trade(trader, session)
            reported = self._new(report_session(trader, self._data, session, self._owed))
        self._stand_at(reported)
        return step_report(reported)

    def finish(self) -> tuple[OrderEnd, ...]:
        """The end: nothing is queued at the last session, so nothing is left."""
        return ()

    def account(self) -> PortfolioSnapshot:
        """Our ledger at the close, at its prices, with the venue's cash."""
        standing = self._trader.standing
        assert standing.closed_at is not None
        return standing.portfolio(standing.closed_at, standing.cash, standing.shares)

    def submit(self, order: OrderIntent, token: VerdictToken) -> Submission:
        """Take one order for the next open, where it is judged once more before it leaves."""
        account = self.account()
        try:
            self._rules.authorise(order, token, state_version=account.version(), now=account.at)
        except PaperDeskError as error:
            return Rejected(client_order_id=order.client_order_id, reason=str(error))
        self._trader.standing.queue.append(order)
        return Accepted(client_order_id=order.client_order_id)

    def order(self, client_order_id: str) -> OrderState | None:
        """The state of an order for the next open."""
        return next((row for row in self.open_orders() if row.client_order_id == client_order_id), None)

    def open_orders(self) -> list[OrderState]:
        """Orders for the next open."""
        return [_waiting(order, "open") for order in self._trader.standing.queue]

    def waiting(self) -> tuple[OrderIntent, ...]:
        """The orders for the next open."""
        return tuple(self._trader.standing.queue)

    def cancel(self, client_order_id: str) -> OrderState:
        """Take an order for the next open back."""
        queue = self._trader.standing.queue
        for order in queue:
            if order.client_order_id == client_order_id:
                queue.remove(order)
                return _waiting(order, "cancelled")
        raise BrokerError(f"No order {client_order_id} waits for the next open: it may have been sent already.")

    @property
    def _owed(self) -> bool:
        return self._reported is not None and self._reported.owed

    def _recorded(self) -> VenueReported | None:
        """Take in what is on record of the session that comes now; its report, if it got that far."""
        trader = self._trader
        while (event := trader.journal.ahead()) is not None:
            if isinstance(event, VenueReported):
                trader.journal.append(event)
                return event
            if not isinstance(event, STEPS):
                return None  # the journal will say what is wrong when it compares
            trader.record(event)
        return None

    def _new(self, reported: VenueReported) -> VenueReported:
        self._trader.journal.append(reported)
        self._trader.journal.mark()
        self._told(reported)
        return reported

    def _stand_at(self, reported: VenueReported) -> None:
        standing = self._trader.standing
        standing.next_day()
        standing.session, standing.cash = reported.session, reported.cash
        standing.closed_at = self._trader.calendar().close_of(reported.session)
        standing.shares, standing.prices = dict(reported.positions), dict(reported.prices)
        actions = [_action(row) for row in reported.actions]
        standing.activity.session(reported.session, {a.ticker: a.amount for a in actions if a.action == "split"})
        for fill in reported.fills:
            standing.activity.filled(fill)
        self._reported = reported

    def decides_at(self, session: object) -> bool:
        """Whether the desk decides at the close at which the broker stands."""
        return self._reported is not None and self._reported.session == session and self._reported.decide


class DecisionDays:
    """The sessions at whose close a live desk decides, as far as they are known: the current one, or not."""

    def __init__(self, broker: PacedBroker) -> None:
        self._broker = broker

    def __contains__(self, session: object) -> bool:
        return self._broker.decides_at(session)

    def __iter__(self) -> Iterator[date]:
        return iter(())

    def __len__(self) -> int:
        return 0


def step_report(reported: VenueReported) -> StepReport:
    """The report of a session as the graph takes it."""
    held = reported.positions
    # Exact whatever the order: a record gives its names back sorted.
    value = fsum(shares * reported.prices[name] for name, shares in held.items())
    return StepReport(
        session=reported.session,
        actions=tuple(_action(row) for row in reported.actions),
        fills=tuple(reported.fills),
        ended=tuple(OrderEnd(**row) for row in reported.ended),
        cash=reported.cash,
        equity=reported.cash + value,
        positions=dict(held),
        prices={name: reported.prices[name] for name in held},
        stale=(),
    )


def _action(row: dict[str, object]) -> CorporateAction:
    return CorporateAction(**{**row, "session": date.fromisoformat(str(row["session"]))})  # type: ignore[arg-type]


def _waiting(order: OrderIntent, status: str) -> OrderState:
    return OrderState.model_validate(
        {
            "client_order_id": order.client_order_id,
            "ticker": order.ticker,
            "side": order.side,
            "quantity": order.quantity,
            "filled_quantity": 0.0,
            "status": status,
            "reason": "waits for the next open",
        }
    )
