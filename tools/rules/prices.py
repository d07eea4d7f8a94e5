"""Rules about prices and their age: nothing is decided on old, future or impossible figures."""

from datetime import timedelta

from ..broker.protocol import OrderIntent
from .context import RuleContext
from .findings import Finding, entry, passed, sanity, veto
from .policy import Policy


@sanity
def decided_in_the_past(order: OrderIntent, context: RuleContext, policy: Policy) -> Finding | None:
    """The decision is not from the future of the clock, which would mean that one of the two is wrong."""
    if order.decided_at > context.now:
        when = f"{order.decided_at.isoformat()} is after {context.now.isoformat()}"
        return veto("decided_in_the_past", f"The order's decision time {when}: check the clock.")
    return passed("decided_in_the_past")


@sanity
def clock_runs_forward(order: OrderIntent, context: RuleContext, policy: Policy) -> Finding | None:
    """The clock has not gone back behind the last order that was sent."""
    seen = context.activity.last_seen
    if seen is not None and context.now < seen:
        message = f"The clock says {context.now.isoformat()}, but it was {seen.isoformat()} before: check the clock."
        return veto("clock_runs_forward", message)
    return passed("clock_runs_forward")


@sanity
def order_age(order: OrderIntent, context: RuleContext, policy: Policy) -> Finding | None:
    """The decision is not old."""
    age, limit = (context.now - order.decided_at).total_seconds() / 60, policy.max_order_age_minutes
    if age > limit:
        message = f"The order for {order.ticker} was decided {age:,.0f} minutes ago (limit {limit}): decide again."
        return veto("order_age", message, age, limit)
    return passed("order_age", age, limit)


@sanity
def reference_fresh(order: OrderIntent, context: RuleContext, policy: Policy) -> Finding | None:
    """The last close is recent, in exchange sessions."""
    facts = context.market[order.ticker]
    age, limit = facts.age_sessions, policy.max_reference_age_sessions
    if age is None or age > limit:
        message = f"The last close of {order.ticker} is {age} sessions old (limit {limit}): wait for a fresh price."
        return veto("reference_fresh", message, age, limit)
    return passed("reference_fresh", age, limit)


@entry
def evidence_fresh(order: OrderIntent, context: RuleContext, policy: Policy) -> Finding | None:
    """There is evidence on the name, it is recent, and none of it is from the future."""
    newest, limit = context.market[order.ticker].newest_evidence_at, policy.max_evidence_age_days
    rule = "evidence_fresh"
    if newest is None:
        return veto(rule, f"No evidence on {order.ticker} is known: gather some before buying it.")
    if newest > context.now:
        return veto(rule, f"Evidence on {order.ticker} is of {newest.isoformat()}, after now: check the clock.")
    age = (context.now - newest) / timedelta(days=1)
    if age > limit:
        message = f"The newest evidence on {order.ticker} is {age:.0f} days old (limit {limit}): gather new evidence."
        return veto(rule, message, age, limit)
    return passed(rule, age, limit)


@sanity
def price_collar(order: OrderIntent, context: RuleContext, policy: Policy) -> Finding | None:
    """The reference price, a limit and the stop of an entry are near the last close (RTS 6 article 15(1)(a))."""
    close = context.market[order.ticker].last_close
    if close is None:
        return veto("price_collar", f"No last close of {order.ticker} is known: wait for data.")
    distance, limit, what = abs(order.reference_price / close - 1), policy.price_collar, "reference"
    stop = None if order.stop_price is None or context.is_exit(order) else order.stop_price
    for price, name in ((order.limit_price, "limit"), (stop, "stop")):
        if price is not None and abs(price / close - 1) > distance:
            distance, what = abs(price / close - 1), name
    if distance > limit:
        message = f"The {what} price of {order.ticker} is {distance:.1%} off its last close (limit {limit:.1%})."
        return veto("price_collar", message, distance, limit)
    return passed("price_collar", distance, limit)


@sanity
def on_tick(order: OrderIntent, context: RuleContext, policy: Policy) -> Finding | None:
    """A limit and a stop price are whole numbers of ticks."""
    prices = [price for price in (order.limit_price, order.stop_price) if price is not None]
    if not prices:
        return None
    tick = context.market[order.ticker].tick_size
    if tick is None:
        return veto("on_tick", f"The tick size of {order.ticker} is not known: send a market order, or wait for it.")
    for price in prices:
        off = abs(price / tick - round(price / tick)) * tick
        if off > 1e-6 * tick:
            message = f"The price {price:g} of {order.ticker} is no multiple of its tick of {tick:g}: round it."
            return veto("on_tick", message, price, tick)
    return passed("on_tick", prices[0], tick)


@entry
def edge(order: OrderIntent, context: RuleContext, policy: Policy) -> Finding | None:
    """What the desk expects of it after costs is enough, and not so much that the model must be wrong."""
    facts, least, most = context.market[order.ticker], policy.min_edge_bps, policy.max_edge_bps
    expected = facts.edge_bps
    if expected is None:
        return veto("edge", f"No expected return of {order.ticker} is known: have it forecast before buying it.")
    if order.side == "sell":  # short: what a purchase would earn before costs is lost, and costs are paid
        expected = -(expected + facts.cost_bps) - facts.cost_bps
    if expected < least:
        message = (
            f"{order.ticker} is expected to earn {expected:.1f} bp after costs (at least {least:g}): leave it out."
        )
        return veto("edge", message, expected, least)
    if expected > most:
        message = f"{order.ticker} is expected to earn {expected:.0f} bp (at most {most:g}): check the forecast."
        return veto("edge", message, expected, most)
    return passed("edge", expected, least)


@entry
def event_window(order: OrderIntent, context: RuleContext, policy: Policy) -> Finding | None:
    """No entries on days around an event that the policy names (earnings, a vote)."""
    today = context.now.date()
    for window in policy.event_windows:
        if window.ticker in (order.ticker, "*") and window.first <= today <= window.last:
            message = f"{order.ticker} is not bought from {window.first} to {window.last}: {window.why}."
            return veto("event_window", message)
    return passed("event_window")


PRICES = (
    decided_in_the_past,
    clock_runs_forward,
    order_age,
    reference_fresh,
    evidence_fresh,
    price_collar,
    on_tick,
    edge,
    event_window,
)
