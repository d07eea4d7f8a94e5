"""The pre-trade rule engine: judges every order before it leaves, and lets nothing leave without its verdict."""

import math
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from ..broker.protocol import OrderIntent, VerdictToken
from .context import RuleContext
from .errors import RuleError
from .exposure import EXPOSURE
from .findings import Finding, Rule, RuleReport, is_exit, veto
from .permission import PERMISSION
from .policy import Policy
from .sanity import GATES, SANITY
from .size import SIZE
from .stops import STOPS, switch_state
from .tokens import TokenDesk

RULES: tuple[Rule, ...] = (*STOPS, *SANITY, *PERMISSION, *SIZE, *EXPOSURE)
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

    def judge(self, order: OrderIntent, context: RuleContext) -> RuleReport:
        """Approve, clamp to the size that passes every rule, or veto. A rule that raises vetoes."""
        findings: list[Finding] = []
        for gate in GATES:
            findings += self._run((gate,), order, context)
            if _vetoed(findings):
                return self._veto(order, findings)
        findings += self._run(self._rules, order, context)
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
        second = [*self._run(GATES, smaller, context), *self._run(self._rules, smaller, context)]
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
        for order in sorted(orders, key=lambda order: (order.side != "sell", order.ticker)):
            report = self.judge(order, context)
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
        if state == "full" or (state == "reduce_only" and not is_exit(order)):
            raise RuleError(
                f"The order for {order.ticker} was stopped: the kill switch {self.policy.kill_switch} is set."
            )
        self._tokens.redeem(order, token, state_version, now)

    def _run(self, rules: tuple[Rule, ...], order: OrderIntent, context: RuleContext) -> list[Finding]:
        findings = []
        for rule in rules:
            try:
                finding = rule(order, context, self.policy)
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
            token=self._tokens.issue(order, context.portfolio.version(), context.now),
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
