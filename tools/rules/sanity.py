"""Rules for every order, exits included: well formed, in a known instrument, covered, sent once."""

import math
from datetime import timedelta

from ..broker.protocol import OrderIntent, malformed
from .context import RuleContext
from .findings import Finding, fit, passed, sanity, veto
from .policy import Policy
from .sums import terms_of


@sanity
def well_formed(order: OrderIntent, context: RuleContext, policy: Policy) -> Finding | None:
    """All fields present, of their type, finite and positive; also for an order that was built past its validation."""
    rule = "well_formed"
    wrong = malformed(order)
    if wrong:
        return veto(rule, wrong)
    if order.reduces and not context.is_exit(order):
        held = context.held(order.ticker)
        message = f"The {order.side} of {order.ticker} claims to reduce a position, but {held:g} are held: rebuild it."
        return veto(rule, message)
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
def currency(order: OrderIntent, context: RuleContext, policy: Policy) -> Finding | None:
    """The instrument is quoted in the account's currency: no limit means anything in another."""
    quoted = context.market[order.ticker].currency
    if quoted != context.currency:
        what = "no known currency" if quoted is None else quoted
        return veto(
            "currency", f"{order.ticker} is quoted in {what}, the account is in {context.currency}: leave it out."
        )
    return passed("currency")


@sanity
def tradable(order: OrderIntent, context: RuleContext, policy: Policy) -> Finding | None:
    """The instrument is expected to trade at the next open."""
    if not context.market[order.ticker].tradable:
        return veto("tradable", f"{order.ticker} does not trade now (halted or delisted): wait until it does.")
    return passed("tradable")


@sanity
def new_client_id(order: OrderIntent, context: RuleContext, policy: Policy) -> Finding | None:
    """A client order id goes out at most once (SEC 15c3-5 on duplicates)."""
    if order.client_order_id in context.known_client_ids or order.client_order_id in context.sums().ids:
        message = f"The order id {order.client_order_id} was sent before: look the order up instead of repeating it."
        return veto("new_client_id", message)
    return passed("new_client_id")


@sanity
def new_terms(order: OrderIntent, context: RuleContext, policy: Policy) -> Finding | None:
    """No order in flight has the very same terms under another id."""
    if terms_of(order) in context.sums().terms:
        message = f"An order to {order.side} {order.quantity:g} {order.ticker} is in flight already: merge the two."
        return veto("new_terms", message)
    return passed("new_terms")


@sanity
def repeated_terms(order: OrderIntent, context: RuleContext, policy: Policy) -> Finding | None:
    """The very same terms were not sent a short while ago."""
    since = context.now - timedelta(minutes=policy.duplicate_window_minutes)
    for sent in reversed(context.activity.recent):
        if sent.at < since:
            break
        same = sent.ticker == order.ticker and sent.side == order.side and sent.quantity == order.quantity
        if same and sent.price == order.reference_price:
            message = f"The same order for {order.ticker} was sent at {sent.at.isoformat()}: look that one up."
            return veto("repeated_terms", message)
    return passed("repeated_terms")


@sanity
def lot_size(order: OrderIntent, context: RuleContext, policy: Policy) -> Finding | None:
    """Whole shares, unless the broker can hold parts of them."""
    if context.fractional:
        return None
    whole = math.floor(order.quantity + 1e-9)
    return fit(
        "lot_size",
        order.quantity,
        float(whole),
        value=order.quantity,
        limit=float(whole),
        message=lambda: f"This broker takes whole shares only, not {order.quantity:g} {order.ticker}.",
    )


@sanity
def holdings(order: OrderIntent, context: RuleContext, policy: Policy) -> Finding | None:
    """An exit is covered by shares held and not on their way out already; no order turns a position around."""
    if not context.is_exit(order):
        return None  # it opens or grows a position: `may_open` and the entry limits decide
    room = context.available(order.ticker)
    verb = "sold" if order.side == "sell" else "bought back"
    return fit(
        "holdings",
        order.quantity,
        room,
        value=order.quantity,
        limit=room,
        message=lambda: f"Only {max(room, 0):g} {order.ticker} can be {verb}: an order never goes beyond the position.",
    )


@sanity
def self_trade(order: OrderIntent, context: RuleContext, policy: Policy) -> Finding | None:
    """It does not meet an order of our own on the other side of the same name (FINRA 5210)."""
    other = "sell" if order.side == "buy" else "buy"
    count = context.sums().orders.get((order.ticker, other), 0)
    if count:
        message = f"An order to {other} {order.ticker} is in flight: cancel it before you {order.side}."
        return veto("self_trade", message, count, 0)
    return passed("self_trade", 0, 0)


@sanity
def protective_stop(order: OrderIntent, context: RuleContext, policy: Policy) -> Finding | None:
    """A protective stop is replaced only by one that protects as many shares at a price as near or nearer."""
    if order.replaces is None:
        return None
    old = next((other for other in context.in_flight if other.client_order_id == order.replaces), None)
    rule = "protective_stop"
    if old is None:
        return veto(rule, f"There is no order {order.replaces} in flight to replace: look it up.")
    if not old.protects:
        return passed(rule)
    # With a limit a stop may fail to close the position.
    weaker = not order.protects or (old.order_type == "stop" and order.order_type != "stop")
    if old.ticker != order.ticker or old.side != order.side or weaker or order.quantity < old.quantity:
        return veto(
            rule, f"The stop {order.replaces} protects {old.quantity:g} {old.ticker}: only a person removes it."
        )
    assert old.stop_price is not None
    assert order.stop_price is not None
    wider = order.stop_price < old.stop_price if order.side == "sell" else order.stop_price > old.stop_price
    if wider:
        message = f"The stop of {old.ticker} at {old.stop_price:g} would be widened: only a person may do that."
        return veto(rule, message, order.stop_price, old.stop_price)
    return passed(rule, order.stop_price, old.stop_price)


GATES = (well_formed, known_instrument)
"""Checked first and one after the other: no other rule can be asked about an order that fails them."""
SANITY = (
    currency,
    tradable,
    new_client_id,
    new_terms,
    repeated_terms,
    lot_size,
    holdings,
    self_trade,
    protective_stop,
)
