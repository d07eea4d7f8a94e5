"""Pre-trade rules: a `Policy`, a `RuleContext`, and the `RuleEngine` that judges orders and authorises submissions."""

from .context import MarketFacts, RuleContext
from .engine import RULES, Judged, RuleEngine
from .errors import PolicyError, RuleError
from .findings import Finding, Rule, RuleReport, entry, sanity
from .policy import DrawdownTier, Policy, load_policy, preset_names

__all__ = [
    "RULES",
    "DrawdownTier",
    "Finding",
    "Judged",
    "MarketFacts",
    "Policy",
    "PolicyError",
    "Rule",
    "RuleContext",
    "RuleEngine",
    "RuleError",
    "RuleReport",
    "entry",
    "load_policy",
    "preset_names",
    "sanity",
]
