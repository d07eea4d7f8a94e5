"""The open: reconcile, judge once more with what the venue knows now, write down, send, and watch until the close."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from time import perf_counter
from zoneinfo import ZoneInfo

from ...memory.journal import Journal
from ...memory.journal.events import OrderAnswered, OrderSent, OrderWithheld, RuleVerdict, VenueChecked
from ...tools.broker.guard import GuardedBroker, answer_of
from ...tools.broker.protocol import OrderIntent, Quote
from ...tools.broker.updates import UpdateFeed
from ...tools.clock import TradingCalendar
from ...tools.errors import BrokerError
from ...tools.rules import LiveFacts, RuleContext, RuleEngine, RuleReport
from ...tools.rules.stops import switch_state
from .clock import Clock
from .settings import TradeConfig
from .standing import STEPS, Standing

WAITS = frozenset({"connected", "quote", "latency", "self_test", "ledger_equals_broker"})
"""Rules whose veto may be gone a moment later."""
EARLY = timedelta(hours=1)
"""Before the open, from when on executions are looked at."""


@dataclass
class Trader:
    """What opening and closing work with."""

    config: TradeConfig
    journal: Journal
    broker: GuardedBroker
    rules: RuleEngine
    """With the rules that only a live venue can answer, and the kill switch."""
    clock: Clock
    calendar: Callable[[], TradingCalendar]
    tickers: tuple[str, ...]
    standing: Standing
    decision: Callable[[], int | None]
    """The number of the current decision."""
    beat: Callable[[str], None]
    """Told what the desk is doing, often."""
    context: RuleContext | None = None
    """What the rules looked at when the desk decided."""
    state_version: str = field(default="")
    """Of the account that the rules judged in last."""
    feed: UpdateFeed | None = None
    """What the venue pushes, where it pushes anything: a reason to ask it now, and never an answer."""
    trouble: str = ""
    """What was told of a feed that is not connected."""
    checked: object = None
    """What the venue was last seen to be like."""

    def record(self, event: VenueChecked | RuleVerdict | OrderSent | OrderAnswered | OrderWithheld) -> None:
        """Put a step on record, and take it in."""
        assert isinstance(event, STEPS)
        self.journal.append(event)
        self.standing.remember(event)

    def wait(self, moment: datetime, doing: str) -> None:
        """Sleep until a moment, alive."""
        self.clock.sleep_until(moment, lambda: self.beat(doing))

    def wait_for_news(self, moment: datetime, doing: str) -> None:
        """Sleep until a moment, or until the venue pushes news of orders."""
        wake = self.feed.wait if self.feed is not None else None
        self.clock.sleep_until(moment, lambda: self.beat(doing), wake)

    def tell_news(self) -> None:
        """Tell the executions that the venue has pushed, and once, where it does not push, why."""
        if self.feed is None:
            return
        if self.feed.live:
            self.trouble = ""
        elif self.feed.trouble not in ("", self.trouble):
            self.trouble = self.feed.trouble
            self.beat(f"{self.trouble}: the broker is asked in turn")
        for news in self.feed.take():
            if (made := news.execution) is not None and made.client_order_id in self.standing.sent:
                done = news.order.filled_quantity
                left = f" ({done:g} of {news.order.quantity:g})" if done < news.order.quantity else ""
                self.beat(f"filled: {made.side} {made.quantity:g} {made.ticker} at {made.price:,.4f}{left}")


def trade(trader: Trader, session: date) -> None:
    """Live through a session from before its open to its close, and send what is queued for it."""
    calendar, standing, config = trader.calendar(), trader.standing, trader.config
    opens, closes = calendar.open_of(session), calendar.close_of(session)
    trader.wait(min(opens + config.open_delay, closes), f"waiting for the open of {session}")
    deadline = min(opens + config.open_delay + timedelta(minutes=config.send_minutes), closes)
    while standing.to_send() or standing.unclear():
        settle_unclear(trader)
        late = trader.clock.now() >= deadline
        for order in standing.to_send():
            if config.dry_run:
                withhold(trader, order, "this is a dry run: it would have been sent")
            elif late:
                withhold(trader, order, f"it could not be sent at the open of {session}")
            else:
                send(trader, order, session, opens)
        if late or not (standing.to_send() or standing.unclear()):
            break
        trader.wait(min(trader.clock.now() + config.poll, deadline), f"trying to send at the open of {session}")
    watch(trader, session, closes)


def settle_unclear(trader: Trader) -> None:
    """Find out about orders that left without a clear answer; what never arrived may be sent again."""
    standing = trader.standing
    for key in standing.unclear():
        order = standing.sent[key]
        try:
            found = trader.broker.settle(key)
        except BrokerError:
            continue  # still unclear: nothing is concluded from silence
        if found is None and forgotten(trader, key):
            continue
        if found is None:
            answered(trader, order, "absent", "the venue never saw it")
        else:
            answer = answer_of(order, found)
            answered(trader, order, answer.status, getattr(answer, "reason", "") or "found by its id")


def forgotten(trader: Trader, key: str) -> bool:
    """Whether that an order is not found says nothing: its venue forgets what has ended, and has since it left."""
    name = trader.broker.capabilities.forgets_at_midnight
    if not name:
        return False
    zone = ZoneInfo(name)
    return trader.standing.sent_at[key].astimezone(zone).date() < trader.clock.now().astimezone(zone).date()


def send(trader: Trader, order: OrderIntent, session: date, opens: datetime) -> None:
    """Judge one order with what the venue says now, write it down, send it; or leave it for the next try."""
    try:
        report = judge(trader, order, session, opens)
    except BrokerError as error:
        trader.beat(f"the venue does not answer ({error})")
        return
    vetoes = [finding for finding in report.findings if finding.severity == "veto"]
    if report.order is None and vetoes and all(finding.rule in WAITS for finding in vetoes):
        trader.beat(f"waiting to send {order.ticker}: {vetoes[0].message}")
        return
    trader.record(
        RuleVerdict(
            decision=trader.decision(),
            ticker=order.ticker,
            verdict=report.verdict,
            order=order,
            report=report.model_dump(mode="json"),
        )
    )
    if report.order is None or report.token is None:
        withhold(trader, order, report.explain())
        return
    leaving = report.order
    trader.record(OrderSent(decision=trader.decision(), ticker=order.ticker, order=leaving, at=trader.clock.now()))
    trader.journal.mark()
    answer = trader.broker.submit(leaving, report.token)
    answered(trader, leaving, answer.status, getattr(answer, "reason", ""))


def judge(trader: Trader, order: OrderIntent, session: date, opens: datetime) -> RuleReport:
    """The rules' verdict at the venue, on our ledger and in the state of this moment."""
    standing, context = trader.standing, trader.context
    assert context is not None  # an order is queued by a decision, which had one
    started = perf_counter()
    venue = trader.broker.clock()
    latency = (perf_counter() - started) * 1000
    now = trader.clock.now()
    skew = (venue.at - now).total_seconds()
    theirs, cash = trader.broker.positions(), trader.broker.account().cash
    quotes = quoted(trader)
    shares = dict(standing.shares)
    for fill in trader.broker.fills(opens - EARLY):
        if fill.client_order_id in standing.sent:
            shares[fill.ticker] = shares.get(fill.ticker, 0.0) + (
                fill.quantity if fill.side == "buy" else -fill.quantity
            )
    standing_open = {row.client_order_id for row in trader.broker.open_orders()}
    sound = abs(skew) <= trader.config.max_clock_skew_seconds and venue.is_open
    now = max([now, *(quote.at for quote in quotes.values())]) if sound else now
    check = VenueChecked(
        decision=trader.decision(), session=session, at=now, skew_seconds=round(skew, 3), ledger=shares, venue=theirs
    )
    portfolio = standing.portfolio(now, cash, {name: n for name, n in shares.items() if abs(n) > 1e-9})
    trader.state_version = portfolio.version()
    seen = (session, shares, theirs, sound)
    if seen != trader.checked:  # the same again and again would only fill the journal
        trader.checked = seen
        trader.record(check)
    return trader.rules.judge(
        order,
        context.model_copy(
            update={
                "portfolio": portfolio,
                "activity": standing.activity.at(now),
                "live": LiveFacts(
                    connected=True,
                    latency_ms=latency,
                    self_test_at=now if sound else None,
                    minutes_to_close=(venue.next_close - venue.at).total_seconds() / 60,
                    quotes=quotes,
                    broker_positions=theirs,
                ),
                "in_flight": tuple(sent for key, sent in standing.sent.items() if key in standing_open),
                "unknown_orders": tuple(standing.unclear()),
                "known_client_ids": frozenset(standing.sent),
                "fractional": context.fractional and trader.broker.capabilities.fractional,
                "now": now,
            }
        ),
    )


def quoted(trader: Trader) -> dict[str, Quote]:
    """The best prices; none where the venue tells none. The rules let no entry pass without, and every exit."""
    try:
        return trader.broker.quotes(trader.tickers)
    except BrokerError as error:
        trader.beat(f"no prices are known ({error})")
        return {}


def watch(trader: Trader, session: date, closes: datetime) -> None:
    """Look after what was sent until it has ended or the session has; the kill switch cancels what is open.

    The venue is asked in turn, and at once where it pushes news. What it says when asked is what counts, so events that
    come twice, late or not at all do no harm.
    """
    standing = trader.standing
    while trader.clock.now() < closes and standing.sent:
        trader.tell_news()
        try:
            waiting = [row for row in trader.broker.open_orders() if row.client_order_id in standing.sent]
            switch = switch_state(trader.rules.policy.kill_switch)
            stopped = [row for row in waiting if switch == "full" or (switch == "reduce_only" and row.side == "buy")]
            for row in stopped:
                trader.broker.cancel(row.client_order_id)
            waiting = [row for row in waiting if row not in stopped]
        except BrokerError as error:
            trader.beat(f"the venue does not answer ({error})")
        else:
            settle_unclear(trader)
            if not waiting and not standing.unclear():
                break
        trader.wait_for_news(min(trader.clock.now() + trader.config.poll, closes), f"watching the orders of {session}")
    trader.tell_news()
    trader.wait(closes, f"waiting for the close of {session}")


def withhold(trader: Trader, order: OrderIntent, why: str) -> None:
    """An order will not be sent."""
    trader.record(
        OrderWithheld(
            decision=trader.decision(),
            ticker=order.ticker,
            client_order_id=order.client_order_id,
            quantity=order.quantity,
            reason=why,
        )
    )


def answered(trader: Trader, order: OrderIntent, status: str, reason: str) -> None:
    """What the venue said."""
    trader.record(
        OrderAnswered.model_validate(
            {
                "decision": trader.decision(),
                "ticker": order.ticker,
                "client_order_id": order.client_order_id,
                "status": status,
                "reason": reason,
            }
        )
    )
