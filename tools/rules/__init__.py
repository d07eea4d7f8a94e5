"""Pre-trade rules: a `Policy`, a `RuleContext`, and the `RuleEngine` that judges orders and authorises submissions."""

from .activity import Activity, ActivityLog
from .context import LiveFacts, MarketFacts, RuleContext
from .engine import RULES, Judged, RuleEngine
from .errors import PolicyError, RuleError
from .explain import ExplainedPolicy, explain_policy
from .findings import Finding, Rule, RuleReport, entry, sanity
from .policy import DrawdownTier, EventWindow, Policy, load_policy, preset_names

__all__ = [
    "RULES",
    "Activity",
    "ActivityLog",
    "DrawdownTier",
    "EventWindow",
    "ExplainedPolicy",
    "Finding",
    "Judged",
    "LiveFacts",
    "MarketFacts",
    "Policy",
    "PolicyError",
    "Rule",
    "RuleContext",
    "RuleEngine",
    "RuleError",
    "RuleReport",
    "entry",
    "explain_policy",
    "load_policy",
    "preset_names",
    "sanity",
]
