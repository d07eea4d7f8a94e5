"""The pre-trade rule engine: judges every order before it leaves, and lets nothing leave without its verdict."""

import math
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from threading import RLock

from ..broker.protocol import OrderIntent, PortfolioSnapshot, VerdictToken
from .conduct import CONDUCT
from .context import RuleContext
from .errors import RuleError
from .exposure import EXPOSURE
from .findings import Finding, Rule, RuleReport, veto
from .live import LIVE
from .permission import PERMISSION
from .policy import Policy
from .prices import PRICES
from .sanity import GATES, SANITY
from .size import SIZE
from .stops import STOPS, switch_state
from .tokens import TokenDesk

RULES: tuple[Rule, ...] = (*STOPS, *SANITY, *PRICES, *PERMISSION, *CONDUCT, *LIVE, *SIZE, *EXPOSURE)
"""All rules after the gates. A new rule is a function in the module of its kind, added to that module's tuple."""

FRACTION_OF_SHARE = 1e-6
"""Clamped quantities are rounded down to this where a broker can hold parts of a share."""


@dataclass(frozen=True)
class Judged:
    """An order as asked, with the verdict on it."""

    order: OrderIntent
    report: RuleReport


class RuleEngine:
    """Judges orders under one policy.

    Args:
        policy: the limits.
        secret: key of the verdict tokens, at least 16 bytes; the same secret makes a session's tokens derivable again.
        rules: the rules after the gates; `(*RULES, mine)` adds one.

    Raises:
        PolicyError: the secret is too short.
    """

    def __init__(self, policy: Policy, secret: bytes, rules: tuple[Rule, ...] = RULES) -> None:
        self.policy = policy
        self._policy_hash = policy.hash()
        self._rules = rules
        self._tokens = TokenDesk(self._policy_hash, timedelta(minutes=policy.token_lifetime_minutes), secret)
        self._turn = RLock()
        self._state: tuple[PortfolioSnapshot, str] | None = None

    def judge(self, order: OrderIntent, context: RuleContext) -> RuleReport:
        """Approve, clamp to the size that passes every rule, or veto. A rule that raises vetoes.

        Judgements come one after the other. What was approved before and is not among the orders in flight of
        `context` is void from now on: this judgement did not count it.
        """
        with self._turn:
            uncounted = self._count(context)
            if uncounted:
                return self._veto(order, [uncounted])
            return self._judge(order, context)

    def judge_cancel(self, client_order_id: str, context: RuleContext) -> Finding:
        """Whether an agent may cancel an order in flight: everything but a protective stop of a position still held."""
        old = next((order for order in context.in_flight if order.client_order_id == client_order_id), None)
        rule = "protective_stop"
        if old is None:
            return veto(rule, f"There is no order {client_order_id} in flight to cancel: look it up.")
        if old.protects and context.held(old.ticker):
            return veto(
                rule, f"The stop of {old.ticker} protects a position that is still held: only a person cancels it."
            )
        return Finding(rule=rule, severity="pass")

    def _count(self, context: RuleContext) -> Finding | None:
        sums = context.sums()
        uncounted = self._tokens.count(
            lambda order: order in sums.ids or order in context.known_client_ids, self._version(context), context.now
        )
        if not uncounted:
            return None
        message = f"Order {uncounted[0]} was sent in this very state and is not counted: put it among those in flight."
        return veto("all_counted", message)

    def _version(self, context: RuleContext) -> str:
        if self._state is None or self._state[0] is not context.portfolio:
            self._state = (context.portfolio, context.portfolio.version())
        return self._state[1]

    def _judge(self, order: OrderIntent, context: RuleContext) -> RuleReport:
        findings: list[Finding] = []
        for gate in GATES:
            findings += self._run((gate,), order, context, leaves=False)
            if _vetoed(findings):
                return self._veto(order, findings)
        leaves = context.is_exit(order)  # asked once here instead of by every rule
        findings += self._run(self._rules, order, context, leaves)
        if _vetoed(findings):
            return self._veto(order, findings)
        rooms = [finding.permitted_quantity for finding in findings if finding.permitted_quantity is not None]
        if not rooms:
            return self._permit(order, order, findings, context)
        quantity = _rounded_down(min(rooms), context.fractional)
        if quantity <= 0:
            findings.append(veto("clamp", f"What would pass of the order for {order.ticker} is less than one share."))
            return self._veto(order, findings)
        smaller = order.model_copy(update={"quantity": quantity})
        # The smaller order is a new order: it may, for one, be too small now.
        second = self._run((*GATES, *self._rules), smaller, context, leaves)
        objections = [
            row.model_copy(update={"severity": "veto"}) for row in second if row.severity in ("veto", "clamp")
        ]
        if objections:
            return self._veto(order, findings + objections)
        return self._permit(order, smaller, findings, context)

    def judge_all(self, orders: Iterable[OrderIntent], context: RuleContext) -> list[Judged]:
        """Judge the orders of one decision one after the other, sells first, each with the approved ones in flight.

        Returns:
            In the order of judgement, which is also the order in which to submit.
        """
        judged = []
        with self._turn:
            uncounted = self._count(context)
            for order in sorted(orders, key=lambda order: (order.side != "sell", order.ticker)):
                report = self._veto(order, [uncounted]) if uncounted else self._judge(order, context)
                judged.append(Judged(order, report))
                if report.order is not None:
                    context = context.after(report.order)
        return judged

    def authorise(self, order: OrderIntent, token: VerdictToken, *, state_version: str, now: datetime) -> None:
        """Let one submission through and use its token up; a broker calls this before it sends.

        Args:
            order: about to be sent.
            token: from the report on this very order.
            state_version: `PortfolioSnapshot.version()` of the account now.
            now: aware time.

        Raises:
            RuleError: the token is not valid for this order here and now, or the kill switch has been set since.
        """
        state = switch_state(self.policy.kill_switch)
        # Where the policy knows no short sales, every sale that was approved is an exit.
        short = any("sell" in sides for sides in self.policy.permissions.values())
        leaves = order.reduces or (order.side == "sell" and not short)
        if state == "full" or (state == "reduce_only" and not leaves):
            raise RuleError(
                f"The order for {order.ticker} was stopped: the kill switch {self.policy.kill_switch} is set."
            )
        self._tokens.redeem(order, token, state_version, now)

    def _run(self, rules: tuple[Rule, ...], order: OrderIntent, context: RuleContext, leaves: bool) -> list[Finding]:
        findings: list[Finding] = []
        policy = self.policy
        for rule in rules:
            if leaves and rule.entries_only:
                continue
            try:
                finding = rule.check(order, context, policy)
            except Exception as error:  # noqa: BLE001 (not swallowed: it becomes a veto with its reason on record)
                finding = veto(
                    rule.name, f"The rule {rule.name} broke ({type(error).__name__}: {error}): nothing passes."
                )
            if finding is not None:
                findings.append(finding)
        return findings

    def _permit(
        self, asked: OrderIntent, order: OrderIntent, findings: list[Finding], context: RuleContext
    ) -> RuleReport:
        return RuleReport(
            verdict="approve" if order.quantity == asked.quantity else "clamp",
            order=order,
            asked_quantity=asked.quantity,
            findings=tuple(findings),
            policy=self.policy.name,
            policy_hash=self._policy_hash,
            token=self._tokens.issue(order, self._version(context), context.now),
        )

    def _veto(self, asked: OrderIntent, findings: list[Finding]) -> RuleReport:
        quantity = getattr(asked, "quantity", None)
        finite = isinstance(quantity, (int, float)) and math.isfinite(quantity)
        return RuleReport(
            verdict="veto",
            order=None,
            asked_quantity=quantity if finite else None,
            findings=tuple(findings),
            policy=self.policy.name,
            policy_hash=self._policy_hash,
            token=None,
        )


def _vetoed(findings: list[Finding]) -> bool:
    return any(finding.severity == "veto" for finding in findings)


def _rounded_down(quantity: float, fractional: bool) -> float:
    if fractional:
        return math.floor(quantity / FRACTION_OF_SHARE) * FRACTION_OF_SHARE
    return float(math.floor(quantity + 1e-9))
