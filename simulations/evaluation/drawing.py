"""Two small drawings for the page, as SVG text: tracks of equity, and intervals beside a zero line.

Colours are classes that the page's style sheet fills in, so that they follow a dark screen.
"""

from collections.abc import Mapping, Sequence
from datetime import date
from html import escape
from math import log

from .figures import Estimate

WIDTH, HEIGHT = 760, 300
LEFT, RIGHT, TOP, BOTTOM = 44, 130, 12, 26
NAMED = 4
"""Curves that are drawn in a colour of their own and named at their end; the others are thin and grey."""


def curves(tracks: Mapping[str, Sequence[float]], days: Sequence[date]) -> str:
    """Equity over its start on a log axis: the desk in front, the range of the random accounts behind."""
    band = [tracks[name] for name in ("random, 5 %", "random, 95 %") if name in tracks]
    lines = {name: values for name, values in tracks.items() if not name.startswith("random, ")}
    every = [value for values in tracks.values() for value in values]
    low, high = log(min(every)), log(max(every))
    room = (high - low) or 1.0

    def x(place: float) -> float:
        return LEFT + (WIDTH - LEFT - RIGHT) * place / max(1, len(days) - 1)

    def y(value: float) -> float:
        return TOP + (HEIGHT - TOP - BOTTOM) * (1 - (log(value) - low) / room)

    def path(values: Sequence[float]) -> str:
        return " ".join(f"{x(i):.1f},{y(v):.1f}" for i, v in enumerate(values))

    parts = [_frame("Equity of the desk and its opponents")]
    for level in _levels(min(every), max(every)):
        parts.append(f'<line class="grid" x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{y(level):.1f}" y2="{y(level):.1f}"/>')
        parts.append(f'<text class="axis" x="{LEFT - 6}" y="{y(level) + 4:.1f}" text-anchor="end">{level:g}</text>')
    for place in (0, len(days) // 2, len(days) - 1):
        anchor = "start" if place == 0 else "end" if place == len(days) - 1 else "middle"
        text = f"{days[place]:%Y-%m}"
        parts.append(f'<text class="axis" x="{x(place):.1f}" y="{HEIGHT - 8}" text-anchor="{anchor}">{text}</text>')
    if len(band) == 2:
        upper = " ".join(f"{x(i):.1f},{y(v):.1f}" for i, v in reversed(list(enumerate(band[1]))))
        parts.append(f'<polygon class="band" points="{path(band[0])} {upper}"/>')
    named = list(lines)[:NAMED]
    for name in reversed(list(lines)):
        kind = f"c{named.index(name)}" if name in named else "other"
        parts.append(f'<polyline class="{kind}" points="{path(lines[name])}"><title>{escape(name)}</title></polyline>')
    parts += _ends({name: y(lines[name][-1]) for name in named}, x(len(days) - 1) + 8)
    return "".join([*parts, "</svg>"])


def forest(rows: Sequence[tuple[str, Estimate]], label: str) -> str:
    """Estimates with their intervals, one below the other, beside a line at 0."""
    edges = [v for _, e in rows for v in (e.low, e.high, e.value) if v is not None] + [0.0]
    low, high = min(edges), max(edges)
    room = (high - low) or 1.0
    height = 24 * len(rows) + 34

    def x(value: float) -> float:
        return 170 + (WIDTH - 250) * (value - low) / room

    parts = [_frame(label, height), f'<line class="zero" x1="{x(0):.1f}" x2="{x(0):.1f}" y1="4" y2="{height - 26}"/>']
    for place, (name, found) in enumerate(rows):
        middle = 16 + 24 * place
        parts.append(f'<text x="160" y="{middle + 4}" text-anchor="end">{escape(name)}</text>')
        if found.low is not None and found.high is not None:
            apart = found.low > 0 or found.high < 0
            kind = "apart" if apart else "within"
            parts.append(
                f'<line class="{kind}" x1="{x(found.low):.1f}" x2="{x(found.high):.1f}" y1="{middle}" y2="{middle}"/>'
            )
        parts.append(f'<circle class="dot" cx="{x(found.value):.1f}" cy="{middle}" r="3.5"/>')
        parts.append(f'<text class="axis" x="{WIDTH - 4}" y="{middle + 4}" text-anchor="end">{found.value:+.1%}</text>')
    for value in (low, 0.0, high):
        parts.append(f'<text class="axis" x="{x(value):.1f}" y="{height - 8}" text-anchor="middle">{value:+.0%}</text>')
    return "".join([*parts, "</svg>"])


def _frame(label: str, height: int = HEIGHT) -> str:
    return f'<svg viewBox="0 0 {WIDTH} {height}" role="img" aria-label="{escape(label)}" xmlns="http://www.w3.org/2000/svg">'


def _levels(low: float, high: float) -> list[float]:
    """Round levels between two values, few of them."""
    for step in (0.05, 0.1, 0.2, 0.25, 0.5, 1.0, 2.0, 5.0, 10.0):
        found = [round(step * n, 6) for n in range(int(low / step), int(high / step) + 2)]
        inside = [value for value in found if low <= value <= high and value > 0]
        if len(inside) <= 7:
            return inside
    return []


def _ends(places: Mapping[str, float], x: float) -> list[str]:
    """Names beside the ends of their curves, moved apart."""
    parts, last = [], -100.0
    order = list(places)
    for name in sorted(places, key=lambda key: places[key]):
        last = max(places[name] + 4, last + 15)
        parts.append(f'<text class="n{order.index(name)}" x="{x:.1f}" y="{last:.1f}">{escape(name)}</text>')
    return parts
