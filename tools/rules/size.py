"""Rules about the size of one entry order."""

from ..broker.protocol import OrderIntent
from .context import RuleContext
from .findings import Finding, entry, fit, passed, veto
from .policy import Policy


@entry
def max_order_quantity(order: OrderIntent, context: RuleContext, policy: Policy) -> Finding | None:
    """At most so many shares (RTS 6 article 15(1)(c))."""
    limit = policy.max_order_quantity
    message = f"{order.quantity:g} {order.ticker} are more than the {limit:g} shares that one order may have."
    return fit("max_order_quantity", order.quantity, limit, value=order.quantity, limit=limit, message=message)


@entry
def max_order_notional(order: OrderIntent, context: RuleContext, policy: Policy) -> Finding | None:
    """At most so much of equity (RTS 6 article 15(1)(b))."""
    price, limit = context.price(order), policy.max_order_notional_fraction
    value = order.quantity * price / context.equity
    message = f"The order for {order.ticker} is {value:.1%} of equity (limit {limit:.1%})."
    room = limit * context.equity / price
    return fit("max_order_notional", order.quantity, room, value=value, limit=limit, message=message)


@entry
def min_order_notional(order: OrderIntent, context: RuleContext, policy: Policy) -> Finding | None:
    """Not so small that it is not worth its costs."""
    value, limit = order.quantity * context.price(order), policy.min_order_notional
    if value < limit:
        message = f"The order for {order.ticker} is worth {value:,.2f} (at least {limit:,.2f}): leave it out."
        return veto("min_order_notional", message, value, limit)
    return passed("min_order_notional", value, limit)


@entry
def adv_share(order: OrderIntent, context: RuleContext, policy: Policy) -> Finding | None:
    """A small part of the average daily volume, all buys of the name in flight included."""
    volume, limit = context.market[order.ticker].adv_shares, policy.max_adv_fraction
    if volume is None or volume == 0:
        return veto("adv_share", f"No average volume of {order.ticker} is known: wait for data.")
    flying = context.flying(order.ticker, "buy")
    value = (order.quantity + flying) / volume
    message = f"Buying {order.ticker} would take {value:.1%} of its average daily volume (limit {limit:.1%})."
    return fit("adv_share", order.quantity, limit * volume - flying, value=value, limit=limit, message=message)


SIZE = (max_order_quantity, max_order_notional, min_order_notional, adv_share)
