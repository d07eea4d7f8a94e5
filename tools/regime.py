"""The state of the market by a two-state hidden Markov model of its daily returns, named by volatility and drift.

Parameters are fitted on a schedule that the calendar sets: to returns up to the last session of the last completed
calendar quarter (in a younger market: up to the session at which `MINIMUM` returns were known). They do not depend on
when a session starts or how often it decides. Why a quarter: it renews a twelfth of the longest window, enough to
follow a changing market and too little to rename its states every month.

The probability is the filtered one, P(s_T | r_1..r_T): with these parameters, on returns up to the view's session.
"""

from bisect import bisect_left
from dataclasses import dataclass
from datetime import date
from typing import Literal
from weakref import WeakKeyDictionary

import numpy as np
from numpy.typing import NDArray

from .frozen import Frozen
from .hidden_markov import ITERATIONS, Parameters, Vector, beliefs_on, filtered, likeliest
from .market.view import Market, MarketView

RegimeName = Literal["calm", "turbulent"]
"""By volatility: the calm state is the one with the smaller variance, however EM numbered them."""
Drift = Literal["rising", "falling", "flat"]
"""By mean return against its standard error."""
WINDOW = 750
"""Sessions of history at most."""
MINIMUM = 250
"""Sessions without which two states cannot be told apart."""
STILL = 1e-9
"""Returns that differ by no more are one return: what is left is the rounding of prices."""
DRIFT_T = 1.645
"""A state rises or falls where its mean is that many standard errors from zero (one-sided 5 %), else it is flat."""
_DIGITS = 6
"""Of a probability: what lies beyond depends on the processor, and would reach the journal's hashes."""


class Regime(Frozen):
    """What the market's past returns say about its present state."""

    name: RegimeName
    """The likelier state."""
    drift: Drift
    """Where prices went while the market was in that state."""
    probability: float
    """Of that state, filtered."""
    probabilities: dict[RegimeName, float]
    """Of both states; they sum to 1."""
    drifts: dict[RegimeName, Drift]
    """Of both states."""
    fitted_until: date
    """Last session whose return the parameters rest on; the probability rests on all returns up to the view."""
    note: str
    """For people: which returns, how many, and volatility and drift of the two states."""

    @property
    def words(self) -> str:
        """Name and drift as people say it: `calm and rising`."""
        return f"{self.name} and {self.drift}"


def regime(view: MarketView, seed: int = 0) -> Regime | None:
    """The market's state at the view's session.

    None where fewer than `MINIMUM` returns are known, or where all are the same within `STILL` (the market never moved,
    or grows at one rate): two states cannot be told apart.
    The market is the benchmark, or without one the equally weighted universe.

    The fit costs tenths of a second and is kept per market, fit date and seed, with the beliefs since then: only new
    returns are filtered.

    Args:
        view: what is known.
        seed: of the EM starts.
    """
    returns = view.market_returns
    known = np.flatnonzero(np.isfinite(returns))
    if len(known) < MINIMUM:
        return None
    row = max(_quarter_end(view), int(known[MINIMUM - 1]))
    fit = _fit_until(view, row, known, seed)
    if fit is None:
        return None
    belief = fit.belief_after(returns[known[int(np.searchsorted(known, row, side="right")) :]])
    calm = fit.model.calm()
    probability = round(float(belief[calm]), _DIGITS)
    probabilities: dict[RegimeName, float] = {"calm": probability, "turbulent": round(1 - probability, _DIGITS)}
    likelier: RegimeName = "calm" if probability >= 0.5 else "turbulent"
    return Regime(
        name=likelier,
        drift=fit.drifts[likelier],
        probability=probabilities[likelier],
        probabilities=probabilities,
        drifts=fit.drifts,
        fitted_until=view.sessions[row],
        note=fit.note,
    )


@dataclass
class _Fit:
    """What is kept of a fit."""

    model: Parameters
    beliefs: list[Vector]
    """Filtered, at the fit's last session and after each return since, as far as somebody asked."""
    drifts: dict[RegimeName, Drift]
    note: str

    def belief_after(self, returns: Vector) -> Vector:
        """The belief after further returns: all known ones since the fit's last session, which are the same for all."""
        beliefs = self.beliefs
        if len(returns) >= len(beliefs):
            # another list, not a longer one: another thread may be reading this one
            self.beliefs = beliefs = beliefs + beliefs_on(self.model, beliefs[-1], returns[len(beliefs) - 1 :])
        return beliefs[len(returns)]


_FITS: WeakKeyDictionary[Market, dict[tuple[int, int], _Fit | None]] = WeakKeyDictionary()
"""By market; then by row of the fit's last session, and seed."""


def _fit_until(view: MarketView, row: int, known: NDArray[np.int64], seed: int) -> _Fit | None:
    """The fit to the last `WINDOW` known returns up to a row; None where they are all the same."""
    fits = _FITS.setdefault(view._market, {})
    if (row, seed) not in fits:
        returns = view.market_returns[known[known <= row][-WINDOW:]]
        fits[row, seed] = _fit(returns, view.market_name, seed) if np.ptp(returns) > STILL else None
    return fits[row, seed]


def _quarter_end(view: MarketView) -> int:
    """Row of the last session of the last completed calendar quarter, -1 if none; complete once that has closed."""
    if _quarter(view.calendar.next_session(view.session)) != _quarter(view.session):
        return len(view.sessions) - 1
    year, quarter = _quarter(view.session)
    return bisect_left(view.sessions, date(year, 3 * quarter + 1, 1)) - 1


def _quarter(day: date) -> tuple[int, int]:
    return day.year, (day.month - 1) // 3


def _fit(returns: Vector, market: str, seed: int) -> _Fit:
    fitted = likeliest(returns, np.random.default_rng(seed))
    model, calm = fitted.model, fitted.model.calm()
    drifts: dict[RegimeName, Drift] = {
        "calm": _drift(model, fitted.sessions, calm),
        "turbulent": _drift(model, fitted.sessions, 1 - calm),
    }
    yearly = np.sqrt(252 * np.asarray(model.variances))
    note = (
        f"{market}, {len(returns)} daily total returns; annual volatility {yearly[calm]:.0%} when calm"
        f" ({drifts['calm']}) and {yearly[1 - calm]:.0%} when turbulent ({drifts['turbulent']})"
    )
    if not fitted.converged:
        note += f"; the fit had not converged after {ITERATIONS} iterations"
    return _Fit(model, [filtered(model, returns)[-1]], drifts, note)


def _drift(model: Parameters, sessions: Vector, state: int) -> Drift:
    """A state's direction: its mean over the standard error that its expected number of sessions leaves."""
    t = model.means[state] / np.sqrt(model.variances[state] / sessions[state])
    if abs(t) < DRIFT_T:
        return "flat"
    return "rising" if t > 0 else "falling"
