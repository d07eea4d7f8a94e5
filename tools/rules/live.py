"""Rules about a live venue: its quotes, its connection, its hours, and whether it counts the same shares as we do.

In a simulation there is no venue and none of them applies. At a live one, what is not known blocks entries.
"""

from datetime import timedelta

from ..broker.protocol import OrderIntent
from .context import RuleContext
from .findings import Finding, entry, fit, passed, sanity, veto
from .policy import Policy


@entry
def quote(order: OrderIntent, context: RuleContext, policy: Policy) -> Finding | None:
    """There is a quote, it is fresh, not crossed, and its spread is not too wide."""
    if context.live is None:
        return None
    shown, limit = context.live.quotes.get(order.ticker), policy.max_spread_bps
    if shown is None:
        return veto("quote", f"No quote of {order.ticker} is known: wait for one.")
    age = (context.now - shown.at).total_seconds()
    if age < 0:
        return veto(
            "quote", f"The quote of {order.ticker} is from the future ({shown.at.isoformat()}): check the clock."
        )
    if age > policy.max_quote_age_seconds:
        message = f"The quote of {order.ticker} is {age:.0f} s old (limit {policy.max_quote_age_seconds:g}): wait."
        return veto("quote", message, age, policy.max_quote_age_seconds)
    spread = (shown.ask - shown.bid) / ((shown.ask + shown.bid) / 2) * 1e4
    if spread <= 0:
        return veto("quote", f"The quote of {order.ticker} is crossed or locked: wait until it is not.", spread, 0.0)
    if spread > limit:
        message = f"The spread of {order.ticker} is {spread:.0f} bp (limit {limit:g}): wait until it is narrower."
        return veto("quote", message, spread, limit)
    return passed("quote", spread, limit)


@entry
def shown_size(order: OrderIntent, context: RuleContext, policy: Policy) -> Finding | None:
    """Not many times what is shown at the best price."""
    if context.live is None:
        return None
    shown = context.live.quotes.get(order.ticker)
    if shown is None:
        return veto("shown_size", f"No quote of {order.ticker} is known: wait for one.")
    size = shown.ask_shares if order.side == "buy" else shown.bid_shares
    room = policy.max_shown_size_multiple * size
    return fit(
        "shown_size",
        order.quantity,
        room,
        value=order.quantity,
        limit=room,
        message=lambda: f"Only {size:g} {order.ticker} are shown: at most {room:g} at once.",
    )


@sanity
def connected(order: OrderIntent, context: RuleContext, policy: Policy) -> Finding | None:
    """The broker is connected; an order sent into the dark is an order in an unknown state."""
    if context.live is None:
        return None
    if context.live.connected is not True:
        return veto("connected", "The broker is not known to be connected: connect before sending anything.")
    return passed("connected")


@entry
def latency(order: OrderIntent, context: RuleContext, policy: Policy) -> Finding | None:
    """The broker answers fast enough for prices to mean something."""
    if context.live is None:
        return None
    value, limit = context.live.latency_ms, policy.max_latency_ms
    if value is None or value > limit:
        said = "is not known" if value is None else f"is {value:.0f} ms (limit {limit:g})"
        return veto("latency", f"The broker's latency {said}: wait until it answers faster.", value, limit)
    return passed("latency", value, limit)


@entry
def self_test(order: OrderIntent, context: RuleContext, policy: Policy) -> Finding | None:
    """The desk has found itself in order not long ago."""
    if context.live is None:
        return None
    at, limit = context.live.self_test_at, policy.max_self_test_age_minutes
    if at is None:
        return veto("self_test", "The desk has not tested itself: run the self-test.")
    age = (context.now - at) / timedelta(minutes=1)
    if age < 0 or age > limit:
        return veto("self_test", f"The last self-test is {age:.0f} minutes old (limit {limit}): repeat it.", age, limit)
    return passed("self_test", age, limit)


@entry
def marking_the_close(order: OrderIntent, context: RuleContext, policy: Policy) -> Finding | None:
    """No entries in the last minutes, where they would set the closing price (FINRA 5210, RTS 6 article 13)."""
    if context.live is None:
        return None
    left, limit = context.live.minutes_to_close, policy.no_entries_before_close_minutes
    if left is None:
        return veto("marking_the_close", "The time to the close is not known: wait until it is.")
    if 0 < left < limit:
        message = (
            f"The session closes in {left:.0f} minutes (no entries in the last {limit:g}): wait for the next open."
        )
        return veto("marking_the_close", message, left, limit)
    return passed("marking_the_close", left, limit)


@entry
def ledger_equals_broker(order: OrderIntent, context: RuleContext, policy: Policy) -> Finding | None:
    """The broker holds no more than our ledger says (that blocks) and no less (that warns)."""
    if context.live is None:
        return None
    rule, theirs = "ledger_equals_broker", context.live.broker_positions
    if theirs is None:
        return veto(rule, "The broker's positions are not known: ask for them and compare.")
    ours, limit = context.portfolio.positions, policy.ledger_tolerance_shares
    names = sorted({*ours, *theirs})
    over = [name for name in names if abs(theirs.get(name, 0.0)) > abs(ours.get(name, 0.0)) + limit]
    turned = [name for name in names if theirs.get(name, 0.0) * ours.get(name, 0.0) < 0]
    if over or turned:
        name = (over or turned)[0]
        value = theirs.get(name, 0.0) - ours.get(name, 0.0)
        message = (
            f"The broker holds {theirs.get(name, 0.0):g} {name}, the ledger {ours.get(name, 0.0):g}: reconcile first."
        )
        return veto(rule, message, value, limit)
    under = [name for name in names if abs(theirs.get(name, 0.0)) < abs(ours.get(name, 0.0)) - limit]
    if under:
        message = f"The broker holds less than the ledger of {', '.join(under)}: reconcile soon."
        return Finding(rule=rule, severity="warn", value=float(len(under)), limit=0.0, message=message)
    return passed(rule, 0.0, limit)


LIVE = (connected, quote, shown_size, latency, self_test, marking_the_close, ledger_equals_broker)
