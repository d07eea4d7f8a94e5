"""A broker that lives in the past: backtrader executes the orders, one exchange session at a time.

Importing this package loads backtrader (about a second).
"""

from .broker import Authorise, SimulatedBroker
from .corporate_actions import CorporateAction
from .costs import Costs
from .margin import Margin, MarginCall
from .report import ForcedOrder, OrderEnd, StepReport
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
