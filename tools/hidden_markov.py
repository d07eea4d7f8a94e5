"""A Gaussian hidden Markov model with two states: EM fits by hmmlearn, and the forward filter.

r_t | s_t = k ~ Normal(mean_k, variance_k), s_t a Markov chain (Hamilton 1989). The library's own `predict_proba`
smooths: within its sample later days decide about earlier ones. `filtered` does not.
"""

from collections.abc import Iterator
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.typing import NDArray

from .frozen import Frozen

if TYPE_CHECKING:
    from hmmlearn.hmm import GaussianHMM

PERSISTENCE = 5.0
"""Sessions that both states of a fit should last in expectation: a state of single extreme days is no regime."""
_STARTS = ((0.5, 2.0, 30.0), (0.3, 1.5, 60.0), (0.6, 3.0, 15.0), (0.8, 5.0, 8.0), (0.4, 1.2, 20.0))
"""EM starts: the variances of the two states, as multiples of the sample's, and how many sessions a state lasts."""
_JITTER = 0.2
"""Standard deviation of the logarithm of what the seed multiplies each start by."""
ITERATIONS = 150
_TOLERANCE = 1e-6
"""Of the log likelihood: small enough that starts of the same basin end in the same probabilities."""

Vector = NDArray[np.float64]


class Parameters(Frozen):
    """A fitted model; lists by state, in the order in which EM found them."""

    start: tuple[float, float]
    transitions: tuple[tuple[float, float], tuple[float, float]]
    """Row: today's state, column: tomorrow's."""
    means: tuple[float, float]
    """Daily."""
    variances: tuple[float, float]
    """Daily."""

    def calm(self) -> int:
        """Which state has the smaller variance."""
        return int(self.variances[1] < self.variances[0])

    def lasting(self) -> float:
        """How many sessions the shorter-lived state lasts in expectation."""
        return min(1 / max(1 - row[k], 1e-12) for k, row in enumerate(self.transitions))


class Fitted(NamedTuple):
    """The outcome of a fit."""

    model: Parameters
    sessions: Vector
    """(2,) expected number of sessions in each state."""
    converged: bool


def likeliest(returns: Vector, rng: np.random.Generator) -> Fitted:
    """The likeliest EM fit whose states both last, or where none does, the likeliest."""
    # imported here: it brings scikit-learn, which takes two seconds to load
    from hmmlearn.hmm import GaussianHMM

    unit = float(np.std(returns))
    scaled = (returns / unit).reshape(-1, 1)
    best: tuple[tuple[bool, float], Parameters, GaussianHMM] | None = None
    for quiet, wild, lasts in np.array(_STARTS) * np.exp(_JITTER * rng.standard_normal((len(_STARTS), 3))):
        model = GaussianHMM(
            n_components=2,
            covariance_type="diag",
            init_params="",
            n_iter=ITERATIONS,
            tol=_TOLERANCE,
            covars_prior=1e-6,  # plain maximum likelihood: with a real prior the library's convergence test misfires
        )
        model.startprob_ = np.array([0.5, 0.5])
        model.transmat_ = np.array([[1 - 1 / lasts, 1 / lasts], [1 / lasts, 1 - 1 / lasts]])
        model.means_ = np.full((2, 1), scaled.mean())
        model.covars_ = np.array([[quiet], [wild]])
        model.fit(scaled)
        parameters = _parameters(model, unit)
        # rounded, so that of starts that end in the same basin the first one stands
        rank = (parameters.lasting() >= PERSISTENCE, round(float(model.score(scaled)), 3))
        if best is None or rank > best[0]:
            best = (rank, parameters, model)
    assert best is not None  # there is at least one start
    _, parameters, model = best
    sessions = np.asarray(model.predict_proba(scaled), dtype=np.float64).sum(axis=0)
    # `monitor_.converged` is also true when the iterations ran out
    return Fitted(parameters, sessions, bool(model.monitor_.iter < model.monitor_.n_iter))


def _parameters(model: "GaussianHMM", unit: float) -> Parameters:
    """The parameters of a fit to returns that were divided by `unit`."""
    return Parameters.model_validate(
        {
            "start": model.startprob_.tolist(),
            "transitions": model.transmat_.tolist(),
            "means": (model.means_[:, 0] * unit).tolist(),
            "variances": (np.asarray(model.covars_).reshape(2, -1)[:, 0] * unit**2).tolist(),
        }
    )


def filtered(model: Parameters, returns: Vector) -> NDArray[np.float64]:
    """P(state at t | returns up to t): (T, 2), by the forward recursion scaled at each step."""
    start = np.asarray(model.start)
    return np.array(list(_beliefs(model, start, returns))).reshape(-1, 2)


def beliefs_on(model: Parameters, belief: Vector, returns: Vector) -> list[Vector]:
    """The filtered belief after each of some further returns, given the one before them."""
    return list(_beliefs(model, belief @ np.asarray(model.transitions), returns))


def log_densities(model: Parameters, belief: Vector, returns: Vector) -> Vector:
    """(T,) log density of each return, foretold from those before it and the belief before the first."""
    mean, variance = np.asarray(model.means), np.asarray(model.variances)
    transitions = np.asarray(model.transitions)
    before = np.vstack([belief, *_beliefs(model, belief @ transitions, returns)])[:-1] @ transitions
    each = -0.5 * (np.log(2 * np.pi * variance) + (returns[:, None] - mean) ** 2 / variance)
    with np.errstate(divide="ignore"):  # a state that cannot be reached adds nothing
        found: Vector = np.logaddexp.reduce(np.log(before) + each, axis=1)
    return found


def stationary(model: Parameters) -> Vector:
    """(2,) how often each state comes in the long run."""
    leave = np.array([1 - model.transitions[0][0], 1 - model.transitions[1][1]])
    total = leave.sum()
    return leave[::-1] / total if total > 0 else np.asarray(model.start)


def _beliefs(model: Parameters, expected: Vector, returns: Vector) -> Iterator[Vector]:
    """The belief after each return, from what is expected before the first."""
    mean, variance = np.asarray(model.means), np.asarray(model.variances)
    log_density = -0.5 * (np.log(2 * np.pi * variance) + (returns[:, None] - mean) ** 2 / variance)
    # only ratios matter; without the shift both densities underflow on an extreme day
    density = np.exp(log_density - log_density.max(axis=1, keepdims=True))
    transitions = np.asarray(model.transitions)
    for likelihood in density:
        joint = expected * likelihood
        total = joint.sum()
        # zero where only a state that cannot be reached explains the return: certainty stays what it was
        belief = joint / total if total > 0 else expected
        yield belief
        expected = belief @ transitions
