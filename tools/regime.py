"""The state of the market, calm or turbulent: a two-state Gaussian hidden Markov model of its daily returns.

r_t | s_t = k ~ Normal(mean_k, variance_k), s_t a Markov chain (Hamilton 1989). Parameters are fitted by EM to returns
up to the view's session only, and the probability is the filtered one, P(s_T | r_1..r_T), by the forward recursion. The
library's own `predict_proba` smooths: within its sample later days decide about earlier ones.
"""

from datetime import date
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from .frozen import Frozen
from .market.view import MarketView

RegimeName = Literal["calm", "turbulent"]
WINDOW = 750
"""Sessions of history at most."""
MINIMUM = 250
"""Sessions without which two states cannot be told apart."""
STARTS = 3
"""EM starts: one from the moments of the data, the others drawn around it; the likeliest fit wins."""
_ITERATIONS = 200

Vector = NDArray[np.float64]


class Regime(Frozen):
    """What the market's past returns say about its present state."""

    name: RegimeName
    """The likelier state."""
    probability: float
    """Of that state, filtered."""
    probabilities: dict[RegimeName, float]
    """Of both states; they sum to 1."""
    fitted_until: date
    """Last session whose return was used."""
    note: str
    """For people: which returns, how many, and the two volatilities."""


def regime(view: MarketView, seed: int = 0) -> Regime | None:
    """The market's state at the view's session.

    None where fewer than `MINIMUM` returns are known, or where the market never moved: two states cannot be told apart.

    The market is the benchmark, or without one the equally weighted universe.

    Args:
        view: what is known.
        seed: of the EM starts.
    """
    name, days, returns = _market_returns(view)
    if len(returns) < MINIMUM or np.std(returns) == 0.0:
        return None
    fit, converged = _fit(returns, np.random.default_rng(seed))
    deviations = np.sqrt(fit.variances)
    calm = int(np.argmin(deviations))  # EM numbers the states as it likes
    belief = filtered(fit, returns)[-1]
    probabilities: dict[RegimeName, float] = {"calm": float(belief[calm]), "turbulent": float(belief[1 - calm])}
    likelier: RegimeName = "calm" if probabilities["calm"] >= 0.5 else "turbulent"
    yearly = np.sqrt(252) * deviations
    note = (
        f"{name}, {len(returns)} daily total returns; annual volatility {yearly[calm]:.0%} when calm and"
        f" {yearly[1 - calm]:.0%} when turbulent"
    )
    return Regime(
        name=likelier,
        probability=probabilities[likelier],
        probabilities=probabilities,
        fitted_until=days[-1],
        note=note if converged else f"{note}; the fit had not converged after {_ITERATIONS} iterations",
    )


class Parameters(Frozen):
    """A fitted model; lists by state, in the order in which EM found them."""

    start: tuple[float, float]
    transitions: tuple[tuple[float, float], tuple[float, float]]
    """Row: today's state, column: tomorrow's."""
    means: tuple[float, float]
    """Daily."""
    variances: tuple[float, float]
    """Daily."""


def filtered(model: Parameters, returns: Vector) -> NDArray[np.float64]:
    """P(state at t | returns up to t): (T, 2), by the forward recursion scaled at each step."""
    mean, variance = np.asarray(model.means), np.asarray(model.variances)
    log_density = -0.5 * (np.log(2 * np.pi * variance) + (returns[:, None] - mean) ** 2 / variance)
    # only ratios matter; without the shift both densities underflow on an extreme day
    density = np.exp(log_density - log_density.max(axis=1, keepdims=True))
    transitions = np.asarray(model.transitions)
    beliefs = np.empty((len(returns), 2))
    expected = np.asarray(model.start)
    for t, likelihood in enumerate(density):
        joint = expected * likelihood
        beliefs[t] = joint / joint.sum()
        expected = beliefs[t] @ transitions
    return beliefs


def _market_returns(view: MarketView) -> tuple[str, list[date], Vector]:
    """Name of the market, sessions, and daily simple total returns without gaps."""
    if view.benchmark is not None:
        name, tickers = view.benchmark, [view.benchmark]
    else:
        name, tickers = "equally weighted universe", list(view.tickers)
    returns = view.returns(tickers, WINDOW).mean(axis=1).dropna()
    return name, [day.date() for day in returns.index], returns.to_numpy(dtype=np.float64)


def _fit(returns: Vector, rng: np.random.Generator) -> tuple[Parameters, bool]:
    """The likeliest of several EM fits, and whether it converged."""
    # imported here: it brings scikit-learn, which takes two seconds to load
    from hmmlearn.hmm import GaussianHMM

    unit = float(np.std(returns))
    scaled = (returns / unit).reshape(-1, 1)
    best, best_score = None, -np.inf
    for attempt in range(STARTS):
        spread = np.array([0.5, 2.0]) * (1.0 if attempt == 0 else np.exp(0.5 * rng.standard_normal(2)))
        model = GaussianHMM(
            n_components=2,
            covariance_type="diag",
            init_params="",
            n_iter=_ITERATIONS,
            tol=1e-4,
            covars_prior=1e-6,  # plain maximum likelihood: with a real prior the library's convergence test misfires
        )
        model.startprob_ = np.array([0.5, 0.5])
        model.transmat_ = np.array([[0.97, 0.03], [0.05, 0.95]])
        model.means_ = np.full((2, 1), scaled.mean())
        model.covars_ = spread.reshape(2, 1)
        model.fit(scaled)
        score = float(model.score(scaled))
        if score > best_score + 1e-9:
            best, best_score = model, score
    assert best is not None  # a score is finite for finite returns
    parameters = Parameters.model_validate(
        {
            "start": best.startprob_.tolist(),
            "transitions": best.transmat_.tolist(),
            "means": (best.means_[:, 0] * unit).tolist(),
            "variances": (np.asarray(best.covars_).reshape(2, -1)[:, 0] * unit**2).tolist(),
        }
    )
    # `monitor_.converged` is also true when the iterations ran out
    return parameters, bool(best.monitor_.iter < best.monitor_.n_iter)
