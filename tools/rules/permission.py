"""Rules about who may be traded."""

from ..broker.protocol import OrderIntent
from .context import RuleContext
from .findings import Finding, entry, passed, sanity, veto
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


PERMISSION = (restricted_list, watch_list, allowed_list)
