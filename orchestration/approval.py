"""Human approval: before orders leave, the graph can wait for a person.

What is asked is one `ApprovalRequest`: the proposal and the orders that the rules let through. What comes back is one
`Answer`, which goes into the journal; from there it is read when the session is executed again, so nobody is asked the
same twice. Without an answer nothing leaves.

An exit, which lowers risk, leaves unless somebody names it: rejecting a proposal stops what it would enter.
"""

from datetime import date
from typing import Literal, Self

from langgraph.runtime import Runtime
from langgraph.types import interrupt
from pydantic import AwareDatetime, Field

from ..memory.journal.events import ApprovalGiven
from ..tools.broker.protocol import OrderIntent
from ..tools.errors import InputError
from ..tools.frozen import Frozen, content_hash
from .context import DeskContext
from .portfolio_nodes import judge
from .state import DeskState, PermittedOrder

NOBODY = "nobody"


class AnswerRefused(InputError):
    """An answer that cannot be followed; the question stands."""


class AskedOrder(Frozen):
    """One order that waits."""

    ticker: str
    side: Literal["buy", "sell"]
    quantity: float
    value: float
    """At the close, in the market's currency."""
    exit: bool
    """Whether it only reduces a position."""
    weight: float
    """Share of equity now."""
    target: float
    """Share of equity that the proposal wants."""
    reason: str


class ApprovalRequest(Frozen):
    """What a person is asked."""

    decision: int
    """Number of the decision, from 0."""
    session: date
    as_of: AwareDatetime
    equity: float
    cash: float
    """Share of equity that the proposal leaves in cash."""
    rationale: str
    orders: tuple[AskedOrder, ...]

    @property
    def key(self) -> str:
        """Hash of all of it: an answer names what it answers."""
        return content_hash(self.model_dump(mode="json"))


class Answer(Frozen):
    """What a person says, or that nobody said anything in time."""

    request: str
    """Key of the request."""
    verdict: Literal["approve", "reject", "veto", "unanswered"]
    """`approve`: all orders leave. `reject`: no entry leaves, nor an exit that is named. `veto`: those named do not
    leave. `unanswered`: nothing leaves."""
    orders: tuple[str, ...] = ()
    """Tickers of the orders meant."""
    reason: str = Field(default="", max_length=2000)
    by: str = Field(min_length=1, max_length=200)

    @classmethod
    def none(cls, request: ApprovalRequest, reason: str) -> Self:
        """The answer of a person who did not come."""
        return cls(request=request.key, verdict="unanswered", reason=reason, by=NOBODY)


def stopped_by(answer: Answer, request: ApprovalRequest) -> tuple[str, ...]:
    """Tickers whose orders an answer stops, in the order of the request.

    Raises:
        AnswerRefused: the answer is for something else, names an order that is not there, or gives no reason.
    """
    known = [order.ticker for order in request.orders]
    if answer.request != request.key:
        raise AnswerRefused("The answer names another request: give the key of this one.")
    if answer.verdict == "unanswered":
        return tuple(known)
    if unknown := [name for name in answer.orders if name not in known]:
        raise AnswerRefused(f"No order for {unknown[0]} waits: choose from {', '.join(known)}.")
    if len(set(answer.orders)) < len(answer.orders):
        raise AnswerRefused("The answer names an order twice: name each once.")
    if answer.verdict == "approve":
        if answer.orders:
            raise AnswerRefused("To approve means all orders: name none, or veto those that shall not leave.")
        return ()
    if not answer.reason.strip():
        raise AnswerRefused(f"To {answer.verdict} needs a reason: give one.")
    if answer.verdict == "veto":
        if not answer.orders:
            raise AnswerRefused("The veto names no order: name the tickers that shall not leave.")
        return tuple(name for name in known if name in answer.orders)
    stopped = tuple(order.ticker for order in request.orders if not order.exit or order.ticker in answer.orders)
    if not stopped:
        raise AnswerRefused(f"All orders are exits, which only their names stop: name {', '.join(known)}.")
    return stopped


def approve(state: DeskState, runtime: Runtime[DeskContext]) -> dict[str, object]:
    """Where the desk asks for approval: waits for the answer of a person, from the record where it is on record."""
    desk = runtime.context
    if not desk.asks_approval or not state["permitted"]:
        return {}
    request = request_of(state)
    # Up to here nothing has been written, so that this node can be entered again when the answer has come.
    document = desk.journal.reply_for(request.key) or interrupt(request.model_dump(mode="json"))
    answer = Answer.model_validate(document)
    stopped = stopped_by(answer, request)
    desk.journal.append(
        ApprovalGiven(
            decision=state["decision"],
            request_key=request.key,
            verdict=answer.verdict,
            stopped=list(stopped),
            by=answer.by,
            reason=answer.reason,
            reply=answer.model_dump(mode="json"),
        )
    )
    return {"permitted": left_over(stopped, state, desk)}


def left_over(stopped: tuple[str, ...], state: DeskState, desk: DeskContext) -> list[PermittedOrder]:
    """The orders that leave. Where an exit was stopped, entries that counted on it are judged again without it."""
    kept = [item for item in state["permitted"] if item["order"].ticker not in stopped]
    exits = {item["order"].ticker for item in state["permitted"] if item["order"].reduces}
    if exits.isdisjoint(stopped) or all(item["order"].reduces for item in kept):
        return kept
    permitted, _ = judge(desk, state, [(item["order"], item["reason"]) for item in kept])
    return permitted


def request_of(state: DeskState) -> ApprovalRequest:
    """What is asked about the orders of a decision."""
    portfolio, proposal = state["portfolio"], state["proposal"]
    weights = portfolio.weights()

    def asked(order: OrderIntent, reason: str) -> AskedOrder:
        return AskedOrder(
            ticker=order.ticker,
            side=order.side,
            quantity=order.quantity,
            value=order.notional,
            exit=order.reduces,
            weight=weights.get(order.ticker, 0.0),
            target=proposal.weights[order.ticker],
            reason=reason,
        )

    return ApprovalRequest(
        decision=state["decision"],
        session=state["session"],
        as_of=state["as_of"],
        equity=portfolio.equity,
        cash=proposal.cash,
        rationale=proposal.rationale,
        orders=tuple(asked(item["order"], item["reason"]) for item in state["permitted"]),
    )
