"""Rules about the size of one entry order."""

from ..broker.protocol import OrderIntent
from .context import RuleContext
from .findings import Finding, entry, fit, passed, veto
from .policy import Policy


@entry
def max_order_quantity(order: OrderIntent, context: RuleContext, policy: Policy) -> Finding | None:
    """At most so many shares (RTS 6 article 15(1)(c))."""
    limit = policy.max_order_quantity
    return fit(
        "max_order_quantity",
        order.quantity,
        limit,
        value=order.quantity,
        limit=limit,
        message=lambda: (
            f"{order.quantity:g} {order.ticker} are more than the {limit:g} shares that one order may have."
        ),
    )


@entry
def max_order_notional(order: OrderIntent, context: RuleContext, policy: Policy) -> Finding | None:
    """At most so much of equity (RTS 6 article 15(1)(b))."""
    price, limit = context.price(order), policy.max_order_notional_fraction
    value = order.quantity * price / context.equity
    return fit(
        "max_order_notional",
        order.quantity,
        limit * context.equity / price,
        value=value,
        limit=limit,
        message=lambda: f"The order for {order.ticker} is {value:.1%} of equity (limit {limit:.1%}).",
    )


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
    """A small part of the average daily volume, all orders of the name in flight on its side included."""
    volume, limit = context.market[order.ticker].adv_shares, policy.max_adv_fraction
    if volume is None or volume == 0:
        return veto("adv_share", f"No average volume of {order.ticker} is known: wait for data.")
    flying = context.flying(order.ticker, order.side)
    value = (order.quantity + flying) / volume
    doing = "Buying" if order.side == "buy" else "Selling"
    return fit(
        "adv_share",
        order.quantity,
        limit * volume - flying,
        value=value,
        limit=limit,
        message=lambda: (
            f"{doing} {order.ticker} would take {value:.1%} of its average daily volume (limit {limit:.1%})."
        ),
    )


@entry
def trade_risk(order: OrderIntent, context: RuleContext, policy: Policy) -> Finding | None:
    """What the order alone can lose: down to its stop, or by the policy's adverse move where it has none."""
    price, limit = context.price(order), policy.max_trade_risk
    per_share = abs(price - order.stop_price) if order.stop_price is not None else price * policy.adverse_move
    value = order.quantity * per_share / context.equity
    room = limit * context.equity / per_share if per_share else order.quantity
    return fit(
        "trade_risk",
        order.quantity,
        room,
        value=value,
        limit=limit,
        message=lambda: f"{order.ticker} could lose {value:.2%} of equity by itself (limit {limit:.2%}).",
    )


SIZE = (max_order_quantity, max_order_notional, min_order_notional, adv_share, trade_risk)
