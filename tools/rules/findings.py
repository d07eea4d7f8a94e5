"""What a rule says about an order, and the form that all rules have."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from ..broker.protocol import OrderIntent, VerdictToken
from ..frozen import Frozen
from .context import RuleContext
from .policy import Policy

Severity = Literal["pass", "warn", "clamp", "veto"]
Verdict = Literal["approve", "clamp", "veto"]


class Finding(Frozen):
    """The result of one rule."""

    rule: str
    severity: Severity
    value: float | None = None
    """What was measured, for the order as asked; None where it is not a number or not finite."""
    limit: float | None = None
    """The policy's limit, in the unit of `value`."""
    permitted_quantity: float | None = None
    """Shares that would pass this rule; only with `clamp`."""
    message: str = ""
    """One sentence; empty when the rule passes."""


class RuleReport(Frozen):
    """The verdict on one order with all findings; JSON-serialisable for the journal."""

    verdict: Verdict
    order: OrderIntent | None
    """The order as permitted (quantity perhaps smaller than asked); None after a veto."""
    asked_quantity: float | None
    """Shares asked for; None where that is not a finite number."""
    findings: tuple[Finding, ...]
    """Every rule that applied, passed ones included, each with its value and limit."""
    policy: str
    """Name of the policy."""
    policy_hash: str
    token: VerdictToken | None
    """Permission for one submission of `order`; None after a veto."""

    @property
    def issues(self) -> tuple[Finding, ...]:
        """The findings that did not pass."""
        return tuple(finding for finding in self.findings if finding.severity != "pass")

    def explain(self) -> str:
        """The messages of all issues, one sentence each."""
        return " ".join(finding.message for finding in self.issues)


Check = Callable[[OrderIntent, RuleContext, Policy], Finding | None]


@dataclass(frozen=True)
class Rule:
    """A named check. `entries_only` rules do not apply to orders that reduce a position: exits stay possible."""

    name: str
    entries_only: bool
    check: Check

    def __call__(self, order: OrderIntent, context: RuleContext, policy: Policy) -> Finding | None:
        """The finding, None where the rule does not apply to this order."""
        if self.entries_only and context.is_exit(order):
            return None
        return self.check(order, context, policy)

    @property
    def limits(self) -> tuple[str, ...]:
        """The policy's limits that the rule reads, as its code names them."""
        code = getattr(self.check, "__code__", None)
        return tuple(name for name in (code.co_names if code else ()) if name in Policy.model_fields)

    @property
    def about(self) -> str:
        """What the rule is for: its docstring in one line."""
        return " ".join((self.check.__doc__ or "").split())


def sanity(check: Check) -> Rule:
    """Declare a rule for every order; it is named after its function."""
    return Rule(check.__name__, False, check)


def entry(check: Check) -> Rule:
    """Declare a rule for orders that open or grow a position; it is named after its function."""
    return Rule(check.__name__, True, check)


_PASSED: dict[str, Finding] = {}
_VALID: Callable[[dict[str, object]], Finding] = Finding.__pydantic_validator__.validate_python


def passed(rule: str, value: float | None = None, limit: float | None = None) -> Finding:
    """A rule that applied and has nothing against the order."""
    if value is None and limit is None:
        plain = _PASSED.get(rule)
        if plain is None:
            plain = _PASSED[rule] = Finding(rule=rule, severity="pass")
        return plain
    # Straight to the validator: some thirty findings pass for every order.
    return _VALID({"rule": rule, "severity": "pass", "value": value, "limit": limit})


def veto(rule: str, message: str, value: float | None = None, limit: float | None = None) -> Finding:
    """A rule that stops the order."""
    return Finding(rule=rule, severity="veto", value=value, limit=limit, message=message)


def fit(rule: str, asked: float, room: float, *, value: float, limit: float, message: Callable[[], str]) -> Finding:
    """Pass where `asked` shares fit into `room`, clamp where some do, veto where none do.

    Args:
        rule: name of the rule.
        asked: shares asked for.
        room: shares that the limit leaves; may be negative.
        value: what was measured for the order as asked.
        limit: the policy's limit.
        message: says, when it does not fit, why.
    """
    if asked <= room * (1 + 1e-12):
        return passed(rule, value, limit)
    if room <= 0:
        return veto(rule, message(), value, limit)
    return Finding(rule=rule, severity="clamp", value=value, limit=limit, permitted_quantity=room, message=message())
