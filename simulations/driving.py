"""Drives a session's graph through its stages, and hands it the answers of whoever it waits for."""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Literal, cast

from langchain_core.runnables import RunnableConfig
from langgraph.types import Command

from ..agents.models.core import Fingerprint, ModelCore
from ..agents.rosters import Roster
from ..orchestration.approval import Answer, ApprovalRequest
from ..orchestration.checkpoints import saver
from ..orchestration.context import DeskContext
from ..orchestration.graph import STEPS_PER_SESSION, session_of
from ..orchestration.state import DeskState
from .approvers import Approver, FileApprover, TerminalApprover
from .stages import Minds, Stage, rules_of, settings_of


@dataclass
class Asking:
    """Who is asked for approval in a session."""

    folder: Path
    say: Callable[[str], None]
    at_terminal: Approver = field(default_factory=TerminalApprover)
    """Asked where the configuration says `terminal`."""
    instead: Literal["terminal", "file"] | None = None
    """Where to ask in place of what the configuration says."""

    def answer(self, request: ApprovalRequest, stage: Stage) -> Answer:
        """The answer to a request, or that there was none in time."""
        place = self.instead or stage.config.approve
        approver = FileApprover(self.folder, self.say) if place == "file" else self.at_terminal
        return approver.ask(request, stage.config.approval_timeout)


def decide(stages: Sequence[Stage], desk: DeskContext, minds: Minds, asking: Asking) -> None:
    """All decisions, stage by stage: each has a graph of its own, because each may seat other analysts."""
    state = DeskState()
    for number, stage in enumerate(stages):
        if number:
            change_desk(desk, stage, *minds.of(number))
        desk.asks_approval = stage.config.approve is not None
        desk.until = stages[number + 1].first if number + 1 < len(stages) else None
        if number and desk.until == stage.first:
            continue  # another change at the same decision
        state = drive(stage.roster, desk, state, partial(asking.answer, stage=stage))


def drive(
    roster: Roster, desk: DeskContext, state: DeskState, answer: Callable[[ApprovalRequest], Answer]
) -> DeskState:
    """Runs the graph of a roster to its end; wherever it waits for a person, hands it the answer."""
    waits = saver() if desk.asks_approval else None
    graph = session_of(roster, waits)
    how = RunnableConfig(recursion_limit=STEPS_PER_SESSION, configurable={"thread_id": desk.session_id})
    # What a graph needs to go on is stored only where it waits, not after each node.
    durability: Literal["exit"] | None = "exit" if waits else None
    # A graph that decides nothing returns nothing.
    result = graph.invoke(state, how, context=desk, durability=durability) or dict(state)
    while waiting := result.get("__interrupt__"):
        request = ApprovalRequest.model_validate_json(json.dumps(waiting[0].value))
        going_on: Command[str] = Command(resume=answer(request).model_dump(mode="json"))
        result = graph.invoke(going_on, how, context=desk, durability=durability)
    return cast("DeskState", result)


def change_desk(desk: DeskContext, stage: Stage, fingerprint: Fingerprint, model: ModelCore) -> None:
    """Puts the desk of a stage in the place of the one before; account, memory and open signals stay."""
    desk.journal.append(stage.event(fingerprint))
    desk.mind.become(fingerprint, lambda: model)
    desk.analysts = stage.roster.analysts
    desk.settings = settings_of(stage.config)
    desk.rules = rules_of(stage.policy, desk.session_id)
    desk.by_hand, desk.by_hand_in = stage.by_hand, stage.first
