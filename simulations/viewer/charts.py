"""Charts as inline SVG, drawn by the server.

Every chart is as wide as its place: curves stand in an inner picture that is stretched, words and ticks outside it keep
their size and are placed in per cent. Colours come from the style sheet, so a chart follows light and dark.
"""

import json
from collections.abc import Mapping, Sequence
from datetime import date
from itertools import pairwise
from math import ceil, floor, log10

from markupsafe import Markup

from ..reading.series import Bar, thinned

POINTS = 420
"""Points of a curve at most."""
WIDE, HIGH = 1000.0, 1000.0
"""The inner picture's own units."""
COLOURS = 12


def equity_chart(
    curves: Mapping[str, Sequence[tuple[date, float]]],
    decisions: Sequence[tuple[date, int]],
    *,
    readout: bool = True,
    parted: date | None = None,
) -> Markup:
    """Equity of the desk (the first curve) and its baselines, each as a change since its start, and drawdowns below.

    Args:
        curves: equity by day, by name.
        decisions: days on which the desk decided, with their numbers from 1.
        readout: with the values that a script reads out at the pointer.
        parted: a day that is marked from top to bottom.
    """
    whole = {name: _since_start(points) for name, points in curves.items() if points}
    grown = {name: thinned(points, POINTS) for name, points in whole.items()}
    if not grown:
        return Markup("")
    days = [day for day, _ in next(iter(grown.values()))]
    first, last = days[0].toordinal(), max(points[-1][0] for points in grown.values()).toordinal()
    levels = [value for points in grown.values() for _, value in points]
    marks = nice_marks(min(*levels, 0.0), max(*levels, 0.0))
    frame = Frame(first, max(last, first + 1), marks[0], marks[-1])
    lines = Markup("").join(
        Markup('<path class="curve k{}" d="{}"/>').format(i, frame.path(points))
        for i, points in reversed(list(enumerate(grown.values())))
    )
    ticks = Markup("").join(
        Markup('<line class="decided" x1="{x}" x2="{x}" y1="985" y2="1000"/>').format(x=short(frame.x(day)))
        for day, _ in thinned(decisions, POINTS)
    )
    if parted is not None:
        ticks += Markup('<line class="parted" x1="{x}" x2="{x}" y1="0" y2="1000"/>').format(x=short(frame.x(parted)))
    upper = panel("equity", frame, marks, digits(marks, "+"), lines + ticks, high=260)
    depth = {name: thinned(_drawdown(points), POINTS) for name, points in whole.items()}
    desk = next(iter(depth.values()))
    low = nice_marks(min(-0.01, *(value for points in depth.values() for _, value in points)), 0.0, 2)
    below = Frame(first, max(last, first + 1), low[0], 0.0)
    area = Markup('<path class="area k0" d="{}"/>').format(below.path([(days[0], 0.0), *desk, (days[-1], 0.0)]))
    others = Markup("").join(
        Markup('<path class="curve thin k{}" d="{}"/>').format(i, below.path(points))
        for i, points in enumerate(depth.values())
    )
    lower = panel("drawdown", below, low, digits(low), area + others, high=84)
    return framed(
        legend([(name, f"k{i}", f"{points[-1][1] * 100:+.1f}%") for i, (name, points) in enumerate(grown.items())]),
        upper + lower + date_axis(frame),
        _data(grown, decisions) if readout else "",
    )


def weights_chart(bars: Sequence[Bar], universe: Sequence[str]) -> Markup:
    """Weights of all positions over time, stacked; what is left up to the top is cash."""
    kept = thinned([(bar.day, bar) for bar in bars], POINTS)
    if not kept:
        return Markup("")
    held = {name: sum(abs(bar.weights.get(name, 0.0)) for _, bar in kept) for name in universe}
    names = sorted((name for name in universe if held[name] > 0), key=lambda name: -held[name])
    shown, rest = names[: COLOURS - 1], names[COLOURS - 1 :]
    frame = Frame(kept[0][0].toordinal(), max(kept[-1][0].toordinal(), kept[0][0].toordinal() + 1), 0.0, 1.0)
    floor_, layers = [0.0] * len(kept), list[Markup]()
    groups = [(name, [name]) for name in shown] + ([("others", rest)] if rest else [])
    for i, (_, members) in enumerate(groups):
        top = [
            low + sum(max(0.0, bar.weights.get(name, 0.0)) for name in members)
            for low, (_, bar) in zip(floor_, kept, strict=True)
        ]
        outline = [(day, level) for (day, _), level in zip(kept, top, strict=True)]
        # down to the ground: what lies below is drawn over it
        layers.insert(0, Markup('<path class="layer c{}" d="{}V1000H0Z"/>').format(i + 1, frame.path(outline)))
        floor_ = top
    inner = panel("weights", frame, [0.0, 0.25, 0.5, 0.75, 1.0], "{:.0f}%", Markup("").join(layers), high=180)
    last = kept[-1][1].weights
    items = [
        (name, f"c{i + 1}", f"{sum(last.get(one, 0.0) for one in members) * 100:.0f}%")
        for i, (name, members) in enumerate(groups)
    ]
    return framed(legend(items), inner + date_axis(frame))


def price_chart(closes: Sequence[tuple[date, float]]) -> Markup:
    """Closing prices over time."""
    kept = thinned(closes, POINTS)
    if len(kept) < 2:
        return Markup("")
    prices = [price for _, price in kept]
    marks = nice_marks(min(prices), max(prices))
    frame = Frame(kept[0][0].toordinal(), kept[-1][0].toordinal(), marks[0], marks[-1])
    line = Markup('<path class="curve k0" d="{}"/>').format(frame.path(kept))
    return framed(Markup(""), panel("prices", frame, marks, "{:g}", line, high=180, scale=1) + date_axis(frame))


def legend(items: Sequence[tuple[str, str, str]]) -> Markup:
    """Names with their colours and last values: (name, class, value)."""
    entries = Markup("").join(
        Markup(
            '<li><svg class="swatch" aria-hidden="true"><rect class="{}" width="100%" height="100%"/></svg>'
            "<span>{}</span> <b>{}</b></li>"
        ).format(colour, name, value.replace("-", "\N{MINUS SIGN}"))
        for name, colour, value in items
    )
    return Markup('<ul class="legend">{}</ul>').format(entries)


def nice_marks(low: float, high: float, about: int = 4) -> list[float]:
    """Round values that enclose a range, about so many steps apart.

    Returns:
        At least two, ascending; the first is at most `low`, the last at least `high`.
    """
    if high - low < 1e-9:
        low, high = low - 0.01, high + 0.01
    raw = (high - low) / about
    unit = 10.0 ** floor(log10(raw))
    step = next(unit * factor for factor in (1, 2, 2.5, 5, 10) if raw <= unit * factor * (1 + 1e-9))
    first, last = floor(low / step + 1e-9), ceil(high / step - 1e-9)
    return [i * step for i in range(first, max(last, first + 1) + 1)]


class Frame:
    """Where days (or other values, from left to right) and values stand in the inner picture."""

    def __init__(self, first: float, last: float, low: float, high: float) -> None:
        self.first, self.last, self.low, self.high = first, last, low, high

    def x(self, place: date | float) -> float:
        """From the left; a day counts as its ordinal."""
        at = place.toordinal() if isinstance(place, date) else place
        return WIDE * (at - self.first) / (self.last - self.first)

    def y(self, value: float) -> float:
        """From the top."""
        return HIGH * (self.high - value) / (self.high - self.low)

    def path(self, points: Sequence[tuple[date | float, float]]) -> str:
        """A line through points: the first as a place, each further one by its distance, in tenths of a unit."""
        places = [(round(self.x(day) * 10), round(self.y(value) * 10)) for day, value in points]
        steps = (f"{_tenths(x - x0)}{_tenths(y - y0, ' ')}" for (x0, y0), (x, y) in pairwise(places))
        x, y = places[0]
        return f"M{_tenths(x)}{_tenths(y, ' ')}" + (f"l{' '.join(steps)}" if len(places) > 1 else "")


def _tenths(count: int, before: str = "") -> str:
    """So many tenths, written as short as a path allows: its sign keeps a number apart from the one before."""
    text = f"{count / 10:.1f}".removesuffix(".0")
    return text if text.startswith("-") else before + text


def short(value: float) -> str:
    """A coordinate with a decimal at most."""
    return f"{value:.1f}".removesuffix(".0")


def _since_start(points: Sequence[tuple[date, float]]) -> list[tuple[date, float]]:
    start = points[0][1]
    return [(day, value / start - 1 if start else 0.0) for day, value in points]


def _drawdown(points: Sequence[tuple[date, float]]) -> list[tuple[date, float]]:
    peak, found = 0.0, []
    for day, value in points:
        peak = max(peak, 1 + value)
        found.append((day, (1 + value) / peak - 1 if peak else 0.0))
    return found


def panel(
    name: str, frame: Frame, marks: Sequence[float], form: str, inner: Markup, *, high: int, scale: int = 100
) -> Markup:
    """A picture of a height in pixels with its grid, its values on the left and what is drawn inside it.

    Args:
        name: its class.
        frame: where things stand.
        marks: values of the grid, ascending.
        form: how a value is written.
        inner: what is drawn.
        high: in pixels.
        scale: what a value is multiplied by before it is written.
    """
    grid = Markup("").join(
        Markup('<line class="grid{}" x1="0" x2="1000" y1="{y}" y2="{y}"/>').format(
            " zero" if abs(mark) < 1e-12 else "", y=short(frame.y(mark))
        )
        for mark in marks
    )
    words = Markup("").join(
        Markup('<text class="tick" x="-8" y="{}%" dy="4" text-anchor="end">{}</text>').format(
            short(frame.y(mark) / 10), _tick(form, mark * scale)
        )
        for mark in marks
    )
    return Markup(
        '<svg class="panel {name}" height="{high}" width="100%" aria-hidden="true">'
        '<svg viewBox="0 0 1000 1000" preserveAspectRatio="none" width="100%" height="100%">{grid}{inner}</svg>{words}'
        "</svg>"
    ).format(name=name, high=high, grid=grid, inner=inner, words=words)


def _tick(form: str, value: float) -> str:
    text = form.replace("+", "").format(0) if abs(value) < 1e-9 else form.format(value)
    return text.replace("-", "\N{MINUS SIGN}")


def digits(marks: Sequence[float], sign: str = "") -> str:
    """The format of fractions as per cent, with as many digits as tell two marks apart."""
    return f"{{:{sign}.{0 if marks[1] - marks[0] >= 0.0099 else 1}f}}%"


def date_axis(frame: Frame) -> Markup:
    """Four or five days along the bottom."""
    days = [round(frame.first + i * (frame.last - frame.first) / 4) for i in range(5)]
    narrow = frame.last - frame.first < 300
    told = [date.fromordinal(number) for number in days]
    return axis([f"{day.day} {day:%b}" if narrow else f"{day:%b %Y}" for day in told])


def axis(words: Sequence[str]) -> Markup:
    """Words along the bottom, evenly spaced from end to end; every second one gives way on a phone."""
    last = len(words) - 1
    texts = Markup("").join(
        Markup('<text class="tick{}" x="{}%" y="14" text-anchor="{}">{}</text>').format(
            " spare" if i % 2 else "",
            short(i * 100 / last),
            "start" if i == 0 else "end" if i == last else "middle",
            word,
        )
        for i, word in enumerate(words)
    )
    return Markup('<svg class="days" height="18" width="100%" aria-hidden="true">{}</svg>').format(texts)


def _data(curves: Mapping[str, Sequence[tuple[date, float]]], decisions: Sequence[tuple[date, int]]) -> str:
    """What the pointer reads out: days and values as JSON."""
    points = next(iter(curves.values()))
    numbers = list(decisions)
    place, in_force = 0, []
    for day, _ in points:
        while place < len(numbers) and numbers[place][0] <= day:
            place += 1
        in_force.append(numbers[place - 1][1] if place else 0)
    first, last = points[0][0].toordinal(), max(points[-1][0].toordinal(), points[0][0].toordinal() + 1)
    return json.dumps(
        {
            "x": [round((day.toordinal() - first) / (last - first), 4) for day, _ in points],
            "days": [day.isoformat() for day, _ in points],
            "names": list(curves),
            "values": [[round(100 * value, 2) for _, value in curve] for curve in curves.values()],
            "decisions": in_force,
        },
        separators=(",", ":"),
    )


def framed(head: Markup, body: Markup, data: str = "") -> Markup:
    """A chart: what its colours mean, its panels, and the values that a script reads out."""
    attribute = Markup(' data-points="{}"').format(data) if data else Markup("")
    return Markup('{}<div class="plot"{}>{}</div>').format(head, attribute, body)
