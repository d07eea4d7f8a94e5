"""The simulated broker: the `Broker` protocol on top of a stepped backtrader.

It is a pure function of bars, costs and submitted orders: to rebuild one, make a new one, and submit and step again.
"""

import math
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime
from math import fsum
from operator import mul
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from ...errors import BrokerError, InputError, PaperDeskError
from ...market.bars import Bars
from ..protocol import (
    Accepted,
    Capabilities,
    Fill,
    FillCause,
    OrderIntent,
    OrderState,
    PortfolioSnapshot,
    Rejected,
    Submission,
    VerdictToken,
    malformed,
)
from ..report import CorporateAction, OrderEnd, StepReport
from .book import Entry, OrderBook
from .cerebro import SleepingCerebro, SteppedCerebro
from .corporate_actions import apply_actions, pay_delisted, pay_interest
from .costs import Costs
from .feed import array_feeds, check_bars, days_closed, marks, opening_values, pandas_feeds, sessions_without_trade
from .force import forced_orders, margin_call, recalls
from .impact import Impact
from .ledger import DUST, Ledger, Shortfall, SleepingLedger
from .margin import Margin
from .terms import Terms

Authorise = Callable[[OrderIntent, VerdictToken], None]
"""Checks and uses up a token; raises a `PaperDeskError` when the order may not go out."""

STALE_AFTER = 10
"""Sessions without a trade after which a position is reported as stale."""

Engine = Literal["auto", "fast", "stock"]

FRACTION = 1e-6
"""Shares to which a fractional order is rounded down when cash or volume cut it."""


class SimulatedBroker:
    """Paper execution over historical bars.

    A new broker stands at the close of the first session, so that a decision can be taken there; `step` then moves on
    by one session. What of a day order does not fill in the next session ends with it, with a reason, in the
    session's report; what is good till cancelled waits on.

    Args:
        bars: Prices as traded, on the union calendar.
        cash: What the account starts with, in the currency of the bars.
        costs: Commission, slippage and volume limit.
        authorise: Called with every new order before it is accepted; must raise unless the token permits it.
        fractional: Whether parts of a share can be traded and held.
        close_of: The time (with zone) at which a session closes; for a mapping pass its `__getitem__`.
        terms: Interest on cash, and when a name that does not trade is taken for delisted; by default neither.
        margin: What has to stand behind short positions and borrowed money, and what they cost; without it the account
            is long only and owes nothing.
        closed: (T, N) True on days of the union calendar on which a name's own exchange is closed: its day orders wait,
            and its silence is not counted. By default a name that does not trade is halted.
        engine: `stock` is backtrader's own: its pandas feeds, its loop over feeds and positions. `fast` reads numpy
            columns and sleeps while nothing is ordered; all figures are equal. `auto` takes `fast` wherever it applies,
            which is everywhere for `Bars`: they are daily and on one calendar.

    Raises:
        DataError: the bars are out of order, of the wrong shape, or hold impossible numbers, or `closed` denies them.
        InputError: the cash is not a positive number, or a closing time has no zone.
    """

    def __init__(
        self,
        bars: Bars,
        *,
        cash: float,
        costs: Costs,
        authorise: Authorise,
        close_of: Callable[[date], datetime],
        fractional: bool = False,
        terms: Terms | None = None,
        margin: Margin | None = None,
        closed: NDArray[np.bool_] | None = None,
        engine: Engine = "auto",
    ) -> None:
        check_bars(bars)
        if not (math.isfinite(cash) and cash > 0):
            raise InputError(f"an account cannot start with {cash} in cash; give a positive amount")
        self._bars, self._authorise, self._close_of, self._fractional = bars, authorise, close_of, fractional
        self._closed = days_closed(bars, closed)
        self._marks, self._idle = marks(bars), sessions_without_trade(bars, self._closed)
        self._eventful = ((bars.split != 1) | (bars.dividend != 0)).any(axis=1)
        self._row, self._terms, self._margin = 0, terms or Terms(), margin
        self._lot = FRACTION if fractional else 1.0
        self._book = OrderBook()
        stock = engine == "stock"
        self._ledger = (Ledger if stock else SleepingLedger).open_account(cash, costs, self._lot, margin)
        self._feeds = (pandas_feeds if stock else array_feeds)(bars, self._marks)
        self._feed = dict(zip(bars.tickers, self._feeds, strict=True))
        self._column = {data: i for i, data in enumerate(self._feeds)}
        self._engine = SteppedCerebro() if stock else SleepingCerebro()
        self._engine.broker = self._ledger
        for ticker, feed in self._feed.items():
            self._engine.adddata(feed, name=ticker)
        self._engine.open()
        if costs.impact:
            impact = Impact(bars, costs.impact)
            self._ledger.impact_of = lambda data, shares: impact.distance(self._row + 1, self._column[data], shares)
        if margin is not None:
            values = opening_values(bars, self._marks)
            self._ledger.value_of = lambda data: float(values[self._row + 1, self._column[data]])
        self._engine.step()
        self._last_endings: tuple[OrderEnd, ...] | None = None  # set when the simulation is over
        self._report = self._close(actions=[], fills_before=0)

    @property
    def capabilities(self) -> Capabilities:
        """Paper only; long only without a margin."""
        shorting = self._margin is not None
        return Capabilities(name="simulated", paper=True, fractional=self._fractional, shorting=shorting)

    @property
    def session(self) -> date:
        """The session at whose close the broker stands."""
        return self._bars.sessions[self._row]

    @property
    def remaining(self) -> int:
        """How many sessions are left to step through."""
        return len(self._bars.sessions) - 1 - self._row

    @property
    def report(self) -> StepReport:
        """What happened in the current session; before the first step: the first session, in which nothing could."""
        return self._report

    def step(self) -> StepReport | None:
        """Move to the close of the next session; None when the bars are exhausted, or after `finish`.

        In this order: interest and borrow fees, splits, dividends and cash in lieu before the open; forced orders,
        sales, then purchases at the open; what is met within the session; what waits for the close; day orders that are
        left end; the delisted are paid out; the account is valued at the close, and what it has to close at the next
        open is ordered. An order in a name that splits is cancelled, because its quantity and its prices are in old
        shares.
        """
        if not self.remaining or self._last_endings is not None:
            self.finish()
            return None
        row, fills_before = self._row + 1, len(self._book.fills)
        session = self._bars.sessions[row]
        actions = pay_interest(self._ledger, self._terms, self._margin, self._shorts(), self.session, session)
        if self._eventful[row]:
            self._cancel_over_splits(row)
            actions += apply_actions(self._ledger, self._feeds, self._bars, row, self._marks, self._fractional)
        self._engine.step()
        self._row = row
        for order, execution in self._ledger.trades:
            self._book.record(self._fill(order, execution))
            if order.alive() and self._book.entries[order.info.id].status == "filled":
                self._ledger.cancel(order)  # what is left of it is rounding
        self._end_orders()
        actions += pay_delisted(self._ledger, self._terms, self._feeds, self._bars, row, self._marks, self._idle)
        self._report = self._close(actions, fills_before)
        if self._margin is not None:
            self._report = self._enforce(self._margin, self._report)
        return self._report

    def finish(self) -> tuple[OrderEnd, ...]:
        """End the simulation: open orders expire.

        Returns:
            The endings that no report holds; the same again when repeated.
        """
        if self._last_endings is None:
            for entry in self._book.open():
                self._withdraw(entry)
                self._book.end(entry, "expired", f"the simulation ended at {self.session}, before a next open")
            self._last_endings = self._book.take_ended()
        return self._last_endings

    def account(self) -> PortfolioSnapshot:
        """Cash, positions and prices at the close of the current session."""
        row = self._marks[self._row]
        return PortfolioSnapshot(
            at=self._closed_at(),
            cash=self._report.cash,
            equity=self._report.equity,
            positions=dict(self._report.positions),
            prices={t: float(price) for t, price in zip(self._bars.tickers, row, strict=True) if math.isfinite(price)},
        )

    def submit(self, order: OrderIntent, token: VerdictToken) -> Submission:
        """Take one order for the next session.

        The same order again is accepted again, without a second execution and without another token; another order
        under the same id is rejected. A token is used up only by an order that passes all other checks.
        """
        wrong = malformed(order)
        if wrong:
            return Rejected(client_order_id=str(getattr(order, "client_order_id", "")), reason=wrong)
        known = self._book.entries.get(order.client_order_id)
        if known is not None and known.status != "rejected":
            if known.intent == order:
                return Accepted(client_order_id=order.client_order_id)
            return Rejected(
                client_order_id=order.client_order_id,
                reason="this client order id already stands for an order with other terms; derive a new one",
            )
        reason = self._objection(order)
        if reason:
            self._book.add(Entry(order, status="rejected", reason=reason))
            return Rejected(client_order_id=order.client_order_id, reason=reason)
        try:
            self._authorise(order, token)
        except PaperDeskError as error:
            # Not kept: whoever has no token must not be able to occupy an id.
            return Rejected(client_order_id=order.client_order_id, reason=str(error))
        self._place(order)
        return Accepted(client_order_id=order.client_order_id)

    def order(self, client_order_id: str) -> OrderState | None:
        """The state of one order, None if it never came or came without permission."""
        entry = self._book.entries.get(client_order_id)
        return entry.state() if entry else None

    def open_orders(self) -> list[OrderState]:
        """Orders for the next session, in order of submission; those that the broker forces are among them."""
        return [entry.state() for entry in self._book.open()]

    def waiting(self) -> tuple[OrderIntent, ...]:
        """The terms of the open orders, each with the quantity that is left of it."""
        return tuple(entry.intent.model_copy(update={"quantity": entry.unfilled}) for entry in self._book.open())

    def cancel(self, client_order_id: str) -> OrderState:
        """Cancel an open order; the state of one that has ended is returned as it is.

        Raises:
            BrokerError: no such order, or one that the broker forces.
        """
        entry = self._book.entries.get(client_order_id)
        if entry is None:
            raise BrokerError(f"there is no order {client_order_id} to cancel; list the open ones with open_orders()")
        if entry.cause != "order":
            raise BrokerError(f"the broker itself made order {client_order_id}: it cannot be cancelled; let it fill")
        if entry.status == "open":
            self._withdraw(entry)
            self._book.end(entry, "cancelled", "cancelled by the desk")
        return entry.state()

    def fills(self, since: int = 0) -> list[Fill]:
        """Executions in order of occurrence, from the `since`-th on."""
        return self._book.fills[since:]

    def _objection(self, order: OrderIntent) -> str:
        """Why the order cannot be taken; empty if it can."""
        if self._last_endings is not None:
            return "the simulation has ended; start a new one"
        if order.ticker not in self._feed:
            return f"{order.ticker} is not traded here; the universe is {', '.join(self._bars.tickers)}"
        if order.time_in_force == "gtc" and order.order_type.startswith("market"):
            return f"a {order.order_type} order is executed at once or never: send it as a day order"
        if not self._fractional and order.quantity != math.floor(order.quantity):
            return f"{order.quantity} is no whole number of shares, and the account trades whole ones only"
        return self._uncovered(order)

    def _uncovered(self, order: OrderIntent) -> str:
        """Why the positions do not let the order be taken; empty if they do."""
        held, sells = self._ledger.shares(self._feed[order.ticker]), order.side == "sell"
        if not (sells if self._margin is None else held and (held > 0) == sells):
            return f"there is no position in {order.ticker} that it could reduce" if order.reduces else ""
        free = abs(held) - self._book.promised(order.ticker, order.side)
        if order.quantity <= free + DUST / 2:
            return ""
        what = f"{max(0.0, free):g} shares of {order.ticker} are free to {order.side}"
        return f"{what}, and {'the account cannot go short' if self._margin is None else 'no order turns one around'}"

    def _place(self, order: OrderIntent, cause: FillCause = "order") -> None:
        data = self._feed[order.ticker]
        self._engine.at_hand(data)
        engine_order = self._ledger.place(self._engine.strategy, data, order, cause)
        self._book.add(Entry(order, engine_order, cause=cause))

    def _closed_at(self) -> datetime:
        closed = self._close_of(self.session)
        if closed.tzinfo is None:
            raise InputError(f"the closing time of {self.session} has no time zone; give it in UTC")
        return closed.astimezone(UTC)

    def _shorts(self) -> float:
        """What the short positions are worth at the close of the current session."""
        if self._margin is None:
            return 0.0
        report = self._report
        return -fsum(shares * report.prices[name] for name, shares in report.positions.items() if shares < 0)

    def _enforce(self, margin: Margin, report: StepReport) -> StepReport:
        """Order what has to be closed at the next open, and report it."""
        silent = {name: int(self._idle[self._row, self._bars.column(name)]) for name in report.positions}
        leaving = frozenset(entry.intent.ticker for entry in self._book.open() if entry.cause == "buy_in")
        recalled = recalls(margin, report.positions, silent, leaving)
        leaving |= {closure.ticker for closure in recalled}
        call, closures = margin_call(margin, report.equity, report.positions, report.prices, silent, leaving, self._lot)
        if not (call or recalled):
            return report
        forced = forced_orders((*recalled, *closures), report.prices, self._closed_at())
        for item in forced:
            self._place(item.order, item.cause)
        return replace(report, margin_call=call, forced=forced)

    def _withdraw(self, entry: Entry) -> None:
        self._ledger.cancel(entry.engine_order)

    def _cancel_over_splits(self, row: int) -> None:
        for entry in self._book.open():
            ratio = float(self._bars.split[row, self._bars.column(entry.intent.ticker)])
            if ratio != 1:
                self._withdraw(entry)
                reason = f"the shares were split {ratio:g} for 1 before the open; decide again in new shares"
                self._book.end(entry, "cancelled", reason)

    def _fill(self, order: Any, execution: Any) -> Fill:
        """A backtrader execution of an order as the protocol's `Fill`."""
        # backtrader's average over all executions of the order has the last digit that journals know.
        price = order.executed.price if len(order.executed.exbits) == 1 else execution.price
        return Fill(
            client_order_id=order.info.id,
            ticker=order.terms.ticker,
            side="buy" if order.isbuy() else "sell",
            quantity=abs(float(execution.size)),
            price=float(price),
            open_price=float(order.met.price),
            commission=float(execution.closedcomm + execution.openedcomm),
            session=self.session,
            cause=order.cause,
        )

    def _end_orders(self) -> None:
        """End what does not live on: a leftover of a day order would be added to what the next decision orders."""
        forced = {order.terms.ticker: order.cause for order, _ in self._ledger.trades if order.cause != "order"}
        for entry in self._book.open():
            order = entry.intent
            if self._closed[self._row, self._bars.column(order.ticker)]:
                continue
            shortfall = self._ledger.shortfalls[order.client_order_id]
            if order.time_in_force == "gtc" and not shortfall.final:
                if entry.cause != "order" or order.ticker not in forced:
                    continue
                cause = forced[order.ticker].replace("_", " ")
                shortfall = Shortfall(f"a {cause} closed the position in {order.ticker}")
            self._withdraw(entry)
            refused = shortfall.of_cash and not entry.filled
            self._book.end(entry, "rejected" if refused else "expired", shortfall.reason)

    def _close(self, actions: list[CorporateAction], fills_before: int) -> StepReport:
        """Value the account at the close of the current session."""
        shares = self._ledger.held()
        columns = sorted(self._column[data] for data in shares)
        names = [self._bars.tickers[i] for i in columns]
        sizes = [shares[self._feeds[i]] for i in columns]
        prices: list[float] = self._marks[self._row, columns].tolist()
        cash = float(self._ledger.cash)
        return StepReport(
            session=self.session,
            actions=tuple(actions),
            fills=tuple(self._book.fills[fills_before:]),
            ended=self._book.take_ended(),
            cash=cash,
            equity=cash + fsum(map(mul, sizes, prices)),
            positions=dict(zip(names, sizes, strict=True)),
            prices=dict(zip(names, prices, strict=True)),
            stale=tuple(names[k] for k in np.flatnonzero(self._idle[self._row, columns] >= STALE_AFTER)),
        )
