"""The errors of the pre-trade rules."""

from ..errors import InputError, PaperDeskError


class RuleError(PaperDeskError):
    """A submission without a valid verdict was stopped; nothing was sent."""


class PolicyError(InputError):
    """A policy cannot be used: no such file, a limit missing, unknown or out of range."""
