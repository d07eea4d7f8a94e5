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
    rule, book, sums = "ledger_complete", context.portfolio, context.sums()
    if sums.unpriced:
        names = ", ".join(sums.unpriced)
        return veto(rule, f"No price of the position in {names} is known: nothing is bought until it is.")
    difference = fsum((book.cash, sums.long_value, -sums.short_value, -book.equity))
    if book.equity <= 0 or abs(difference) > 1e-6 * max(1.0, book.equity):
        message = (
            f"Cash and positions differ from the equity of {book.equity:,.2f} by {difference:,.2f}: reconcile first."
        )
        return veto(rule, message, difference, 0.0)
    return passed(rule, difference, 0.0)


@entry
def position_weight(order: OrderIntent, context: RuleContext, policy: Policy) -> Finding | None:
    """Weight of the name; an order of the other side in flight is not credited."""
    price, limit = context.price(order), policy.max_position_weight
    before = context.exposure(order.ticker, order.side)
    value = (before + order.quantity * price) / context.equity
    return fit(
        "position_weight",
        order.quantity,
        (limit * context.equity - before) / price,
        value=value,
        limit=limit,
        message=lambda: f"{order.ticker} would be {value:.1%} of equity (limit {limit:.1%}).",
    )


@entry
def sector_weight(order: OrderIntent, context: RuleContext, policy: Policy) -> Finding | None:
    """Weight of all names of the sector, long and short ones added; names without a sector are one sector."""
    price, limit, sector = context.price(order), policy.max_sector_weight, context.sector(order.ticker)
    sums = context.sums()
    before = sums.sector_value.get(sector, 0.0) + sums.sector_entries.get(sector, 0.0)
    if policy.credit_in_flight_sells:
        before -= sums.sector_leaving.get(sector, 0.0)
    value = (before + order.quantity * price) / context.equity
    return fit(
        "sector_weight",
        order.quantity,
        (limit * context.equity - before) / price,
        value=value,
        limit=limit,
        message=lambda: f"The sector {sector} would be {value:.1%} of equity with {order.ticker} (limit {limit:.1%}).",
    )


@entry
def gross_exposure(order: OrderIntent, context: RuleContext, policy: Policy) -> Finding | None:
    """Total value of the positions, long and short ones added: the leverage."""
    price, limit = context.price(order), policy.max_gross
    before = _long(context, policy) + context.sums().short_value
    before += context.flying_value("buy") + context.sums().entry_value["sell"]
    value = (before + order.quantity * price) / context.equity
    return fit(
        "gross_exposure",
        order.quantity,
        (limit * context.equity - before) / price,
        value=value,
        limit=limit,
        message=lambda: f"Positions would be {value:.1%} of equity (limit {limit:.1%}).",
    )


@entry
def net_exposure(order: OrderIntent, context: RuleContext, policy: Policy) -> Finding | None:
    """Long less short positions, in either direction, with what is in flight on the order's side."""
    price, limit, sums = context.price(order), policy.max_net, context.sums()
    if order.side == "buy":
        before = _long(context, policy) - sums.short_value + context.flying_value("buy")
    else:
        before = sums.short_value - sums.long_value + context.flying_value("sell")
    value = (before + order.quantity * price) / context.equity
    return fit(
        "net_exposure",
        order.quantity,
        (limit * context.equity - before) / price,
        value=value,
        limit=limit,
        message=lambda: f"Long less short positions would be {value:.1%} of equity (limit {limit:.1%}).",
    )


@entry
def cash_floor(order: OrderIntent, context: RuleContext, policy: Policy) -> Finding | None:
    """Settled cash that stays after the order at its estimated cost; this is also the buying power."""
    if order.side == "sell":
        return None  # a short sale brings cash; gross and net limits bound it
    cost, limit = policy.cost_estimate_bps * BPS, policy.min_cash_weight
    per_share = context.price(order) * (1 + cost)
    # What short sales brought stays as collateral for as long as the shares are owed.
    cash = context.portfolio.cash - context.sums().short_value - context.flying_value("buy") * (1 + cost)
    if policy.settled_cash_only:
        cash -= context.unsettled_cash
    if policy.credit_in_flight_sells:
        cash += (context.flying_value("sell") - context.sums().entry_value["sell"]) * (1 - cost)
    value = (cash - order.quantity * per_share) / context.equity
    return fit(
        "cash_floor",
        order.quantity,
        (cash - limit * context.equity) / per_share,
        value=value,
        limit=limit,
        message=lambda: f"Buying {order.ticker} would leave {value:.1%} of equity in cash (at least {limit:.1%}).",
    )


@entry
def position_count(order: OrderIntent, context: RuleContext, policy: Policy) -> Finding | None:
    """Number of names held, those being entered included."""
    sums, positions, limit = context.sums(), context.portfolio.positions, policy.max_positions
    value = len(positions) + sum(name not in positions for name in sums.opening)
    if policy.credit_in_flight_sells:
        value -= len(sums.closing - sums.opening)
    leaving = policy.credit_in_flight_sells and order.ticker in sums.closing
    known = order.ticker in sums.opening or (order.ticker in positions and not leaving)
    value += not known
    if not known and value > limit:
        message = f"{order.ticker} would be position number {value} (limit {limit}): close another one first."
        return veto("position_count", message, value, limit)
    return passed("position_count", value, limit)


@entry
def turnover_budget(order: OrderIntent, context: RuleContext, policy: Policy) -> Finding | None:
    """Buys and sells of this decision together."""
    price, limit = max(context.price(order), order.reference_price), policy.max_turnover
    before = context.sums().turned
    value = (before + order.quantity * price) / context.equity
    return fit(
        "turnover_budget",
        order.quantity,
        (limit * context.equity - before) / price,
        value=value,
        limit=limit,
        message=lambda: f"The decision would turn over {value:.1%} of equity (limit {limit:.1%}).",
    )


@entry
def cost_budget(order: OrderIntent, context: RuleContext, policy: Policy) -> Finding | None:
    """Estimated costs of this decision's buys and sells together."""
    rate, limit = policy.cost_estimate_bps * BPS, policy.max_cost_fraction
    price = max(context.price(order), order.reference_price)
    before = context.sums().turned * rate
    value = (before + order.quantity * price * rate) / context.equity
    room = (limit * context.equity - before) / (price * rate) if rate else order.quantity
    return fit(
        "cost_budget",
        order.quantity,
        room,
        value=value,
        limit=limit,
        message=lambda: f"The decision would cost {value:.2%} of equity (limit {limit:.2%}).",
    )


def _long(context: RuleContext, policy: Policy) -> float:
    """Value of the long positions, less what is being sold of them where the policy credits that."""
    sums = context.sums()
    return sums.long_value - (sums.leaving_value if policy.credit_in_flight_sells else 0.0)


EXPOSURE = (
    ledger_complete,
    position_weight,
    sector_weight,
    gross_exposure,
    net_exposure,
    cash_floor,
    position_count,
    turnover_budget,
    cost_budget,
)
