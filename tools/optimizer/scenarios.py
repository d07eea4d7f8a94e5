"""Scenarios for the next session: the past as it was, every complete row with the same probability."""

from dataclasses import dataclass

import pandas as pd

from .problem import Matrix


@dataclass(frozen=True)
class Scenarios:
    """Past returns that stand for the next session."""

    tickers: tuple[str, ...]
    """N names with enough history."""
    returns: Matrix
    """(S, N) simple total returns per session, no gaps."""
    excluded: dict[str, str]
    """Names left out, and why."""


def historical_scenarios(returns: pd.DataFrame, minimum: int) -> Scenarios:
    """The rows in which every kept name has a return; names with fewer than `minimum` returns are left out.

    Args:
        returns: daily total returns, sessions by tickers, NaN where a name did not trade.
        minimum: returns that a name must have to be considered.
    """
    counts = returns.notna().sum()
    kept = [str(name) for name in returns.columns if counts[name] >= minimum]
    excluded = {
        str(name): f"only {int(counts[name])} daily returns are known and {minimum} are needed"
        for name in returns.columns
        if counts[name] < minimum
    }
    return Scenarios(tuple(kept), returns[kept].dropna().to_numpy(dtype=float), excluded)
