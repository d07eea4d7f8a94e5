"""A broker that lives in the past: backtrader executes the orders, one exchange session at a time.

Importing this package loads backtrader (about a second).
"""

from ..report import CorporateAction, ForcedOrder, MarginCall, OrderEnd, StepReport
from .broker import Authorise, SimulatedBroker
from .costs import Costs
from .margin import Margin
from .terms import Terms

__all__ = [
    "Authorise",
    "CorporateAction",
    "Costs",
    "ForcedOrder",
    "Margin",
    "MarginCall",
    "OrderEnd",
    "SimulatedBroker",
    "StepReport",
    "Terms",
]
