"""Small drawings on pages: the way through the graph, a distribution over stances, a weight that moved."""

from collections.abc import Mapping, Sequence
from itertools import pairwise

from markupsafe import Markup

from ...agents.signals import STANCES
from ..reading.path import Step
from .words import percent, stance_words

_HIGH, _RISE = 30, 58
_ROOMY, _NARROW = (126, 18), (86, 12)
"""Width of a node and the gap after it: of a short way, and of one with more stations than fit beside each other."""
_FIT = 8
_TERSE = {"portfolio_manager": "manager", "pre_trade": "rules"}
_SHORT = {"portfolio_manager": "portfolio manager", "pre_trade": "pre-trade rules"}


def path_drawing(steps: Sequence[Step], address: str) -> Markup:
    """The way a decision took through the graph, a row for each time it went back.

    Args:
        steps: in order.
        address: where an event is shown, with `{}` for its number.
    """
    if not steps:
        return Markup("")
    columns, rows = max(step.column for step in steps) + 1, max(step.row for step in steps) + 1
    size = _ROOMY if columns <= _FIT else _NARROW
    wide, high = columns * sum(size) - size[1] + 4, rows * _RISE - (_RISE - _HIGH) + 4
    lines = Markup("").join(_line(before, after, size) for before, after in pairwise(steps))
    nodes = Markup("").join(_node(step, address, size) for step in steps)
    return Markup(
        '<svg class="path" width="{wide}" height="{high}" viewBox="-2 -2 {wide} {high}" role="group" '
        'aria-label="{words}">{lines}{nodes}</svg>'
    ).format(
        wide=wide,
        high=high,
        words="Path: " + ", ".join(node_words(step.node) for step in steps),
        lines=lines,
        nodes=nodes,
    )


def path_sketch(steps: Sequence[Step]) -> Markup:
    """The same as dots and lines, for a table's cell."""
    if not steps:
        return Markup("")
    columns, rows = max(step.column for step in steps) + 1, max(step.row for step in steps) + 1
    dots = Markup("").join(
        Markup('<circle class="dot{}" cx="{}" cy="{}" r="2.6"/>').format(
            " again" if step.row else "", 5 + step.column * 9, 5 + step.row * 9
        )
        for step in steps
    )
    places = " ".join(f"{5 + step.column * 9},{5 + step.row * 9}" for step in steps)
    return Markup(
        '<svg class="sketch" width="{}" height="{}" role="img" aria-label="{}"><polyline points="{}"/>{}</svg>'
    ).format(columns * 9 + 2, rows * 9 + 2, _sketch_words(steps, rows), places, dots)


def distribution(probabilities: Mapping[str, float]) -> Markup:
    """The probabilities of all stances as one bar, from strong sell to strong buy."""
    if not probabilities:
        return Markup("")
    order: list[str] = [name for name in STANCES if name in probabilities] or list(probabilities)
    at, parts = 0.0, []
    for name in order:
        share = probabilities[name]
        parts.append(
            Markup('<rect class="s-{}" x="{:.2f}%" width="{:.2f}%" height="100%"><title>{} {}</title></rect>').format(
                name, at * 100, share * 100, stance_words(name), percent(share, 0)
            )
        )
        at += share
    words = ", ".join(f"{stance_words(name)} {percent(probabilities[name], 0)}" for name in order)
    return Markup('<svg class="dist" role="img" aria-label="{}">{}</svg>').format(words, Markup("").join(parts))


def weight_bar(before: float, after: float | None, top: float) -> Markup:
    """A weight as a bar, with a mark where it stood before."""
    scale = 100 / top if top > 0 else 0.0
    new = before if after is None else after
    return Markup(
        '<svg class="move" role="img" aria-label="from {} to {}"><rect class="track" width="100%" height="100%"/>'
        '<rect class="now" width="{:.2f}%" height="100%"/><rect class="was" x="{:.2f}%" width="2" height="100%"/></svg>'
    ).format(percent(before), percent(new), max(0.0, new) * scale, min(99.0, max(0.0, before) * scale))


def node_words(node: str) -> str:
    """A node's name for people."""
    return _SHORT.get(node, node.replace("_", " "))


def _place(step: Step, size: tuple[int, int]) -> tuple[int, int]:
    return step.column * sum(size), step.row * _RISE


def _line(before: Step, after: Step, size: tuple[int, int]) -> Markup:
    (x1, y1), (x2, y2), wide = _place(before, size), _place(after, size), size[0]
    if before.row == after.row:
        path = f"M{x1 + wide} {y1 + _HIGH / 2:g}H{x2}"
    else:
        middle = y1 + _HIGH + (_RISE - _HIGH) / 2
        path = f"M{x1 + wide / 2:g} {y1 + _HIGH}V{middle - 6:g}q0 6 -6 6H{x2 + wide / 2 + 6:g}q-6 0 -6 6V{y2}"
    return Markup('<path class="edge{}" d="{}"/>').format(" back" if before.row != after.row else "", path)


def _node(step: Step, address: str, size: tuple[int, int]) -> Markup:
    (x, y), wide = _place(step, size), size[0]
    terse = _TERSE.get(step.node, step.node.removesuffix("_analyst").replace("_", " "))
    return Markup(
        '<a href="{}"><title>{}</title><rect class="node{}" x="{}" y="{}" width="{}" height="{}" rx="6"/>'
        '<text x="{:g}" y="{:g}" text-anchor="middle">{}</text></a>'
    ).format(
        address.format(step.seq),
        node_words(step.node),
        " again" if step.row else "",
        x,
        y,
        wide,
        _HIGH,
        x + wide / 2,
        y + _HIGH / 2 + 4,
        node_words(step.node) if size == _ROOMY else terse,
    )


def _sketch_words(steps: Sequence[Step], rows: int) -> str:
    again = f", went back {rows - 1} {'time' if rows == 2 else 'times'}" if rows > 1 else ""
    return f"{len(steps)} steps{again}"
