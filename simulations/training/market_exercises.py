"""Exercises from markets whose truth is known: what analysts are asked there, and the return to be expected.

A scorecard session of the desk is run on a laboratory market, and the questions to its analysts are taken from the
journal word for word. The right stance follows from the truth file: the expected return of the company that day, beyond
market and sector, as far as it comes from causes that the agent is shown.
"""

import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import date, timedelta
from pathlib import Path

import numpy as np

from ...agents.models.core import Request
from ...agents.signals import STANCES
from ...memory.journal import Journal
from ...memory.journal.events import DecisionOpened, ModelCalled
from ...tools.market.laboratory import Laboratory, LaboratoryPlan, make, write_laboratory
from ...tools.market.laboratory.plan import EdgeName
from ..config import SessionConfig
from ..session import start
from .exercises import Exercise, TrainingError, sheet_of

CAUSES: Mapping[str, tuple[EdgeName, ...]] = {
    "fundamental_analyst": ("value", "tone_drift", "post_earnings_drift"),
    "technical_analyst": ("momentum",),
}
"""By agent, the edges whose causes lie in the evidence that it is shown. What it cannot see would only be noise in what
it learns; calibration weighs it by what it is worth in all."""
CUTS = (-1.5, -0.5, 0.5, 1.5)
"""Borders of the five stances, in standard deviations of the expected return over companies and days."""
ALL_EDGES: Mapping[EdgeName, float] = {"momentum": 1.0, "value": 1.0, "tone_drift": 1.0, "post_earnings_drift": 1.0}


def laboratory_exercises(
    plan: LaboratoryPlan,
    *,
    folder: Path | None = None,
    agents: Sequence[str] = tuple(CAUSES),
    say: Callable[[str], None] = lambda text: None,
) -> list[Exercise]:
    """Exercises of a laboratory market.

    Args:
        plan: of the market; edges of the agents must be planted.
        folder: where market and session are put; a temporary one by default.
        agents: of the classic desk.
        say: told what is going on.

    Raises:
        TrainingError: nothing is planted that one of the agents is shown.
    """
    strange = sorted(set(agents) - set(CAUSES))
    if strange:
        raise TrainingError(
            f"Generated markets have nothing for {strange[0]!r} to learn: name {' or '.join(CAUSES)}, or learn from"
            " sessions."
        )
    with tempfile.TemporaryDirectory() as temporary:
        place = folder or Path(temporary)
        say(f"making a market of {plan.companies} companies over {plan.years} years (seed {plan.seed})")
        laboratory = make(plan)
        write_laboratory(laboratory, place / "market")
        say("asking what the desk would be asked there")
        start(SessionConfig(market=str(place / "market"), model="scorecard", repeats=1), place / "session")
        with Journal.open_readonly(place / "session") as journal:
            return list(_labelled(journal, laboratory, agents))


def asked(journal: Journal) -> Iterator[tuple[date, Request]]:
    """The first request of each agent and decision, with the decision's session."""
    day, seen = date.min, set[tuple[date, str]]()
    for record in journal.events():
        event = record.event
        if isinstance(event, DecisionOpened):
            day = event.session
        elif isinstance(event, ModelCalled) and event.task == "stance" and (day, event.agent) not in seen:
            seen.add((day, event.agent))
            yield day, Request.model_validate(event.request)


def _labelled(journal: Journal, laboratory: Laboratory, agents: Sequence[str]) -> Iterator[Exercise]:
    truth = laboratory.truth
    row = {day: i for i, day in enumerate(truth.sessions)}
    column = {ticker: i for i, ticker in enumerate(truth.tickers)}
    expected = {agent: np.sum([truth.parts[name] for name in CAUSES[agent]], axis=0) for agent in agents}
    spread = {agent: float(np.std(values)) for agent, values in expected.items()}
    for day, request in asked(journal):
        if request.role not in expected or spread[request.role] == 0:
            continue
        sheet = sheet_of(request)
        for question in request.questions:
            z = float(expected[request.role][row[day], column[question.ticker]]) / spread[request.role]
            place = int(np.searchsorted(CUTS, z))
            target = tuple(float(i == place) for i in range(len(STANCES)))
            group = f"{laboratory.dataset.name}/{truth.plan.seed}/{question.ticker}"
            for text in (question.text, *question.reorderings):
                yield Exercise(sheet, text, target, day, day + timedelta(days=1), group, z)
