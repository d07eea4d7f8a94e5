"""The risk officer's node: between the proposal and the pre-trade rules, it sends a proposal back once at most."""

from typing import Literal

from langgraph.runtime import Runtime
from langgraph.types import Command

from ..agents.risk_officer import Tightening, read_risk
from ..agents.seats import RiskOfficer
from ..memory.journal.events import RiskRead
from ..tools.evidence import Evidence
from ..tools.optimizer.scenarios import known_scenarios
from ..tools.portfolio_risk import portfolio_risk
from .context import DeskContext
from .desk_nodes import Routing, describe
from .state import DeskState


def risk_officer_node(officer: RiskOfficer) -> Routing:
    """The node of a risk officer: tightened limits stay for the rest of the decision, and are set once."""

    def node(state: DeskState, runtime: Runtime[DeskContext]) -> Command[Literal["portfolio_manager", "pre_trade"]]:
        desk, proposal = runtime.context, state["proposal"]
        if state["tightened"] is not None or proposal.expected_return is None:
            return Command(goto="pre_trade")  # it has spoken, or nothing is proposed
        evidence = risk_evidence(state, desk)
        found = read_risk(
            officer,
            evidence,
            proposal.weights,
            mind=desk.mind,
            regime=describe(state["regime"]),
            market=state["regime"],
            seed=desk.settings.seed,
        )
        desk.journal.append(_read(officer, found, evidence, state["decision"]))
        if found.tightens:
            return Command(goto="portfolio_manager", update={"tightened": found})
        return Command(goto="pre_trade")

    return node


def risk_evidence(state: DeskState, desk: DeskContext) -> tuple[Evidence, ...]:
    """The figures of the proposal's risk."""
    view = desk.view(state["as_of"])
    settings, equity = desk.settings, state["portfolio"].equity
    free = tuple(name for name in desk.universe if name not in state["barred"])
    return portfolio_risk(
        view,
        state["proposal"].weights,
        known_scenarios(view, free, settings.scenario_sessions, settings.min_history),
        names=len(desk.universe),
        beta=settings.beta,
        drawdown=equity / max(desk.peak_equity, equity) - 1,
        regime=state["regime"],
    )


def _read(officer: RiskOfficer, found: Tightening, evidence: tuple[Evidence, ...], decision: int) -> RiskRead:
    return RiskRead(
        decision=decision,
        agent=officer.name,
        reading=found.reading,
        rationale=found.rationale,
        evidence=list(evidence),
        tightening=found.model_dump(mode="json"),
    )
