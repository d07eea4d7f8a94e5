"""How good each agent has been, as far as was known at a time, and what that makes its voice worth."""

from .book import Calibration
from .record import AgentRecord, Bin

__all__ = ["AgentRecord", "Bin", "Calibration"]
