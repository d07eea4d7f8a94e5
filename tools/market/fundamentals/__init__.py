"""Figures and ratios from filings, as they were known at a view's time."""

from .concepts import CONCEPTS, Concept, canonical
from .figures import Figure
from .ratios import RATIOS, STALE_DAYS, ratios
from .statements import Statements, statements

__all__ = [
    "CONCEPTS",
    "RATIOS",
    "STALE_DAYS",
    "Concept",
    "Figure",
    "Statements",
    "canonical",
    "ratios",
    "statements",
]
