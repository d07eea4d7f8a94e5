"""Figures of a portfolio's risk as evidence: concentration, correlation, tail, drawdown, regime.

A weight is a fraction of equity; shares are sizes of weights over their sum. All of it is known at the close of the
view's session.
"""

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from .evidence import Evidence
from .market.view import MarketView
from .market_state import MARKET
from .measures import MEASURES
from .optimizer.scenarios import Scenarios
from .optimizer.tail import conditional_value_at_risk
from .regime import Regime

Vector = NDArray[np.float64]
PORTFOLIO = "PORTFOLIO"
"""Ticker of evidence about the desk's own portfolio."""


def effective_names(weights: Vector) -> float:
    """1 over the sum of squared shares: as many names of equal weight would be as concentrated (Herfindahl 1950)."""
    shares = weights / weights.sum()
    return float(1 / (shares @ shares))


def mean_correlation(weights: Vector, returns: Vector) -> float:
    """Correlation of pairs of names, weighted by the product of their weights; NaN with fewer than two that moved.

    Args:
        weights: (N,) a short one counts with its returns turned.
        returns: (S, N).
    """
    moved = (weights != 0) & (returns.std(axis=0) > 0)
    if moved.sum() < 2:
        return float("nan")
    pairs = np.outer(np.abs(weights[moved]), np.abs(weights[moved]))
    np.fill_diagonal(pairs, 0.0)
    turned = returns[:, moved] * np.sign(weights[moved])
    return float((pairs * np.corrcoef(turned, rowvar=False)).sum() / pairs.sum())


def portfolio_risk(
    view: MarketView,
    weights: Mapping[str, float],
    scenarios: Scenarios,
    *,
    names: int,
    beta: float,
    drawdown: float,
    regime: Regime | None,
) -> tuple[Evidence, ...]:
    """The risk of proposed weights.

    Args:
        view: what is known.
        weights: by ticker; names that are not among the scenarios count for concentration only.
        scenarios: past returns that stand for the next session.
        names: of the universe.
        beta: level of the CVaR.
        drawdown: equity over its peak, minus 1.
        regime: state of the market, where it is known.

    Returns:
        One `Evidence` per figure that is defined; nothing on a portfolio without positions.
    """
    all_weights = np.array([abs(weight) for weight in weights.values() if weight])
    if not len(all_weights):
        return ()
    held = np.array([weights.get(name, 0.0) for name in scenarios.tickers])
    chances = scenarios.chances
    universe = conditional_value_at_risk(-scenarios.returns.mean(axis=1), chances, beta)
    own = conditional_value_at_risk(-(scenarios.returns @ held), chances, beta)
    figures = {
        "largest_weight": float(all_weights.max()),
        "breadth": effective_names(all_weights) / names,
        "correlation": mean_correlation(held, scenarios.returns),
        "tail_ratio": own / universe if universe > 0 else float("nan"),
        "desk_drawdown": drawdown,
        "turbulence": regime.probabilities["turbulent"] if regime else float("nan"),
    }
    return tuple(_evidence(view, measure, value) for measure, value in figures.items() if np.isfinite(value))


def _evidence(view: MarketView, measure: str, value: float) -> Evidence:
    of_market = measure == "turbulence"
    ticker = MARKET if of_market else PORTFOLIO
    return Evidence.of(
        id=f"{ticker}/{measure}/{view.session}",
        kind="regime" if of_market else "portfolio",
        measure=measure,
        ticker=ticker,
        as_of=view.as_of,
        available_at=view.as_of,
        period=f"at {view.session}",
        value=value,
        unit=MEASURES[measure].unit,
        source="prices" if of_market else "proposal",
    )
