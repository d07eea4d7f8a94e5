"""The picture of a session: equity of the desk and its baselines above, their drawdowns below.

Imports matplotlib and draws on a figure of its own with Agg: no display, no global state. Import this module lazily.
"""

from collections.abc import Mapping, Sequence
from datetime import date
from pathlib import Path

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.dates import AutoDateLocator, ConciseDateFormatter, date2num
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, MaxNLocator

from .metrics import drawdowns

INK, MUTED, GRID, PAPER = "#1b1f24", "#6b7280", "#e5e7eb", "#ffffff"
COLOURS = ("#0072b2", "#d55e00", "#009e73", "#7a7a7a", "#cc79a7", "#e69f00")
"""Okabe and Ito (2008): told apart with every form of colour blindness. The first is the desk's."""


def equity_plot(
    curves: Mapping[str, pd.Series],
    path: Path,
    *,
    title: str,
    subtitle: str = "",
    drawdown: bool = True,
    decisions: Sequence[date] = (),
) -> None:
    """Draw tracks of equity, the first one (the desk) in front, each named at its end.

    Args:
        curves: equity (currency) by date, by name.
        path: where the PNG goes (1800 x 1050 pixels).
        title: what the reader should see.
        subtitle: market, window, model.
        drawdown: whether to draw the panel of drawdowns.
        decisions: decision sessions, shown as ticks along the bottom of the upper panel.
    """
    figure = Figure(figsize=(12, 7), dpi=150, facecolor=PAPER)
    FigureCanvasAgg(figure)
    heights = [3.2, 1] if drawdown else [1]
    panels = figure.subplots(
        len(heights),
        1,
        sharex=True,
        squeeze=False,
        gridspec_kw={
            "height_ratios": heights,
            "hspace": 0.1,
            "left": 0.07,
            "right": 0.82,
            "top": 0.86,
            "bottom": 0.07,
        },
    )[:, 0]
    for panel in panels:
        _quiet(panel)
    _lines(panels[0], curves)
    _label_ends(panels[0], curves)
    if len(decisions):
        _decisions(panels[0], decisions)
    if drawdown:
        _drawdowns(panels[1], curves)
    locator = AutoDateLocator(minticks=4, maxticks=9)  # type: ignore[no-untyped-call]
    panels[-1].xaxis.set_major_locator(locator)
    panels[-1].xaxis.set_major_formatter(ConciseDateFormatter(locator))  # type: ignore[no-untyped-call]
    figure.text(0.07, 0.945, title, fontsize=17, fontweight="bold", color=INK, va="center")
    figure.text(0.07, 0.9, subtitle, fontsize=10.5, color=MUTED, va="center")
    figure.savefig(path)


def _decisions(panel: Axes, decisions: Sequence[date]) -> None:
    """A small tick on the lower edge for each decision."""
    panel.plot(
        np.asarray(date2num(list(decisions)), dtype=float),  # type: ignore[no-untyped-call]
        np.zeros(len(decisions)),
        linestyle="none",
        marker="|",
        markersize=5,
        markeredgewidth=0.8,
        color=MUTED,
        clip_on=False,
        zorder=1,
        transform=panel.get_xaxis_transform(),
    )


def _style(rank: int) -> tuple[str, float, int]:
    """Colour, line width and layer of the n-th curve."""
    return COLOURS[rank % len(COLOURS)], 2.4 if rank == 0 else 1.3, 10 - rank


def _lines(panel: Axes, curves: Mapping[str, pd.Series]) -> None:
    for rank, curve in enumerate(curves.values()):
        colour, width, layer = _style(rank)
        panel.plot(curve.index, curve.to_numpy(), color=colour, linewidth=width, zorder=layer, solid_capstyle="round")
    start = next(iter(curves.values())).iloc[0]
    panel.axhline(start, color=MUTED, linewidth=0.8, linestyle=(0, (2, 3)), zorder=1)
    panel.yaxis.set_major_locator(MaxNLocator(6, steps=[1, 2, 2.5, 5, 10]))
    panel.yaxis.set_major_formatter(FuncFormatter(_money))


def _label_ends(panel: Axes, curves: Mapping[str, pd.Series]) -> None:
    """Name and total return beside each curve's end, moved apart where they would overlap."""
    low, high = panel.get_ylim()
    gap = (high - low) * 0.1
    ends = {name: float(curve.iloc[-1]) for name, curve in curves.items()}
    places = _spread([ends[name] for name in curves], gap, low + gap / 2, high - gap / 2)
    first, last = (float(edge) for edge in panel.get_xlim())
    reach = last - first
    for rank, (name, curve) in enumerate(curves.items()):
        colour = _style(rank)[0]
        change = float(curve.iloc[-1] / curve.iloc[0]) - 1
        panel.annotate(
            f"{name}\n{change:+.1%}",
            xy=(last + reach * 0.006, ends[name]),
            xytext=(last + reach * 0.03, places[rank]),
            color=colour,
            fontsize=10.5,
            fontweight="bold" if rank == 0 else "normal",
            va="center",
            linespacing=1.15,
            annotation_clip=False,
            arrowprops={
                "arrowstyle": "-",
                "color": colour,
                "linewidth": 0.7,
                "shrinkA": 2,
                "shrinkB": 0,
                "relpos": (0, 0.5),
            },
        )


def _spread(values: Sequence[float], gap: float, low: float, high: float) -> list[float]:
    """Places near the values, in their order, at least `gap` apart, inside [low, high] if they fit."""
    order = sorted(range(len(values)), key=lambda i: values[i])
    places = [0.0] * len(values)
    floor = low
    for i in order:
        places[i] = max(values[i], floor)
        floor = places[i] + gap
    ceiling = high
    for i in reversed(order):
        places[i] = min(places[i], ceiling)
        ceiling = places[i] - gap
    return places


def _drawdowns(panel: Axes, curves: Mapping[str, pd.Series]) -> None:
    for rank, curve in enumerate(curves.values()):
        colour, width, layer = _style(rank)
        depth = drawdowns(curve).to_numpy()
        if rank == 0:
            panel.fill_between(curve.index, depth, 0, color=colour, alpha=0.18, linewidth=0, zorder=2)
        panel.plot(
            curve.index, depth, color=colour, linewidth=width * 0.6, alpha=1 if rank == 0 else 0.55, zorder=layer
        )
    panel.set_ylim(top=0)
    panel.yaxis.set_major_locator(MaxNLocator(3))
    panel.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:.0%}"))
    name, desk = next(iter(curves.items()))
    panel.annotate(
        f"drawdown\n{name} {drawdowns(desk).min():.1%} at worst",
        xy=(1, 1),
        xytext=(8, 0),
        xycoords="axes fraction",
        textcoords="offset points",
        va="top",
        color=MUTED,
        fontsize=9.5,
        linespacing=1.4,
        annotation_clip=False,
    )


def _quiet(panel: Axes) -> None:
    """No frame, a faint grid, muted figures."""
    panel.set_facecolor(PAPER)
    for side in panel.spines.values():
        side.set_visible(False)
    panel.grid(axis="y", color=GRID, linewidth=0.8)
    panel.set_axisbelow(True)
    panel.tick_params(length=0, labelsize=9.5, labelcolor=MUTED)
    panel.margins(x=0.0)


def _money(value: float, _: int | None = None) -> str:
    if abs(value) >= 1e6:
        return f"{value / 1e6:.3g}M"
    return f"{value / 1e3:.4g}k" if abs(value) >= 1e4 else f"{value:,.0f}"
