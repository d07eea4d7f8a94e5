"""Rules that stop trading as a whole: the kill switch, the daily loss, the drawdown tiers."""

import os
from pathlib import Path
from typing import Literal

from ..broker.protocol import OrderIntent
from .context import RuleContext
from .findings import Finding, entry, fit, passed, sanity, veto
from .policy import Policy

SwitchState = Literal["off", "reduce_only", "full"]


def switch_state(path: Path | None) -> SwitchState:
    """What the kill switch says; any doubt (no permission, a folder, a dangling link, no parent) means `full`."""
    if path is None:
        return "off"
    try:
        os.lstat(path)
    except FileNotFoundError:
        return "off" if os.path.isdir(path.parent) else "full"
    except (OSError, ValueError):
        return "full"
    try:
        return "reduce_only" if path.read_text(encoding="utf-8").strip() == "reduce-only" else "full"
    except (OSError, ValueError):
        return "full"


@sanity
def kill_switch(order: OrderIntent, context: RuleContext, policy: Policy) -> Finding | None:
    """Nothing passes while the switch's file exists or cannot be read; exits do where it says `reduce-only`."""
    if policy.kill_switch is None:
        return None
    state = switch_state(policy.kill_switch)
    if state == "off" or (state == "reduce_only" and context.is_exit(order)):
        return passed("kill_switch")
    what = "only exits pass" if state == "reduce_only" else "nothing is traded"
    return veto("kill_switch", f"The kill switch {policy.kill_switch} is set: {what} until a person removes it.")


@entry
def daily_loss(order: OrderIntent, context: RuleContext, policy: Policy) -> Finding | None:
    """Loss since the previous close, plus what all buys in flight and this one lose in the policy's adverse move."""
    base, limit = context.equity_previous_close, policy.daily_loss_limit
    rate = policy.adverse_move + policy.cost_estimate_bps * 1e-4
    lost = base - context.equity + rate * (context.flying_value("buy") + context.sums().entry_value["sell"])
    risk = rate * context.price(order)
    value = (lost + order.quantity * risk) / base
    left = limit * base - lost
    room = left / risk if risk > 0 else (order.quantity if left > 0 else 0.0)
    return fit(
        "daily_loss",
        order.quantity,
        room,
        value=value,
        limit=limit,
        message=lambda: (
            f"The day's loss could reach {value:.1%} with {order.ticker} (limit {limit:.1%}): only exits pass."
        ),
    )


@sanity
def drawdown(order: OrderIntent, context: RuleContext, policy: Policy) -> Finding | None:
    """The tier of the drawdown: half size, then only exits, then nothing until a person resets."""
    value = max(0.0, 1 - context.equity / context.equity_peak)
    reached = [tier for tier in policy.drawdown_tiers if value >= tier.drawdown]
    if not reached:
        return passed("drawdown", value, policy.drawdown_tiers[0].drawdown if policy.drawdown_tiers else None)
    tier = reached[-1]
    because = f"The drawdown of {value:.1%} is beyond {tier.drawdown:.1%}"
    if tier.action == "halt":
        return veto("drawdown", f"{because}: trading is halted until a person resets the peak.", value, tier.drawdown)
    if context.is_exit(order):
        return passed("drawdown", value, tier.drawdown)
    if tier.action == "reduce_only":
        return veto("drawdown", f"{because}: only exits pass.", value, tier.drawdown)
    # Limits are halved, not the order: half of an order would be halved again whenever it is judged again.
    price = context.price(order)
    position = policy.max_position_weight / 2 * context.equity - context.exposure(order.ticker, order.side)
    room = min(policy.max_order_notional_fraction / 2 * context.equity, position) / price
    return fit(
        "drawdown",
        order.quantity,
        room,
        value=value,
        limit=tier.drawdown,
        message=lambda: f"{because}: order and position limits are halved.",
    )


STOPS = (kill_switch, daily_loss, drawdown)
