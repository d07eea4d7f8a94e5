"""The close: what became of every order, what the account holds, what the data say; then whether to decide."""

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field
from datetime import date, datetime, timedelta
from math import fsum
from typing import Any, Literal, TypeVar

from ...memory.journal.events import VenueReported
from ...tools.broker.protocol import Execution, Fill, OrderIntent, OrderState, PortfolioSnapshot
from ...tools.broker.report import CorporateAction, OrderEnd
from ...tools.clock import Frequency
from ...tools.errors import BrokerError, InputError
from ...tools.market.view import Market
from .days import last_moment
from .opening import EARLY, Trader, answered, forgotten
from .refreshing import refreshed
from .settings import TradeConfig
from .standing import Standing, TradingError

SHARES = 1e-6
"""Difference of shares that is rounding."""
PATIENCE = 20
"""How often executions are asked for again that do not add up to what their order says."""
MARGIN = timedelta(minutes=1)
"""Before the last moment, from when on a decision is too late."""
T = TypeVar("T")


@dataclass
class Data:
    """The market folder, opened again whenever it may have grown."""

    config: TradeConfig
    open: Callable[[], Market]
    market: Market = field(init=False)

    def __post_init__(self) -> None:
        self.market = self.open()

    def reaches(self, session: date) -> bool:
        """Whether there are prices of a session."""
        return self.market.dataset.bars.sessions[-1] >= session

    def renew(self, alive: Callable[[], None]) -> str:
        """Bring the folder up to date and open it again; `alive` is called now and then on the way.

        Returns:
            What went wrong, for a person; empty where nothing did. The market of before stays then.
        """
        if self.config.refresh and (trouble := refreshed(self.config.refresh, alive)):
            return trouble
        try:
            self.market = self.open()
        except InputError as error:
            return f"the market folder cannot be opened ({error})"
        return ""


def report_session(trader: Trader, data: Data, session: date, owed: bool) -> VenueReported:
    """What the venue and the data say of a session that has closed; asked until there is an answer."""
    standing = trader.standing
    calendar = trader.calendar()
    opens, closes = calendar.open_of(session), calendar.close_of(session)
    latest = last_moment(calendar, session, trader.config) - MARGIN
    states = {key: ended_state(trader, key) for key in list(standing.sent)}
    lost = [key for key, state in states.items() if state is None and forgotten(trader, key)]
    for key in [key for key, state in states.items() if state is None and key not in lost]:
        answered(trader, standing.sent[key], "absent", "the venue never saw it")
    known = {key: state for key, state in states.items() if state is not None}
    executions, notes = executions_of(trader, known, opens)
    notes += [not_known(standing.sent[key]) for key in lost]
    wait_for_data(trader, data, session, closes, latest, notes)
    actions = splits_of(data, standing, session)
    shares = after_actions(standing.shares, actions)
    for made in executions:
        shares[made.ticker] = shares.get(made.ticker, 0.0) + (made.quantity if made.side == "buy" else -made.quantity)
    account = insist(trader, trader.broker.account, "reading the account")
    shares = {name: held for name, held in shares.items() if abs(held) > SHARES}
    shares, more = reconciled(shares, account, trader.tickers, trader.config.adopt)
    notes += more
    late = not data.reaches(session) or trader.clock.now() >= latest
    due = owed or is_due(trader.calendar(), session, trader.config.session.frequency)
    last = trader.config.until is not None and session >= trader.config.until
    decide = due and not late and not last
    if due and not decide and not last:
        notes.append("a decision was due and could not be taken in time: it is taken at the next close")
    prices = closes_of(data, trader.tickers, closes, account)
    return VenueReported(
        decision=trader.decision(),
        session=session,
        at=trader.clock.now(),
        cash=account.cash,
        positions=shares,
        venue=account.positions,
        prices=prices,
        actions=[row | {"session": session.isoformat()} for row in map(asdict, actions)],
        fills=[fill_of(made, session, data) for made in executions],
        ended=[asdict(row) for row in endings(standing, known, lost)],
        market=data.market.fingerprint,
        decide=decide,
        owed=due and not decide,
        notes=notes,
    )


def first_report(trader: Trader, data: Data) -> VenueReported:
    """Where the desk begins: the account as it is, which must be one that only this desk uses.

    Raises:
        TradingError: it holds other names than the desk's, or orders that somebody else sent.
    """
    session = trader.calendar().last_closed(trader.clock.now())
    account = insist(trader, trader.broker.account, "reading the account")
    foreign = sorted(set(account.positions) - set(trader.tickers))
    if foreign:
        raise TradingError(
            f"The account holds {', '.join(foreign)}, which this desk does not trade: use an account of its own, "
            "or add the names to the market."
        )
    if waiting := insist(trader, trader.broker.open_orders, "reading the open orders"):
        raise TradingError(
            f"The account has {len(waiting)} open orders that this desk did not send, the first for "
            f"{waiting[0].ticker}: cancel them first."
        )
    trader.standing.shares = dict(account.positions)
    return report_session(trader, data, session, owed=True)


def insist(trader: Trader, ask: Callable[[], T], doing: str) -> T:
    """Ask the venue until it answers: what is not known is never guessed."""
    while True:
        try:
            return ask()
        except BrokerError as error:
            trader.wait(trader.clock.now() + trader.config.poll, f"{doing}: {error}")


def ended_state(trader: Trader, key: str) -> OrderState | None:
    """The last state of an order of this session; what is left of it is cancelled. None: the venue never saw it."""
    while True:
        state = insist(trader, lambda: trader.broker.order(key), f"looking up order {key}")
        if state is None or state.status not in ("open", "partially_filled"):
            return state
        doing, pause = f"cancelling what is left of order {key}", timedelta(seconds=1)
        try:
            trader.broker.cancel(key)
        except BrokerError as error:  # it may have ended by now: it is looked up again
            doing, pause = f"{doing}: {error}", trader.config.poll
        trader.wait(trader.clock.now() + pause, doing)


def executions_of(trader: Trader, states: dict[str, OrderState], opens: datetime) -> tuple[list[Execution], list[str]]:
    """The executions of these orders, once they add up to what the orders say was filled."""
    wanted = {key: state.filled_quantity for key, state in states.items()}
    if not wanted:
        return [], []
    for _ in range(PATIENCE):
        told = insist(trader, lambda: trader.broker.fills(opens - EARLY), "reading the executions")
        mine = list({made.execution_id: made for made in told if made.client_order_id in wanted}.values())
        sums = {key: fsum(made.quantity for made in mine if made.client_order_id == key) for key in wanted}
        if all(abs(sums[key] - filled) <= SHARES for key, filled in wanted.items()):
            return mine, []
        trader.wait(trader.clock.now() + trader.config.poll, "waiting for executions that were not told yet")
    off = next(key for key, filled in wanted.items() if abs(sums[key] - filled) > SHARES)
    return mine, [f"the executions of order {off} add up to {sums[off]:g}, its state says {wanted[off]:g}: look it up"]


def wait_for_data(
    trader: Trader, data: Data, session: date, closes: datetime, latest: datetime, notes: list[str]
) -> None:
    """Wait until the folder holds the session, or it is too late for a decision."""
    trader.wait(closes + timedelta(minutes=trader.config.data_delay_minutes), f"waiting for the data of {session}")

    def alive() -> None:
        trader.beat(f"refreshing the data of {session}")

    trouble = data.renew(alive)
    while not data.reaches(session) and trader.clock.now() < latest:
        doing = f"waiting for the data of {session}" + (f": {trouble}" if trouble else "")
        trader.wait(min(trader.clock.now() + 10 * trader.config.poll, latest), doing)
        trouble = data.renew(alive)
    if not data.reaches(session):
        notes.append(f"the market folder has no prices of {session}" + (f": {trouble}" if trouble else ""))


def splits_of(data: Data, standing: Standing, session: date) -> list[CorporateAction]:
    """Splits of what was held, as the data tell them. Dividends are in the venue's cash."""
    bars = data.market.dataset.bars
    if session not in bars.sessions:
        return []
    row = bars.sessions.index(session)
    found = []
    for ticker, held in standing.shares.items():
        ratio = float(bars.split[row, bars.column(ticker)])
        if ratio != 1:
            found.append(CorporateAction(session, ticker, "split", ratio, held))
    return found


def after_actions(shares: dict[str, float], actions: Sequence[CorporateAction]) -> dict[str, float]:
    """The ledger after splits."""
    ratios = {action.ticker: action.amount for action in actions}
    return {ticker: held * ratios.get(ticker, 1.0) for ticker, held in shares.items()}


def reconciled(
    ours: dict[str, float], account: PortfolioSnapshot, tickers: Sequence[str], adopt: bool
) -> tuple[dict[str, float], list[str]]:
    """Our ledger beside the venue's count: differences are told; only a person's word makes one of the other.

    A name that the desk does not trade is told too, and never becomes part of its ledger.
    """
    theirs = {name: held for name, held in account.positions.items() if name in tickers}
    told = [
        f"{name}: the venue holds {account.positions.get(name, 0.0):g}, our ledger {ours.get(name, 0.0):g}"
        for name in sorted({*ours, *account.positions})
        if abs(account.positions.get(name, 0.0) - ours.get(name, 0.0)) > SHARES
    ]
    if told and adopt:
        return theirs, [*told, "the venue's count was adopted, as asked"]
    return ours, told


def is_due(calendar: Any, session: date, frequency: Frequency) -> bool:
    """Whether a session is the last of its period."""
    return session in calendar.decision_sessions((calendar.previous_session(session), session), frequency)[1:]


def closes_of(data: Data, tickers: Sequence[str], closes: datetime, account: PortfolioSnapshot) -> dict[str, float]:
    """Last known close of every name; of a session without data the last one before it."""
    last = data.market.dataset.bars.sessions[-1]
    view = data.market.view(min(closes, data.market.calendar.close_of(last)))
    found = {}
    for ticker in tickers:
        try:
            found[ticker] = view.close(ticker)
        except InputError:  # it has not traded yet
            if ticker in account.prices:
                found[ticker] = account.prices[ticker]
    return found


def fill_of(made: Execution, session: date, data: Data) -> Fill:
    """An execution as the journal's `Fill`; its open is the market's where the data have it."""
    bars = data.market.dataset.bars
    opened = made.price
    if session in bars.sessions:
        told = float(bars.open[bars.sessions.index(session), bars.column(made.ticker)])
        opened = told if told == told else made.price
    return Fill(
        client_order_id=made.client_order_id,
        ticker=made.ticker,
        side=made.side,
        quantity=made.quantity,
        price=made.price,
        open_price=opened,
        commission=made.commission,
        session=session,
    )


def endings(standing: Standing, states: dict[str, OrderState], lost: Sequence[str]) -> list[OrderEnd]:
    """Every order of the session that was not filled in full as far as is known, and why."""
    found = []
    for order in standing.queue:
        key = order.client_order_id
        if key in standing.withheld:
            found.append(OrderEnd(key, order.ticker, "expired", order.quantity, standing.withheld[key]))
        elif key in lost:
            found.append(OrderEnd(key, order.ticker, "expired", order.quantity, "what became of it is not known"))
        elif key not in states:
            found.append(OrderEnd(key, order.ticker, "expired", order.quantity, "the venue never saw it"))
        elif (rest := unfilled(order, states[key])) > SHARES:
            status = states[key].status
            ended: Literal["cancelled", "rejected", "expired"] = (
                status if status in ("cancelled", "rejected") else "expired"
            )
            found.append(OrderEnd(key, order.ticker, ended, rest, states[key].reason or "the day is over"))
    return found


def not_known(order: OrderIntent) -> str:
    """What a person is told of an order that its venue has forgotten."""
    return (
        f"what became of order {order.client_order_id} ({order.side} {order.quantity:g} {order.ticker}) is not known, "
        "because the venue forgets at midnight: look it up there; --adopt takes its count over"
    )


def unfilled(order: OrderIntent, state: OrderState) -> float:
    """Shares of an order that did not trade, of as many as were sent."""
    return min(order.quantity, state.quantity) - state.filled_quantity
