"""How the laboratory's returns compare with real ones: us8 and the twenty large companies that skfolio carries.

`python -m benchmarks return_statistics` writes a row per market, and `python -m benchmarks.return_statistics` draws the
pictures of docs/laboratory.md. A real market that is not at hand (us8 lies beside the repository, skfolio is in the
extra `markets`) is left out of both.
"""

import sys
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from paperdesk.tools.market.dataset import open_dataset
from paperdesk.tools.market.laboratory import LaboratoryPlan, build_world
from paperdesk.tools.market.laboratory.detect import total_return_index

US8 = Path(__file__).parents[1] / "../shared/data/us8"
IMAGES = Path(__file__).parents[1] / "docs" / "images"
SEEDS = (1, 2, 3, 4, 5)
LAGS = 20
COLOURS = {"us8": "#c0504d", "sp20": "#e0a030", "laboratory": "#2f5d8a"}

Returns = NDArray[np.float64]


def real() -> dict[str, Returns]:
    """Daily total returns of the real markets at hand, (T, N) each, NaN where there is none."""
    found: dict[str, Returns] = {}
    if US8.is_dir():
        bars = open_dataset(US8).bars
        found["us8"] = _daily(total_return_index(bars.close, bars.dividend, bars.split))
    if find_spec("skfolio") is not None:
        from skfolio.datasets import load_sp500_dataset

        found["sp20"] = _daily(load_sp500_dataset().to_numpy())
    return found


def made() -> list[Returns]:
    """Daily total returns of the default laboratory under several seeds."""
    worlds = [build_world(LaboratoryPlan(seed=seed)) for seed in SEEDS]
    return [_daily(total_return_index(world.close, world.dividend_as_traded, world.split)) for world in worlds]


def _daily(wealth: Returns) -> Returns:
    return np.asarray(wealth[1:] / wealth[:-1] - 1)


def _columns(returns: Returns) -> list[Returns]:
    """Each company's returns less their mean, without gaps, of those with two years of them."""
    rows = [column[np.isfinite(column)] for column in returns.T]
    return [row - row.mean() for row in rows if len(row) > 500]


def memory(returns: Returns) -> Returns:
    """(LAGS,) median over companies of the autocorrelation of squared returns."""
    values = []
    for row in _columns(returns):
        square = row**2 - (row**2).mean()
        values.append([(square[lag:] * square[:-lag]).mean() / (square**2).mean() for lag in range(1, LAGS + 1)])
    return np.median(values, axis=0)


def correlations(returns: Returns) -> Returns:
    """Correlations of all pairs of companies."""
    matrix = pd.DataFrame(returns).corr(min_periods=500).to_numpy()
    pairs = matrix[np.triu_indices(len(matrix), 1)]
    return np.asarray(pairs[np.isfinite(pairs)])


def summary(returns: Returns) -> dict[str, float]:
    """Medians over companies, and figures of an equal-weighted portfolio."""
    rows = _columns(returns)
    standard = [row / row.std() for row in rows]
    first = [float((row[1:] * row[:-1]).mean()) for row in standard]
    lags, pairs = memory(returns), correlations(returns)
    portfolio = np.nanmean(returns, axis=1)
    together = (portfolio - portfolio.mean()) / portfolio.std()
    figures = {
        "volatility": np.median([row.std() for row in rows]) * np.sqrt(252),
        "kurtosis": np.median([(row**4).mean() - 3 for row in standard]),
        "highest_kurtosis": max((row**4).mean() - 3 for row in standard),
        "skew": np.median([(row**3).mean() for row in standard]),
        "autocorrelation": np.median(first),
        "squares_lag_1": lags[0],
        "squares_lags_1_to_5": lags[:5].mean(),
        "squares_lag_20": lags[-1],
        "correlation": pairs.mean(),
        "correlation_5_percent": np.quantile(pairs, 0.05),
        "correlation_95_percent": np.quantile(pairs, 0.95),
        "portfolio_volatility": portfolio.std() * np.sqrt(252),
        "portfolio_kurtosis": (together**4).mean() - 3,
        "portfolio_skew": (together**3).mean(),
    }
    return {name: round(float(value), 3) for name, value in figures.items()}


def measure() -> list[dict[str, Any]]:
    """A row per real market, and per seed of the laboratory."""
    rows = [{"market": name, "sessions": len(returns), **summary(returns)} for name, returns in real().items()]
    for seed, returns in zip(SEEDS, made(), strict=True):
        rows.append({"market": f"laboratory, seed {seed}", "sessions": len(returns), **summary(returns)})
    return rows


def plot() -> None:
    """Draw docs/images/laboratory_{tails,memory,correlations}.png."""
    import matplotlib as mpl

    mpl.use("Agg")
    mpl.rcParams.update({"font.size": 10, "axes.spines.top": False, "axes.spines.right": False, "svg.hashsalt": "lab"})
    markets, laboratories = real(), made()
    _plot_tails(markets, laboratories)
    _plot_memory(markets, laboratories)
    _plot_correlations(markets, laboratories)


def _figure(title: str, across: str, up: str) -> tuple[Any, Any]:
    from matplotlib import pyplot

    figure, axes = pyplot.subplots(figsize=(6.4, 3.8), dpi=110)
    axes.set(xlabel=across, ylabel=up)
    axes.set_title(title, loc="left", fontsize=11)
    return figure, axes


def _save(figure: Any, axes: Any, name: str) -> None:
    from matplotlib import pyplot

    axes.legend(frameon=False)
    figure.tight_layout()
    figure.savefig(IMAGES / f"laboratory_{name}.png", metadata={"Software": None})
    pyplot.close(figure)


def _plot_tails(markets: dict[str, Returns], laboratories: list[Returns]) -> None:
    figure, axes = _figure("Fat tails", "size of a daily return, standard deviations", "share of days beyond")
    sizes = np.linspace(0.5, 12, 120)

    def beyond(returns: Returns) -> Returns:
        pooled = np.abs(np.concatenate([row / row.std() for row in _columns(returns)]))
        return np.array([(pooled > size).mean() for size in sizes])

    band = np.array([beyond(returns) for returns in laboratories])
    axes.fill_between(sizes, band.min(axis=0), band.max(axis=0), color=COLOURS["laboratory"], alpha=0.25, lw=0)
    axes.plot(sizes, np.median(band, axis=0), color=COLOURS["laboratory"], label="laboratory, five seeds")
    for name, returns in markets.items():
        axes.plot(sizes, beyond(returns), color=COLOURS[name], label=name)
    from scipy import stats

    axes.plot(sizes, 2 * stats.norm.sf(sizes), color="#999999", ls=":", label="normal")
    axes.set_yscale("log")
    axes.set_ylim(1e-5, 1)
    _save(figure, axes, "tails")


def _plot_memory(markets: dict[str, Returns], laboratories: list[Returns]) -> None:
    figure, axes = _figure("Volatility clusters", "lag, sessions", "autocorrelation of squares, median")
    lags = np.arange(1, LAGS + 1)
    band = np.array([memory(returns) for returns in laboratories])
    axes.fill_between(lags, band.min(axis=0), band.max(axis=0), color=COLOURS["laboratory"], alpha=0.25, lw=0)
    axes.plot(lags, np.median(band, axis=0), color=COLOURS["laboratory"], label="laboratory, five seeds")
    for name, returns in markets.items():
        axes.plot(lags, memory(returns), color=COLOURS[name], label=name)
    axes.set_xticks([1, 5, 10, 15, 20])
    axes.set_ylim(0, None)
    _save(figure, axes, "memory")


def _plot_correlations(markets: dict[str, Returns], laboratories: list[Returns]) -> None:
    figure, axes = _figure(
        "Companies move together", "correlation of daily returns of two companies", "share of pairs below"
    )

    def curve(pairs: Returns) -> tuple[Returns, Returns]:
        return np.sort(pairs), np.linspace(0, 1, len(pairs))

    for number, returns in enumerate(laboratories):
        label = "laboratory, five seeds" if number == 0 else None
        axes.plot(*curve(correlations(returns)), color=COLOURS["laboratory"], alpha=0.6, lw=1, label=label)
    for name, returns in markets.items():
        axes.plot(*curve(correlations(returns)), color=COLOURS[name], label=name)
    axes.set_xlim(-0.05, 0.95)
    axes.set_ylim(0, 1)
    _save(figure, axes, "correlations")


if __name__ == "__main__":
    plot()
    sys.stdout.write(f"drawn in {IMAGES}\n")
