"""What `paperdesk memory` prints: what each analyst's record is worth, and the lessons that a session knows."""

from collections.abc import Sequence
from datetime import UTC, date, datetime, time
from pathlib import Path

from rich.markup import escape
from rich.table import Table

from ..agents.roles import title_of
from ..memory.calibration import Bin, Calibration
from ..memory.calibration.book import ALL, record_of
from ..memory.journal import Journal
from ..memory.lessons import Experience, Lesson, lesson_of
from ..memory.outcome import Outcome
from ..tools.errors import InputError
from ..tools.frozen import Frozen
from .carrying import outcomes_of
from .pages import print_json, print_tables

DASH = "-"


class Standing(Frozen):
    """One agent with one mind in one state of the market."""

    agent: str
    model: str
    regime: str
    """`all` for all states together."""
    outcomes: int
    independent: float
    """Outcomes as if independent."""
    ic: float | None
    ic_low: float | None
    ic_high: float | None
    brier: float
    ece: float
    confidence: float
    hit_rate: float
    bins: tuple[Bin, ...]
    """Confidence and hit rate by tenths of confidence."""
    deflation: float
    """What the agent's confidence is multiplied by, from all states together."""
    weight: float
    """What its score is multiplied by at a decision in this state."""


def standings(outcomes: Sequence[Outcome], as_of: datetime) -> tuple[Standing, ...]:
    """Every agent and mind with a record, in all states of the market and in each."""
    calibration = Calibration()
    calibration.add(*outcomes)
    known = {mind: calibration.known(mind, as_of) for mind in calibration.minds()}
    known = {mind: rows for mind, rows in known.items() if len(rows)}
    found = []
    for (agent, model), rows in known.items():
        together = [name for name, other in known if other == model]
        for regime in (ALL, *sorted(set(rows.regimes.tolist()))):
            place = together.index(agent)
            weighed = calibration.records(together, model, regime, as_of)[place]
            own = record_of(agent, model, ALL, rows if regime == ALL else rows.chosen(rows.regimes == regime))
            fields = own.model_dump(include=set(Standing.model_fields) - {"regime", "deflation", "weight"})
            found.append(
                Standing.model_validate(
                    fields | {"regime": regime, "deflation": weighed.deflation, "weight": weighed.weight}
                )
            )
    return tuple(found)


def print_standings(session: Path, *, as_of: date | None, json: bool) -> None:
    """What the records of a session's analysts are worth at a day, by default after all that it knows.

    Raises:
        JournalRefused: the folder holds no session.
        InputError: nothing was known by then.
    """
    found = standings(_outcomes(session), _moment(as_of))
    if not found:
        raise InputError(f"no horizon had passed in {session} by then; a record begins with the first outcome")
    if json:
        print_json(found)
        return
    heads = ("analyst", "mind", "market", "outcomes", "independent", "IC", "95 %", "Brier", "ECE", "sure", "right")
    table = Table(*heads, "confidence x", "weight", box=None, pad_edge=False)
    for column in table.columns[3:]:
        column.justify = "right"
    for row in found:
        bounds = DASH if row.ic_low is None else f"{row.ic_low:+.2f} to {row.ic_high:+.2f}"
        table.add_row(
            title_of(row.agent),
            escape(row.model),
            row.regime,
            str(row.outcomes),
            f"{row.independent:.0f}",
            DASH if row.ic is None else f"{row.ic:+.3f}",
            bounds,
            f"{row.brier:.3f}",
            f"{row.ece:.3f}",
            f"{row.confidence:.0%}",
            f"{row.hit_rate:.0%}",
            f"{row.deflation:.2f}",
            f"{row.weight:.3f}",
        )
    print_tables(table, "", "Brier 0.667 is what knowing nothing scores; a weight without a record is 0.030.")


def print_lessons(
    session: Path, *, agent: str | None, like: str | None, as_of: date | None, limit: int, json: bool
) -> None:
    """The lessons that a session knows: the newest, or those whose situation is most like one.

    Raises:
        JournalRefused: the folder holds no session.
        InputError: it has no lessons, or none of this agent; or a likeness is asked for without an agent.
    """
    until = _moment(as_of)
    outcomes = [row for row in _outcomes(session) if row.available_at <= until and agent in (None, row.agent)]
    if not outcomes:
        whose = f" of {agent}" if agent else ""
        raise InputError(f"{session} knows no lesson{whose}; a lesson is told when the horizon of a signal has passed")
    if like is not None:
        if agent is None:
            raise InputError("lessons are recalled by their analyst; name one with --agent")
        experience = Experience()
        experience.learn(*outcomes)
        found = [recalled.lesson for recalled in experience.recall(agent, like, until, limit)]
    else:
        newest = sorted(outcomes, key=lambda row: (row.available_at, *map(str, row.key())), reverse=True)
        found = [lesson_of(row) for row in newest[:limit]]
    if json:
        print_json(found)
        return
    print_tables(_lessons(found))


def _lessons(found: Sequence[Lesson]) -> Table:
    table = Table("known", "analyst", "lesson", "told on", box=None, pad_edge=False)
    for lesson in found:
        known = f"{lesson.available_at:%Y-%m-%d}"
        table.add_row(known, title_of(lesson.agent), escape(lesson.text), escape(lesson.told_on))
    return table


def _outcomes(session: Path) -> list[Outcome]:
    with Journal.open_readonly(session) as journal:
        return outcomes_of(journal)


def _moment(day: date | None) -> datetime:
    """The end of a day (UTC); without one, the end of time."""
    return datetime.combine(day or date.max, time.max, UTC)
