"""The nodes of the debate: its moderator, and one node per debater.

    audit -> moderator -> bull -> bear -> moderator -> ... -> portfolio manager

The moderator is code: it opens the boards, counts the rounds, and at the end lowers confidences by what was refuted.
"""

from collections.abc import Sequence

from langgraph.runtime import Runtime
from langgraph.types import Command

from ..agents.auditor.points import objections_to
from ..agents.debate.argue import Ground, argue
from ..agents.debate.board import Board, Point, opened
from ..agents.debate.weigh import weighed
from ..agents.seats import Debater
from ..agents.signals import AuditReport, Finding
from ..memory.journal.events import DebateClosed, PointMade
from .context import DeskContext
from .desk_nodes import Node, Routing, describe
from .state import DeskState, Seat


def moderator_node(debaters: Sequence[Debater]) -> Routing:
    """The node that opens the debate, calls each round, and closes it after the last one or a silent one."""
    rounds = max(debater.rounds for debater in debaters)

    def node(state: DeskState, runtime: Runtime[DeskContext]) -> Command[str]:
        desk, round_, boards = runtime.context, state["debate_round"], state["boards"]
        if round_ == 0:
            boards = opened(state["signals"].values(), state["reports"])
            if boards:
                return Command(goto=debaters[0].name, update={"boards": boards, "debate_round": 1})
            return Command(goto="portfolio_manager")
        spoke = any(point.round == round_ for board in boards.values() for point in board)
        if spoke and round_ < rounds:
            return Command(goto=debaters[0].name, update={"debate_round": round_ + 1})
        return Command(goto="portfolio_manager", update={"reports": _close(state, desk)})

    return node


def debater_node(debater: Debater) -> Node:
    """The node of one debater: a point per ticker in each round, audited before anybody answers it."""

    def node(state: DeskState, runtime: Runtime[DeskContext]) -> dict[str, object]:
        desk = runtime.context
        boards = dict(state["boards"])
        said = argue(
            debater,
            [
                Ground(
                    ticker=ticker,
                    company=desk.market.companies[ticker].name,
                    board=board,
                    evidence=desk.casebook.on(ticker),
                )
                for ticker, board in boards.items()
            ],
            mind=desk.mind,
            regime=describe(state["regime"]),
            market=state["regime"],
            seed=desk.settings.seed,
            round_=state["debate_round"],
        )
        for one in said:
            if not isinstance(one, Point):
                desk.journal.append(
                    PointMade(
                        decision=state["decision"],
                        agent=one.agent,
                        ticker=one.ticker,
                        round=one.round,
                        how="silent",
                        answers="",
                        rationale=one.reason,
                        stands=False,
                        point={},
                    )
                )
                continue
            board = boards[one.ticker]
            known = {item.id: item for item in desk.casebook.on(one.ticker)}
            wrong = objections_to(one, board, debater, known, state["as_of"])
            desk.journal.append(_made(one, board, wrong, state["decision"]))
            if not wrong:
                boards[one.ticker] = (*board, one)
        return {"boards": boards}

    return node


def _close(state: DeskState, desk: DeskContext) -> dict[Seat, AuditReport]:
    """The reports with confidences lowered by what was refuted; the outcome of each board is journaled."""
    reports = dict(state["reports"])
    for ticker, board in state["boards"].items():
        outcome = weighed(board, {item.id: item for item in desk.casebook.on(ticker)})
        desk.journal.append(
            DebateClosed(
                decision=state["decision"],
                ticker=ticker,
                factors=outcome.factors,
                outcome=outcome.model_dump(mode="json"),
            )
        )
        for agent, factor in outcome.factors.items():
            report = reports[agent, ticker]
            left = report.confidence_factor * factor
            reports[agent, ticker] = report.model_copy(update={"confidence_factor": left})
    return reports


def _made(point: Point, board: Board, wrong: tuple[Finding, ...], decision: int) -> PointMade:
    answered = next((p for p in board if p.id == point.answers), None)
    told = f"{point.alias} {point.how} {answered.alias} of {answered.agent}" if answered else point.alias
    return PointMade(
        decision=decision,
        agent=point.agent,
        ticker=point.ticker,
        round=point.round,
        how=point.how or "supports",
        answers=point.answers,
        rationale=f"{told}: {point.text}",
        stands=not wrong,
        point=point.model_dump(mode="json"),
        findings=[finding.model_dump(mode="json") for finding in wrong],
    )
