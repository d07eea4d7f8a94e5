"""Views on expected returns: by moving the scenarios, or by changing their probabilities.

`shifted` moves whole columns so that means become what the views say; shapes and co-movements stay. The CVaR moves with
the mean by as much (CVaR(L - d) = CVaR(L) - d), so a view pays twice: as return and as risk.

`pooled` leaves the scenarios where they are and finds the probabilities nearest to the present ones under which the
views hold (entropy pooling, Meucci 2008, "Fully flexible views: theory and practice"):

    minimize  sum_s p_s ln(p_s / p0_s)   subject to  least <= p'(R f) <= most for every view,  sum p = 1

Scenarios that contradict a view fade, so a view changes the tail too. Its dual has one unknown per side of a view:
p_s ~ p0_s exp(x'(V'lambda)_s), minimize ln sum_s p0_s exp(V_s'lambda) - lambda'b, convex, with lambda >= 0 on the least
side and <= 0 on the most side.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from math import isfinite

import numpy as np
from numpy.typing import NDArray

from ..errors import ProblemError
from .scenarios import Scenarios

Vector = NDArray[np.float64]
Matrix = NDArray[np.float64]

EXACT = 1e-9
"""How well a pooled view must hold, in standard deviations of what it speaks of."""


@dataclass(frozen=True)
class View:
    """An expectation of a combination of returns: least <= E[sum of coefficient times return] <= most."""

    coefficients: Mapping[str, float]
    """By ticker: {"AAPL": 1.0} is a view on one name, {"AAPL": 1.0, "MSFT": -1.0} one on a difference."""
    least: float | None = None
    most: float | None = None

    def __post_init__(self) -> None:
        bounds = [bound for bound in (self.least, self.most) if bound is not None]
        if not bounds or not all(isfinite(number) for number in [*bounds, *self.coefficients.values()]):
            raise ProblemError("views", "A view needs finite coefficients and at least one finite bound: complete it.")
        if self.least is not None and self.most is not None and self.least > self.most:
            raise ProblemError("views", "A view has its least above its most: exchange the two.")

    @classmethod
    def mean(cls, ticker: str, expected: float) -> "View":
        """The view that one name's expected return is this number."""
        return cls({ticker: 1.0}, least=expected, most=expected)


def shifted(scenarios: Scenarios, means: Mapping[str, float]) -> Scenarios:
    """The scenarios with the columns of some names moved so that they have these means.

    Args:
        scenarios: the prior.
        means: expected return per session by ticker; the others keep theirs.

    Raises:
        ProblemError: an unknown ticker or a mean that is not finite.
    """
    _known(scenarios, means)
    if not all(isfinite(mean) for mean in means.values()):
        raise ProblemError("views", "An expected return is not a finite number: correct the view.")
    wanted = np.array([means.get(name, np.nan) for name in scenarios.tickers])
    move = np.where(np.isnan(wanted), 0.0, wanted - scenarios.mean())
    return replace(scenarios, returns=scenarios.returns + move)


def pooled(scenarios: Scenarios, views: Sequence[View], confidence: float = 1.0) -> Scenarios:
    """The scenarios with the probabilities nearest to theirs under which the views hold.

    Args:
        scenarios: the prior.
        views: on expected returns.
        confidence: in [0, 1]; the result is confidence times the pooled probabilities plus the rest times the prior's
            (opinion pooling, Meucci 2008, section 3.3).

    Raises:
        ProblemError: no probabilities over these scenarios satisfy the views, or what is left is worth too few.
    """
    if not 0 <= confidence <= 1:
        raise ProblemError("confidence", f"The confidence must lie between 0 and 1, not {confidence}.")
    prior = scenarios.chances
    if not views:
        return scenarios
    for view in views:
        _known(scenarios, view.coefficients)
    order = scenarios.tickers
    spoken = np.array([[view.coefficients.get(name, 0.0) for name in order] for view in views])
    values = scenarios.returns @ spoken.T
    pooled_chances = _nearest(prior, values, views)
    words = f"pooled with {len(views)} view{'s' if len(views) > 1 else ''}"
    return scenarios.weighted(confidence * pooled_chances + (1 - confidence) * prior, words)


def _known(scenarios: Scenarios, names: Mapping[str, float]) -> None:
    unknown = sorted(set(names) - set(scenarios.tickers))
    if unknown:
        raise ProblemError("views", f"A view names {', '.join(unknown)}, which has no scenarios: drop it.")


def _nearest(prior: Vector, values: Matrix, views: Sequence[View]) -> Vector:
    """The probabilities (S,) nearest to `prior` under which the means of `values` (S, V) lie within the views."""
    from scipy.optimize import minimize

    spread = np.maximum(values.std(axis=0), 1e-300)
    centre = values.mean(axis=0)
    sides = [side for place, view in enumerate(views) for side in _sides(place, view)]
    columns = [place for place, _, _ in sides]
    matrix = ((values - centre) / spread).T[columns]
    signs = np.array([sign for _, _, sign in sides])
    target = (np.array([bound for _, bound, _ in sides]) - centre[columns]) / spread[columns]
    bounds = [(None if sign <= 0 else 0.0, None if sign >= 0 else 0.0) for sign in signs.tolist()]

    def dual(price: Vector) -> tuple[float, Vector]:
        chances, log_total = _tilted(prior, price @ matrix)
        return log_total - float(price @ target), matrix @ chances - target

    found = minimize(dual, np.zeros(len(target)), jac=True, bounds=bounds, method="L-BFGS-B", options={"maxiter": 200})
    chances = _tilted(prior, _polished(prior, matrix, target, signs, found.x) @ matrix)[0]
    if float(_broken(matrix @ chances - target, signs).max()) > EXACT:
        raise ProblemError("views", "No probabilities over these scenarios satisfy the views: soften them.")
    return chances


def _sides(place: int, view: View) -> list[tuple[int, float, float]]:
    """Place of the view, bound and sign of its multiplier, for each of its sides; 0: an equality."""
    if view.least is not None and view.least == view.most:
        return [(place, view.least, 0.0)]
    sides = ((view.least, 1.0), (view.most, -1.0))
    return [(place, bound, sign) for bound, sign in sides if bound is not None]


def _broken(off: Vector, signs: Vector) -> Vector:
    """By how much each side of a view is broken: any difference of an equality, a shortfall or an excess else."""
    return np.where(signs == 0, np.abs(off), np.maximum(0.0, -signs * off))


def _tilted(prior: Vector, exponent: Vector) -> tuple[Vector, float]:
    """Probabilities in proportion to prior times e^exponent, and the logarithm of their sum before scaling."""
    highest = float(exponent.max())
    raw = prior * np.exp(exponent - highest)
    total = float(raw.sum())
    return raw / total, highest + float(np.log(total))


def _polished(prior: Vector, matrix: Matrix, target: Vector, signs: Vector, price: Vector) -> Vector:
    """Newton's steps on the multipliers that are not at 0: quadratic where L-BFGS stops after some digits."""
    best = price.copy()
    free = (signs == 0) | (np.abs(price) > 1e-12)
    for _ in range(60):
        best[~free] = 0.0
        chances = _tilted(prior, best @ matrix)[0]
        off = matrix @ chances - target
        which = np.flatnonzero(free)
        if not which.size or float(np.abs(off[which]).max()) < 1e-13:
            wrong_sign = free & (signs * best < 0)
            missed = ~free & (_broken(off, signs) > EXACT)
            if not (wrong_sign | missed).any():
                break
            free = (free & ~wrong_sign) | missed
            continue
        block = matrix[which]
        centred = block - (block @ chances)[:, None]
        step = np.linalg.lstsq((centred * chances) @ centred.T, off[which], rcond=None)[0]
        best[which] -= step * min(1.0, 2.0 / max(float(np.abs(step).max()), 1e-300))
    return best
