"""Rules about how often and in what pattern the desk trades: rates, throttles, wash trades, unclear orders."""

from datetime import timedelta

from ..broker.protocol import OrderIntent
from .context import RuleContext
from .findings import Finding, entry, passed, sanity, veto
from .policy import Policy


@entry
def in_flight_per_side(order: OrderIntent, context: RuleContext, policy: Policy) -> Finding | None:
    """Few orders at once in one name on one side; more would be layering (FINRA 5210, RTS 6 article 13)."""
    count = context.sums().orders.get((order.ticker, order.side), 0) + 1 - (order.replaces is not None)
    limit = policy.max_in_flight_per_side
    if count > limit:
        message = (
            f"{count - 1} orders to {order.side} {order.ticker} are in flight (limit {limit}): wait for them to end."
        )
        return veto("in_flight_per_side", message, count, limit)
    return passed("in_flight_per_side", count, limit)


@entry
def nothing_unclear(order: OrderIntent, context: RuleContext, policy: Policy) -> Finding | None:
    """No order waits for a clear answer of the broker: what was bought must be known before more is."""
    if context.unknown_orders:
        message = f"The broker gave no clear answer to {', '.join(context.unknown_orders)}: look them up first."
        return veto("nothing_unclear", message, len(context.unknown_orders), 0)
    return passed("nothing_unclear", 0, 0)


@entry
def message_rate(order: OrderIntent, context: RuleContext, policy: Policy) -> Finding | None:
    """At most so many orders a minute (RTS 6 article 15(1)(d))."""
    value, limit = context.activity.orders_last_minute + 1, policy.max_orders_per_minute
    if value > limit:
        message = f"{order.ticker} would be order {value} within a minute (limit {limit}): wait a minute."
        return veto("message_rate", message, value, limit)
    return passed("message_rate", value, limit)


@entry
def orders_a_day(order: OrderIntent, context: RuleContext, policy: Policy) -> Finding | None:
    """At most so many orders a day."""
    value, limit = context.activity.orders_today + 1, policy.max_orders_per_day
    if value > limit:
        return veto("orders_a_day", f"{order.ticker} would be order {value} today (limit {limit}).", value, limit)
    return passed("orders_a_day", value, limit)


@entry
def cancels_a_day(order: OrderIntent, context: RuleContext, policy: Policy) -> Finding | None:
    """No entries after so many cancellations in a day."""
    value, limit = context.activity.cancels_today, policy.max_cancels_per_day
    if value > limit:
        message = f"{value} orders were cancelled today (limit {limit}): look at why before going on."
        return veto("cancels_a_day", message, value, limit)
    return passed("cancels_a_day", value, limit)


@entry
def fills_a_day(order: OrderIntent, context: RuleContext, policy: Policy) -> Finding | None:
    """No entries after so many executions in a day."""
    value, limit = context.activity.fills_today, policy.max_fills_per_day
    if value >= limit:
        return veto("fills_a_day", f"There were {value} fills today (limit {limit}): go on tomorrow.", value, limit)
    return passed("fills_a_day", value, limit)


@entry
def unattended_fills(order: OrderIntent, context: RuleContext, policy: Policy) -> Finding | None:
    """After so many automated fills a person has to enable the desk again (RTS 6 article 15(3))."""
    value, limit = context.activity.unattended_fills, policy.max_unattended_fills
    if value >= limit:
        message = (
            f"{value} orders were filled since a person last looked (limit {limit}): have a person enable the desk."
        )
        return veto("unattended_fills", message, value, limit)
    return passed("unattended_fills", value, limit)


@entry
def loss_streak(order: OrderIntent, context: RuleContext, policy: Policy) -> Finding | None:
    """After so many positions closed at a loss in a row, entries pause for some sessions."""
    value, limit = context.activity.consecutive_losses, policy.max_consecutive_losses
    since, pause = context.activity.sessions_since_loss, policy.loss_pause_sessions
    if value >= limit and since is not None and since < pause:
        message = (
            f"{value} sales in a row were at a loss (limit {limit}): entries pause for {pause - since} more sessions."
        )
        return veto("loss_streak", message, value, limit)
    return passed("loss_streak", value, limit)


@entry
def wash_trade(order: OrderIntent, context: RuleContext, policy: Policy) -> Finding | None:
    """The name was not traded the other way a short while ago (FINRA 5210)."""
    since = context.now - timedelta(minutes=policy.wash_window_minutes)
    for sent in reversed(context.activity.recent):
        if sent.at <= since:
            break
        if sent.ticker == order.ticker and sent.side != order.side:
            message = (
                f"{order.ticker} was traded the other way at {sent.at.isoformat()}: wait, or it looks like a wash."
            )
            return veto("wash_trade", message)
    return passed("wash_trade")


@entry
def pattern_day_trading(order: OrderIntent, context: RuleContext, policy: Policy) -> Finding | None:
    """A small account makes few day trades in five sessions (FINRA 4210(f)(8))."""
    value, limit = context.activity.day_trades, policy.max_day_trades
    if context.equity < policy.day_trading_equity and value >= limit:
        message = (
            f"{value} day trades in five sessions with equity of {context.equity:,.0f} (limit {limit}): hold overnight."
        )
        return veto("pattern_day_trading", message, value, limit)
    return passed("pattern_day_trading", value, limit)


@sanity
def order_type(order: OrderIntent, context: RuleContext, policy: Policy) -> Finding | None:
    """The policy knows the kind of order."""
    if order.order_type not in policy.order_types:
        return veto(
            "order_type", f"The policy permits no {order.order_type} orders: use {', '.join(policy.order_types)}."
        )
    return passed("order_type")


CONDUCT = (
    order_type,
    in_flight_per_side,
    nothing_unclear,
    message_rate,
    orders_a_day,
    cancels_a_day,
    fills_a_day,
    unattended_fills,
    loss_streak,
    wash_trade,
    pattern_day_trading,
)
