"""Scenarios for the next session: the past as it was, weighted, conditioned on the regime, or drawn again in blocks.

All of them answer one question, which returns may come and how likely each is, and give a `Scenarios` that the
optimizer takes as it is. Probabilities may be changed further by views (`views.py`).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from math import exp
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ..errors import ProblemError
from ..hidden_markov import filtered, likeliest

if TYPE_CHECKING:
    from ..market.view import MarketView

Vector = NDArray[np.float64]
Matrix = NDArray[np.float64]

LEAST_EFFECTIVE = 20.0
"""Weighted scenarios that are worth fewer equal ones than this say nothing about a tail."""


@dataclass(frozen=True)
class Scenarios:
    """Past returns that stand for the next session."""

    tickers: tuple[str, ...]
    """N names with enough history."""
    returns: Matrix
    """(S, N) simple total returns per session, no gaps, in order of time."""
    excluded: dict[str, str] = field(default_factory=dict)
    """Names left out, and why."""
    probabilities: Vector | None = None
    """(S,) summing to 1; None: all equal."""
    window: str = ""
    """Which sessions these are and how they are weighted, in words."""

    @property
    def chances(self) -> Vector:
        """(S,) probabilities, equal ones where none were given."""
        count = len(self.returns)
        return np.full(count, 1 / count) if self.probabilities is None else self.probabilities

    @property
    def effective(self) -> float:
        """Number of equally likely scenarios with the same entropy: S where all are equal, 1 where one is certain.

        The exponential of the entropy (Meucci 2012, "Effective number of scenarios in fully flexible probabilities").
        """
        chances = self.chances[self.chances > 0]
        return exp(-float(chances @ np.log(chances)))

    def mean(self) -> Vector:
        """(N,) expected returns under the probabilities."""
        return np.asarray(self.chances @ self.returns)

    def weighted(self, weights: Vector, words: str) -> Scenarios:
        """The same scenarios with probabilities in proportion to `weights` (S,), and what was done in words.

        Raises:
            ProblemError: what is left is worth too few scenarios.
        """
        chances = weights / weights.sum()
        found = replace(self, probabilities=chances, window=f"{self.window}, {words}" if self.window else words)
        if found.effective < LEAST_EFFECTIVE:
            text = f"Scenarios {words} are worth only {found.effective:.1f} equal ones: weight them less unequally."
            raise ProblemError("probabilities", text)
        return found


def historical_scenarios(returns: pd.DataFrame, minimum: int) -> Scenarios:
    """The rows in which every kept name has a return; names with fewer than `minimum` returns are left out.

    Args:
        returns: daily total returns, sessions by tickers, NaN where a name did not trade.
        minimum: returns that a name must have to be considered.
    """
    names = [str(name) for name in returns.columns]
    return _complete(returns.to_numpy(dtype=float), names, minimum, lambda row: pd.Timestamp(returns.index[row]).date())


def known_scenarios(view: MarketView, tickers: Sequence[str], sessions: int, minimum: int) -> Scenarios:
    """`historical_scenarios` of `view.returns(tickers, sessions)`, without a data frame in between."""
    values = view.return_rows(tickers, sessions)
    first = len(view.sessions) - len(values)
    return _complete(values, tickers, minimum, lambda row: view.sessions[first + row])


def _complete(values: Matrix, names: Sequence[str], minimum: int, day_of: Callable[[int], date]) -> Scenarios:
    """The scenarios of returns (T, N), given the day of each row."""
    there = ~np.isnan(values)
    counts = there.sum(axis=0)
    enough = counts >= minimum
    excluded = {
        name: f"only {count} daily returns are known and {minimum} are needed"
        for name, count in zip(names, counts.tolist(), strict=True)
        if count < minimum
    }
    rows = np.flatnonzero(there[:, enough].all(axis=1))
    # name by name in memory: sums over time then have the same last digits however many names there are
    whole = np.asfortranarray(values[:, enough][rows])
    window = f"{len(rows)} sessions from {day_of(int(rows[0]))} to {day_of(int(rows[-1]))}" if len(rows) else ""
    return Scenarios(tuple(name for name in names if name not in excluded), whole, excluded, window=window)


def exponentially_weighted(scenarios: Scenarios, half_life: float) -> Scenarios:
    """Probabilities that halve every `half_life` sessions into the past: p_s ~ 2^(-age / half_life).

    Boudoukh, Richardson and Whitelaw (1998), "The best of both worlds": historical simulation whose scenarios fade as
    the weights of RiskMetrics (1996) do.

    Args:
        scenarios: in order of time.
        half_life: sessions, > 0.
    """
    if not (np.isfinite(half_life) and half_life > 0):
        raise ProblemError("half_life", f"The half-life must be a positive number of sessions, not {half_life}.")
    age = np.arange(len(scenarios.returns) - 1, -1, -1)
    return scenarios.weighted(scenarios.chances * 0.5 ** (age / half_life), f"halving every {half_life:g} sessions")


def regime_conditioned(scenarios: Scenarios, rng: np.random.Generator) -> Scenarios:
    """Probabilities under which the past regimes occur as often as is expected of the next session.

    A two-state hidden Markov model of the equally weighted market gives b_sk, the filtered probability of regime k at
    scenario s, and the forecast t_k = P(k at the next session); then p_s ~ sum_k t_k b_sk / sum_s b_sk: within a regime
    the past counts in proportion to its membership, and the regimes are mixed as forecast. (Conditioning by state
    variables: Meucci 2010, section 3; the forecast: Hamilton 1989.)

    Args:
        scenarios: consecutive sessions in order of time.
        rng: for the starts of the fit; the same generator state gives the same fit.
    """
    market = scenarios.returns.mean(axis=1)
    if float(np.ptp(market)) == 0:
        raise ProblemError("scenarios", "A market that never moved has no regimes: use the history as it is.")
    model = likeliest(market, rng).model
    beliefs = filtered(model, market)
    forecast = beliefs[-1] @ np.asarray(model.transitions)
    within = beliefs / np.maximum(beliefs.sum(axis=0), 1e-12)
    calm = float(forecast[model.calm()])
    return scenarios.weighted(scenarios.chances * (within @ forecast), f"as {calm:.0%} calm, {1 - calm:.0%} turbulent")


def stationary_bootstrap(
    scenarios: Scenarios, count: int, mean_block: float, rng: np.random.Generator, horizon: int = 1
) -> Scenarios:
    """Scenarios drawn in blocks of random, geometric length (Politis and Romano 1994), so that clusters stay together.

    With a horizon, each scenario is the compounded return of that many drawn sessions in a row.

    Args:
        scenarios: in order of time; with probabilities, blocks start in proportion to them.
        count: scenarios to draw, >= 2.
        mean_block: mean length of a block, sessions, >= 1.
        rng: the source of chance.
        horizon: sessions per scenario, >= 1.
    """
    if count < 2 or horizon < 1 or not (np.isfinite(mean_block) and mean_block >= 1):
        raise ProblemError(
            "bootstrap", "Draw at least two scenarios, of at least one session, in blocks of at least one."
        )
    size, draws = len(scenarios.returns), count * horizon
    starts = rng.choice(size, draws, p=scenarios.probabilities)
    new_block = rng.random(draws) < 1 / mean_block
    new_block[0] = True
    # Place of each draw: where its block began, plus how far into the block it is, around the end of the history.
    began = np.maximum.accumulate(np.where(new_block, np.arange(draws), 0))
    rows = (starts[began] + np.arange(draws) - began) % size
    drawn = scenarios.returns[rows].reshape(count, horizon, -1)
    returns = drawn[:, 0] if horizon == 1 else np.prod(1 + drawn, axis=1) - 1
    words = f"{count} draws of {horizon} sessions in blocks of {mean_block:g} from {scenarios.window or 'the history'}"
    return Scenarios(scenarios.tickers, np.asarray(returns), scenarios.excluded, window=words)
