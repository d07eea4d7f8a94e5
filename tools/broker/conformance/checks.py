"""All checks of the kit. Each is a function whose docstring says the promise."""

from . import events, failures, orders
from .promise import Check

CHECKS: tuple[Check, ...] = (*orders.FOUND, *failures.FOUND, *events.FOUND)
"""By topic, in the order of their modules."""
