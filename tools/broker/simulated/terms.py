"""What the account earns on its cash, and what becomes of a position whose name has stopped trading for good."""

from pydantic import Field

from ...frozen import Frozen

DAYS_A_YEAR = 365
"""Actual/365: days between two sessions over 365."""


class Terms(Frozen):
    """The terms of a simulated account, beside its costs. The defaults pay nothing and close nothing."""

    cash_interest: float = Field(default=0.0, ge=-0.5, le=0.5)
    """A year, on the cash at the close of the session before, less what short positions are worth; paid before each
    open, weekends and holidays included."""
    delisted_after: int | None = Field(default=None, ge=1)
    """Sessions without a trade after which a position is taken for delisted and paid out; None: it is kept for ever.
    Nothing in daily bars says that a name will not come back, so this is a rule and not a look into the future."""
    delisting_loss: float = Field(default=0.3, ge=0, le=1)
    """Part of the last close that is lost then; about 30 % for delistings of failing companies (Shumway 1997, "The
    delisting bias in CRSP data"). A taken-over company pays about its last close."""

    def interest(self, cash: float, days: int) -> float:
        """On `cash` over calendar days."""
        return cash * self.cash_interest * days / DAYS_A_YEAR
