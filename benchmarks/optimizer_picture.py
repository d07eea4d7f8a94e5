"""Draws docs/images/optimizer_{frontier,tail}.png from us8: `python -m benchmarks.optimizer_picture`.

Expected returns are past means here, which no desk should believe; they show the geometry, not a forecast.
"""

import sys
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from paperdesk.tools.market.view import open_market
from paperdesk.tools.optimizer import MeanCVaR, MinimumCVaR, Problem, Solution
from paperdesk.tools.optimizer.scenarios import Scenarios, historical_scenarios
from paperdesk.tools.optimizer.tail import risk

ROOT = Path(__file__).parents[1]
US8 = ROOT / "../shared/data/us8"
IMAGES = ROOT / "docs" / "images"
BLUE, RED, GREY = "#2f5d8a", "#c0504d", "#8a8a8a"
BETA = 0.95
CAP = 0.4

Vector = NDArray[np.float64]


def history() -> Scenarios:
    """Four years of daily returns of seven US companies."""
    market = open_market(US8)
    view = market.view(market.calendar.close_of(date(2025, 8, 8)))
    names = tuple(name for name in market.tickers if name != market.benchmark)
    return historical_scenarios(view.returns(names, 1000), 500)


def least_risk(scenarios: Scenarios, target: float | None, cap: float = CAP) -> Solution | None:
    """The least CVaR, at a target return, fully invested."""
    answer = MeanCVaR().solve(
        Problem(
            tickers=scenarios.tickers,
            scenarios=scenarios.returns,
            goal=MinimumCVaR(target),
            expected_returns=scenarios.mean(),
            caps=np.array(cap),
            min_invested=1.0,
            window=scenarios.window,
        )
    )
    return answer if isinstance(answer, Solution) else None


def plot() -> None:
    """Both pictures."""
    import matplotlib as mpl

    mpl.use("Agg")
    mpl.rcParams.update({"font.size": 10, "axes.spines.top": False, "axes.spines.right": False})
    scenarios = history()
    safest = least_risk(scenarios, None)
    assert safest is not None
    _plot_frontier(scenarios, safest)
    _plot_tail(scenarios, safest)


def _figure(title: str, across: str, up: str) -> tuple[Any, Any]:
    from matplotlib import pyplot

    figure, axes = pyplot.subplots(figsize=(6.8, 4.2), dpi=110)
    axes.set(xlabel=across, ylabel=up)
    axes.set_title(title, loc="left", fontsize=11)
    return figure, axes


def _save(figure: Any, name: str) -> None:
    from matplotlib import pyplot

    figure.tight_layout()
    figure.savefig(IMAGES / f"optimizer_{name}.png", metadata={"Software": None})
    pyplot.close(figure)


def _plot_frontier(scenarios: Scenarios, safest: Solution) -> None:
    figure, axes = _figure(
        f"Least CVaR at each target return, caps of {CAP:.0%}",
        "CVaR 95 % of a day's loss, % of equity",
        "return, bp a day",
    )
    means = scenarios.mean()
    highest = float(np.sort(means)[::-1] @ np.array([CAP, CAP, 1 - 2 * CAP, *[0.0] * (len(means) - 3)]))
    found = [least_risk(scenarios, float(target)) for target in np.linspace(safest.expected_return, highest - 1e-9, 60)]
    points = [(100 * one.cvar, 1e4 * one.expected_return) for one in found if one is not None]
    axes.plot(*zip(*points, strict=True), color=BLUE, lw=2, label="frontier")
    axes.plot(100 * safest.cvar, 1e4 * safest.expected_return, "o", color=BLUE, ms=7, label="least CVaR of all")
    chances = scenarios.chances
    equal = np.full(len(means), 1 / len(means))
    cvar = risk(-scenarios.returns @ equal, chances, BETA)[0]
    axes.plot(100 * cvar, 1e4 * float(means @ equal), "s", color=RED, ms=7, label="equal weights")
    for place, name in enumerate(scenarios.tickers):
        alone = 100 * risk(-scenarios.returns[:, place], chances, BETA)[0]
        axes.plot(alone, 1e4 * means[place], ".", color=GREY, ms=9)
        axes.annotate(
            name,
            (alone, 1e4 * means[place]),
            xytext=(5, -11 if name == "MSFT" else 4),  # which lies beside JPM
            textcoords="offset points",
            color=GREY,
            fontsize=9,
        )
    axes.margins(x=0.1)
    axes.legend(frameon=False, loc="upper left")
    _save(figure, "frontier")


def _plot_tail(scenarios: Scenarios, safest: Solution) -> None:
    from matplotlib import pyplot

    equal = np.full(len(scenarios.tickers), 1 / len(scenarios.tickers))
    weights = np.array([safest.weights[name] for name in scenarios.tickers])
    bins = np.arange(-6, 8.01, 0.25)
    figure, panels = pyplot.subplots(2, 1, figsize=(6.8, 5.2), dpi=110, sharex=True, sharey=True)
    panels[0].set_title("The worst twentieth of the days is what counts", loc="left", fontsize=11)
    for axes, held, colour, label in zip(
        panels, (equal, weights), (RED, BLUE), ("equal weights", "least CVaR"), strict=True
    ):
        losses = -scenarios.returns @ held
        cvar, var = risk(losses, scenarios.chances, BETA)
        axes.hist(100 * losses, bins=bins, color=GREY, alpha=0.25)
        axes.hist(100 * losses[losses >= var], bins=bins, color=colour, alpha=0.85)
        axes.axvline(100 * var, color=colour, lw=1.2, ls=":", ymax=0.75)
        axes.axvline(100 * cvar, color=colour, lw=1.6, ymax=0.55)
        place = {"xycoords": ("data", "axes fraction"), "textcoords": "offset points", "color": colour, "fontsize": 9}
        axes.annotate(f"VaR {var:.2%}", (100 * var, 0.75), xytext=(5, -8), **place)
        axes.annotate(f"CVaR {cvar:.2%},\nthe mean of the coloured days", (100 * cvar, 0.55), xytext=(5, -19), **place)
        axes.annotate(label, (0.02, 0.88), xycoords="axes fraction", color=colour)
        axes.set_ylabel("days")
    panels[1].set_xlabel("loss of the day, % of equity")
    panels[1].set_xlim(-5, 7.5)
    _save(figure, "tail")


if __name__ == "__main__":
    plot()
    sys.stdout.write(f"drawn in {IMAGES}\n")
