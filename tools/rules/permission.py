"""Rules about who may be traded, and in which direction."""

from ..broker.protocol import OrderIntent
from .context import RuleContext
from .findings import Finding, entry, fit, passed, sanity, veto
from .policy import Policy


@sanity
def restricted_list(order: OrderIntent, context: RuleContext, policy: Policy) -> Finding | None:
    """Names on the restricted list are never traded, in either direction."""
    if order.ticker in policy.restricted:
        return veto("restricted_list", f"{order.ticker} is on the restricted list: it is never traded.")
    return passed("restricted_list")


@sanity
def watch_list(order: OrderIntent, context: RuleContext, policy: Policy) -> Finding | None:
    """Names on the watch list are traded with a warning."""
    if order.ticker not in policy.watch:
        return None
    return Finding(rule="watch_list", severity="warn", message=f"{order.ticker} is on the watch list.")


@entry
def allowed_list(order: OrderIntent, context: RuleContext, policy: Policy) -> Finding | None:
    """Where there is an allow-list, only its names are bought."""
    if policy.allowed is None:
        return None
    if order.ticker not in policy.allowed:
        return veto("allowed_list", f"{order.ticker} is not on the policy's allow-list: it may only be sold.")
    return passed("allowed_list")


@entry
def may_open(order: OrderIntent, context: RuleContext, policy: Policy) -> Finding | None:
    """The policy lets positions be opened in this asset class and in this direction."""
    asset_class = context.market[order.ticker].asset_class
    if asset_class is None:
        return veto("may_open", f"The asset class of {order.ticker} is not known: leave it out.")
    if order.side not in policy.permissions.get(asset_class, ()):
        what = "bought" if order.side == "buy" else "sold short"
        return veto("may_open", f"The policy lets no {asset_class} be {what}: leave {order.ticker} out.")
    return passed("may_open")


@entry
def short_locate(order: OrderIntent, context: RuleContext, policy: Policy) -> Finding | None:
    """A short sale is covered by shares that were located to borrow (Regulation SHO rule 203(b)(1))."""
    if order.side == "buy":
        return None
    located = context.market[order.ticker].borrowable_shares
    if located is None:
        return veto(
            "short_locate", f"No shares of {order.ticker} were located to borrow: locate them before selling short."
        )
    room = located - context.flying(order.ticker, "sell")
    return fit(
        "short_locate",
        order.quantity,
        room,
        value=order.quantity,
        limit=located,
        message=lambda: f"Only {max(room, 0):g} {order.ticker} can be borrowed.",
    )


PERMISSION = (restricted_list, watch_list, allowed_list, may_open, short_locate)
