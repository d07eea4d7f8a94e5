"""The report's own charts, made of the viewer's parts so that both look alike."""

from collections.abc import Sequence
from datetime import date
from itertools import accumulate

from markupsafe import Markup

from ...agents.roles import title_of
from ...memory.calibration import AgentRecord
from ..reading.series import Outcome
from ..viewer.charts import Frame, axis, date_axis, digits, framed, legend, nice_marks, panel, short
from ..viewer.words import money, number, percent
from .figures import Tail, Traded

_CURVES = 5
"""Colours of curves that the style sheet has."""


def turnover_chart(traded: Sequence[Traded], last: date) -> Markup:
    """A bar per decision, what was bought and sold over equity; below it the costs so far, in money.

    Args:
        traded: in order.
        last: last day of the session.
    """
    if not traded:
        return Markup("")
    first, end = traded[0].day.toordinal(), max(last.toordinal(), traded[0].day.toordinal() + 1)
    marks = nice_marks(0.0, max([0.01, *(one.turnover for one in traded)]), 3)
    frame = Frame(first, end, 0.0, marks[-1])
    bars = Markup('<path class="stems k0" d="{}"/>').format(
        "".join(f"M{short(frame.x(one.day))} 1000V{short(frame.y(one.turnover))}" for one in traded)
    )
    paid = list(accumulate(one.costs for one in traded))
    costs = nice_marks(0.0, max(1.0, paid[-1]), 2)
    below = Frame(first, end, 0.0, costs[-1])
    line = [(one.day, so_far) for one, so_far in zip(traded, paid, strict=True)]
    area = Markup('<path class="area k1" d="{}"/>').format(
        below.path([(traded[0].day, 0.0), *line, (last, paid[-1]), (last, 0.0)])
    )
    mean = sum(one.turnover for one in traded) / len(traded)
    head = legend(
        [("turnover of a decision, on average", "k0", percent(mean)), ("costs so far", "k1", money(paid[-1]))]
    )
    upper = panel("turnover", frame, marks, digits(marks), bars, high=120)
    return framed(head, upper + panel("costs", below, costs, "{:,.0f}", area, high=70, scale=1) + date_axis(frame))


def losses_chart(tails: Sequence[Tail]) -> Markup:
    """Each day's loss as a stem, and the CVaR that was foretold for it as a line."""
    days = [(day, -value) for tail in tails for day, value in tail.returns]
    if not days:
        return Markup("")
    top = max(*(loss for _, loss in days), *(tail.foretold for tail in tails), 0.001)
    marks = nice_marks(0.0, top, 3)
    frame = Frame(days[0][0].toordinal(), max(days[-1][0].toordinal(), days[0][0].toordinal() + 1), 0.0, marks[-1])
    limits = {day: tail.foretold for tail in tails for day, _ in tail.returns}
    within = [(day, loss) for day, loss in days if 0 < loss <= limits[day]]
    beyond = [(day, loss) for day, loss in days if loss > limits[day]]
    stems = Markup("").join(
        Markup('<path class="stems thin {}" d="{}"/>').format(
            colour, "".join(f"M{short(frame.x(day))} 1000V{short(frame.y(loss))}" for day, loss in some)
        )
        for colour, some in (("k3", within), ("k1", beyond))
        if some
    )
    steps = [
        (day, tail.foretold) for tail in tails if tail.returns for day in (tail.returns[0][0], tail.returns[-1][0])
    ]
    line = Markup('<path class="curve k0" d="{}"/>').format(frame.path(steps))
    head = legend(
        [
            ("CVaR foretold, latest", "k0", percent(tails[-1].foretold, 2)),
            ("days that lost", "k3", number(len(within) + len(beyond), 0)),
            ("of them beyond it", "k1", number(len(beyond), 0)),
        ]
    )
    return framed(head, panel("losses", frame, marks, digits(marks), stems + line, high=160) + date_axis(frame))


def outcomes_chart(outcomes: Sequence[Outcome], agents: Sequence[str]) -> Markup:
    """A dot per signal: its score from left to right, its outcome upwards; agents, in their order, by colour."""
    if not outcomes:
        return Markup("")
    values = [one.outcome for one in outcomes]
    marks = nice_marks(min(*values, 0.0), max(*values, 0.0))
    frame = Frame(-1.0, 1.0, marks[0], marks[-1])
    by_agent = {agent: [(one.score, one.outcome) for one in outcomes if one.agent == agent] for agent in agents}
    middle = Markup('<line class="grid zero" x1="500" x2="500" y1="0" y2="1000"/>')
    dots = Markup("").join(_dots(frame, points, i) for i, points in enumerate(by_agent.values()))
    head = legend([(title_of(agent), f"k{i % _CURVES}", str(len(p))) for i, (agent, p) in enumerate(by_agent.items())])
    words = axis(["certain sell", "", "score 0", "", "certain buy"])
    return framed(head, panel("outcomes", frame, marks, digits(marks, "+"), middle + dots, high=220) + words)


def calibration_chart(records: Sequence[AgentRecord], agents: Sequence[str]) -> Markup:
    """How often the direction foretold came, by how sure its agent was; on the diagonal both are equal.

    Agents, in their order, by colour.
    """
    told = [record for record in records if record.bins]
    if not told:
        return Markup("")
    frame = Frame(0.0, 1.0, 0.0, 1.0)
    diagonal = Markup('<path class="diagonal" d="M0 1000L1000 0"/>')
    drawn = Markup("").join(_calibrated(frame, record, agents.index(record.agent)) for record in told)
    head = legend(
        [
            (
                title_of(record.agent),
                f"k{agents.index(record.agent) % _CURVES}",
                f"{percent(record.confidence, 0)} sure, {percent(record.hit_rate, 0)} right",
            )
            for record in told
        ]
    )
    marks = [0.0, 0.25, 0.5, 0.75, 1.0]
    inner = panel("calibration", frame, marks, "{:.0f}%", diagonal + drawn, high=240)
    return framed(head, inner + axis(["0% sure", "25%", "50%", "75%", "100% sure"]))


def _calibrated(frame: Frame, record: AgentRecord, place: int) -> Markup:
    points = [(one.confidence, one.hit_rate) for one in record.bins]
    line = Markup('<path class="curve thin k{}" d="{}"/>').format(place % _CURVES, frame.path(points))
    return line + _dots(frame, points, place, "wide")


def _dots(frame: Frame, points: Sequence[tuple[float, float]], place: int, kind: str = "") -> Markup:
    """Points as strokes without a length: round whatever the picture is stretched to."""
    path = "".join(f"M{short(frame.x(x))} {short(frame.y(y))}h0" for x, y in points)
    return Markup('<path class="dots {} k{}" d="{}"/>').format(kind, place % _CURVES, path)
