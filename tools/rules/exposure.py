"""Rules about the portfolio as it would be after an entry order and everything in flight.

Weights are of the equity at the decision. Positions count at their last known close, orders at `context.price`.
"""

from math import fsum

from ..broker.protocol import OrderIntent
from .context import RuleContext
from .findings import Finding, entry, fit, passed, veto
from .policy import Policy

BPS = 1e-4


@entry
def ledger_complete(order: OrderIntent, context: RuleContext, policy: Policy) -> Finding | None:
    """Every position has a price, equity is positive and equals cash plus positions: else no weight means anything."""
    rule, book = "ledger_complete", context.portfolio
    unpriced = sorted(name for name in book.positions if name not in book.prices)
    if unpriced:
        return veto(rule, f"No price of the position in {', '.join(unpriced)} is known: nothing is bought until it is.")
    difference = book.cash + fsum(context.worth(name) for name in book.positions) - book.equity
    if book.equity <= 0 or abs(difference) > 1e-6 * max(1.0, book.equity):
        message = (
            f"Cash and positions differ from the equity of {book.equity:,.2f} by {difference:,.2f}: reconcile first."
        )
        return veto(rule, message, difference, 0.0)
    return passed(rule, difference, 0.0)


@entry
def position_weight(order: OrderIntent, context: RuleContext, policy: Policy) -> Finding | None:
    """Weight of the name; a sell of the same name in flight is not credited."""
    price, limit = context.price(order), policy.max_position_weight
    before = context.exposure(order.ticker)
    value = (before + order.quantity * price) / context.equity
    message = f"{order.ticker} would be {value:.1%} of equity (limit {limit:.1%})."
    room = (limit * context.equity - before) / price
    return fit("position_weight", order.quantity, room, value=value, limit=limit, message=message)


@entry
def gross_exposure(order: OrderIntent, context: RuleContext, policy: Policy) -> Finding | None:
    """Total value of the positions."""
    price, limit = context.price(order), policy.max_gross
    held = fsum(
        _remaining(name, context, policy) * context.portfolio.prices[name] for name in context.portfolio.positions
    )
    before = held + context.flying_value("buy")
    value = (before + order.quantity * price) / context.equity
    message = f"Positions would be {value:.1%} of equity (limit {limit:.1%})."
    room = (limit * context.equity - before) / price
    return fit("gross_exposure", order.quantity, room, value=value, limit=limit, message=message)


@entry
def cash_floor(order: OrderIntent, context: RuleContext, policy: Policy) -> Finding | None:
    """Cash that stays after the order at its estimated cost; this is also the buying power."""
    cost, limit = policy.cost_estimate_bps * BPS, policy.min_cash_weight
    per_share = context.price(order) * (1 + cost)
    cash = context.portfolio.cash - context.flying_value("buy") * (1 + cost)
    if policy.credit_in_flight_sells:
        cash += context.flying_value("sell") * (1 - cost)
    value = (cash - order.quantity * per_share) / context.equity
    message = f"Buying {order.ticker} would leave {value:.1%} of equity in cash (at least {limit:.1%})."
    room = (cash - limit * context.equity) / per_share
    return fit("cash_floor", order.quantity, room, value=value, limit=limit, message=message)


@entry
def position_count(order: OrderIntent, context: RuleContext, policy: Policy) -> Finding | None:
    """Number of names held, those being bought included."""
    names = {name for name in context.portfolio.positions if _remaining(name, context, policy) > 0}
    names |= {other.ticker for other in context.in_flight if other.side == "buy"}
    value, limit = len(names | {order.ticker}), policy.max_positions
    if order.ticker not in names and value > limit:
        message = f"{order.ticker} would be position number {value} (limit {limit}): close another one first."
        return veto("position_count", message, value, limit)
    return passed("position_count", value, limit)


@entry
def turnover_budget(order: OrderIntent, context: RuleContext, policy: Policy) -> Finding | None:
    """Buys and sells of this decision together."""
    price, limit = context.price(order), policy.max_turnover
    before = context.flying_value("buy") + context.flying_value("sell")
    value = (before + order.quantity * price) / context.equity
    message = f"The decision would turn over {value:.1%} of equity (limit {limit:.1%})."
    room = (limit * context.equity - before) / price
    return fit("turnover_budget", order.quantity, room, value=value, limit=limit, message=message)


def _remaining(name: str, context: RuleContext, policy: Policy) -> float:
    """Shares of a position that count: less those being sold, where the policy credits that."""
    return max(context.available(name), 0.0) if policy.credit_in_flight_sells else context.held(name)


EXPOSURE = (ledger_complete, position_weight, gross_exposure, cash_floor, position_count, turnover_budget)
