"""Rules for every order, exits included: well formed, based on known and fresh data, not sent before, covered."""

import math

from pydantic import ValidationError

from ..broker.protocol import OrderIntent
from .context import RuleContext
from .findings import Finding, fit, passed, sanity, veto
from .policy import Policy


@sanity
def well_formed(order: OrderIntent, context: RuleContext, policy: Policy) -> Finding | None:
    """All fields present, of their type, finite and positive; also for an order that was built past its validation."""
    rule = "well_formed"
    try:
        OrderIntent.model_validate(dict(order.__dict__), strict=True)
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(str(part) for part in first["loc"])
        return veto(rule, f"The order is malformed at {place} ({first['msg']}): rebuild it.")
    if not math.isfinite(order.notional):
        return veto(rule, "The order's notional is not a finite number: check quantity and reference price.")
    if order.reduces and order.side == "buy":
        return veto(rule, f"The buy of {order.ticker} claims to reduce a position: there are no short positions here.")
    return passed(rule)


@sanity
def known_instrument(order: OrderIntent, context: RuleContext, policy: Policy) -> Finding | None:
    """The market knows the instrument, its last close and when that was: missing data blocks."""
    rule = "known_instrument"
    facts = context.market.get(order.ticker)
    if facts is None:
        return veto(rule, f"{order.ticker} is unknown to the market: trade only instruments of the data set.")
    if facts.last_close is None or facts.last_session is None or facts.age_sessions is None:
        return veto(rule, f"No last close of {order.ticker} is known: wait for data.")
    return passed(rule)


@sanity
def tradable(order: OrderIntent, context: RuleContext, policy: Policy) -> Finding | None:
    """The instrument is expected to trade at the next open."""
    if not context.market[order.ticker].tradable:
        return veto("tradable", f"{order.ticker} does not trade now (halted or delisted): wait until it does.")
    return passed("tradable")


@sanity
def decided_in_the_past(order: OrderIntent, context: RuleContext, policy: Policy) -> Finding | None:
    """The decision is not from the future of the clock, which would mean that one of the two is wrong."""
    if order.decided_at > context.now:
        when = f"{order.decided_at.isoformat()} is after {context.now.isoformat()}"
        return veto("decided_in_the_past", f"The order's decision time {when}: check the clock.")
    return passed("decided_in_the_past")


@sanity
def reference_fresh(order: OrderIntent, context: RuleContext, policy: Policy) -> Finding | None:
    """The last close is recent, in exchange sessions."""
    facts = context.market[order.ticker]
    age, limit = facts.age_sessions, policy.max_reference_age_sessions
    if age is None or age > limit:
        message = f"The last close of {order.ticker} is {age} sessions old (limit {limit}): wait for a fresh price."
        return veto("reference_fresh", message, age, limit)
    return passed("reference_fresh", age, limit)


@sanity
def price_collar(order: OrderIntent, context: RuleContext, policy: Policy) -> Finding | None:
    """The reference price is near the last close (RTS 6 article 15(1)(a))."""
    close = context.market[order.ticker].last_close
    if close is None:
        return veto("price_collar", f"No last close of {order.ticker} is known: wait for data.")
    distance, limit = abs(order.reference_price / close - 1), policy.price_collar
    if distance > limit:
        message = f"The reference price of {order.ticker} is {distance:.1%} off its last close (limit {limit:.1%})."
        return veto("price_collar", message, distance, limit)
    return passed("price_collar", distance, limit)


@sanity
def new_client_id(order: OrderIntent, context: RuleContext, policy: Policy) -> Finding | None:
    """A client order id goes out at most once (SEC 15c3-5 on duplicates)."""
    used = context.known_client_ids | {other.client_order_id for other in context.in_flight}
    if order.client_order_id in used:
        message = f"The order id {order.client_order_id} was sent before: look the order up instead of repeating it."
        return veto("new_client_id", message)
    return passed("new_client_id")


@sanity
def new_terms(order: OrderIntent, context: RuleContext, policy: Policy) -> Finding | None:
    """No order in flight has the very same terms under another id."""
    terms = (order.ticker, order.side, order.quantity, order.reference_price)
    if terms in {(other.ticker, other.side, other.quantity, other.reference_price) for other in context.in_flight}:
        message = f"An order to {order.side} {order.quantity:g} {order.ticker} is in flight already: merge the two."
        return veto("new_terms", message)
    return passed("new_terms")


@sanity
def lot_size(order: OrderIntent, context: RuleContext, policy: Policy) -> Finding | None:
    """Whole shares, unless the broker can hold parts of them."""
    if context.fractional:
        return None
    whole = math.floor(order.quantity + 1e-9)
    message = f"This broker takes whole shares only, not {order.quantity:g} {order.ticker}."
    return fit("lot_size", order.quantity, float(whole), value=order.quantity, limit=float(whole), message=message)


@sanity
def holdings(order: OrderIntent, context: RuleContext, policy: Policy) -> Finding | None:
    """A sell is covered by shares held and not being sold already."""
    if order.side == "buy":
        return None
    room = context.available(order.ticker)
    message = f"Only {max(room, 0):g} {order.ticker} can be sold: no short positions."
    return fit("holdings", order.quantity, room, value=order.quantity, limit=room, message=message)


GATES = (well_formed, known_instrument)
"""Checked first and one after the other: no other rule can be asked about an order that fails them."""
SANITY = (
    tradable,
    decided_in_the_past,
    reference_fresh,
    price_collar,
    new_client_id,
    new_terms,
    lot_size,
    holdings,
)
