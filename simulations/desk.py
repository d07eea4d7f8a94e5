"""One step of the desk with nothing around it: an outside environment brings clock, prices and broker."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from types import TracebackType
from typing import Any, Self

from ..agents.models.served.access import Access
from ..agents.portfolio_manager import Proposal
from ..agents.signals import AuditReport, Signal
from ..memory.journal import Journal
from ..memory.journal.events import Event, RuleVerdict
from ..orchestration.context import DeskContext
from ..orchestration.graph import desk_of
from ..orchestration.hindsight import learn
from ..orchestration.journaled_mind import JournaledMind
from ..orchestration.state import DeskState
from ..tools.broker.protocol import (
    Accepted,
    OrderIntent,
    OrderState,
    PortfolioSnapshot,
    Rejected,
    Submission,
    VerdictToken,
)
from ..tools.broker.report import OrderEnd, StepReport
from ..tools.errors import InputError, PaperDeskError
from ..tools.frozen import content_hash
from ..tools.market.view import MarketView, market_behind
from ..tools.optimizer import MeanCVaR
from ..tools.regime import Regime
from ..tools.rules import RuleEngine
from .carrying import EVER, read_memory
from .config import SessionConfig, load_config
from .stages import mind_of, roster_of, settings_of, simulated_policy
from .tone import tone_judge

_MARKET_SIDE = ("market", "market_seed", "mask", "mask_seed", "start", "end", "cash")


@dataclass(frozen=True)
class Decision:
    """Everything that the desk decided at one moment, and why."""

    number: int
    """From 0."""
    as_of: datetime
    regime: Regime | None
    signals: tuple[Signal, ...]
    """The last statement of each analyst on each ticker."""
    audits: tuple[AuditReport, ...]
    """The last audit of each; an abstention has none."""
    proposal: Proposal
    verdicts: tuple[RuleVerdict, ...]
    """What the pre-trade rules said of every order, with every value and limit."""
    orders: tuple[OrderIntent, ...]
    """Those that the rules let through, sells first: send them in this order, for the next open."""
    reasons: Mapping[str, str]
    """Why each order, by its client order id."""
    events: tuple[Event, ...]
    """The whole record of the decision, as a journal would hold it."""


class Desk:
    """Analysts, auditor, portfolio manager and rules, without a market, a clock or a broker of their own.

    It remembers what an environment would not tell again: signals whose horizon has not passed, the record of its
    analysts, the highest equity so far. Two desks that see the same views and portfolios decide the same.

    Args:
        config: every choice; what belongs to a market (`market`, `start`, `cash`, ...) is of no matter here.
        name: becomes part of the client order ids; give each desk that trades at one broker another.
        access: how a model server may be used.
        options: single choices of `SessionConfig`, such as `model="scorecard"`, in place of `config`.

    Raises:
        InputError: an option is unknown, out of range, or belongs to a market.
    """

    def __init__(
        self,
        config: SessionConfig | None = None,
        *,
        name: str = "desk",
        access: Access | None = None,
        **options: Any,
    ) -> None:
        outside = [key for key in options if key in _MARKET_SIDE]
        if outside:
            raise InputError(
                f"{', '.join(outside)} belongs to a market: a desk gets it with the view and the portfolio."
            )
        self.config = config or load_config(None, options)
        self._policy = simulated_policy(self.config)
        self._roster = roster_of(self.config)
        self._model = mind_of(self.config, access)
        self._judge = tone_judge(self.config)
        unsaid = {"sentiment"} if self._judge is None else None  # ids are as before there was a choice
        self._id = content_hash([name, self.config.model_dump(mode="json", exclude=unsaid)])[:16]
        self._graph = desk_of(self._roster)
        self._desk: _StepContext | None = None
        self._decided = 0

    def decide(self, view: MarketView, portfolio: PortfolioSnapshot) -> Decision:
        """One decision on what `view` shows and `portfolio` holds.

        Args:
            view: the data; its `as_of` is the moment of the decision, and never earlier than at the call before.
            portfolio: the account at that moment, with a price for every name that is held; `PortfolioSnapshot.valued`
                makes one.

        Raises:
            InputError: the portfolio holds a name that the desk does not trade, or time goes backwards.
        """
        desk = self._context(view, portfolio)
        state = DeskState(session=view.session, decision=self._decided)
        result = self._graph.invoke(state, {"recursion_limit": 1000}, context=desk)
        events = tuple(record.event for record in desk.journal.events())
        sent = desk.broker.sent
        decision = Decision(
            number=self._decided,
            as_of=view.as_of,
            regime=result["regime"],
            signals=tuple(result["signals"].values()),
            audits=tuple(result["reports"].values()),
            proposal=result["proposal"],
            verdicts=tuple(event for event in events if isinstance(event, RuleVerdict)),
            orders=tuple(sent),
            reasons={event.order.client_order_id: event.reason for event in events if event.kind == "order_submitted"},
            events=events,
        )
        self._decided += 1
        return decision

    def close(self) -> None:
        """Let go of the model; harmless to repeat."""
        self._model.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _context(self, view: MarketView, portfolio: PortfolioSnapshot) -> "_StepContext":
        """The context of this step: the same desk, another view, a fresh record."""
        universe = self.config.universe or view.tickers
        foreign = sorted(set(portfolio.positions) - set(universe))
        if foreign:
            raise InputError(f"The portfolio holds {', '.join(foreign)}, which this desk does not trade: leave it out.")
        unpriced = sorted(set(portfolio.positions) - set(portfolio.prices))
        if unpriced:
            raise InputError(f"The portfolio has no price of {', '.join(unpriced)}: give one.")
        desk, journal = self._desk, Journal.in_memory()
        if desk is None:
            desk = self._desk = self._first(view, universe, journal)
        elif view.as_of < desk.as_of:
            raise InputError(f"The view at {view.as_of.isoformat()} is earlier than the one before: go forwards.")
        if view.session != desk.seen:
            desk.activity.session(view.session)
            desk.previous_equity, desk.seen = desk.last_equity, view.session
        desk.last_equity = portfolio.equity
        desk.peak_equity = max(desk.peak_equity, portfolio.equity)
        desk.market, desk.calendar, desk.universe = market_behind(view), view.calendar, universe
        desk.as_of = view.as_of
        if desk.journal is not journal:
            desk.journal.close()
            desk.journal = desk.mind.journal = journal
        # An id holds the number of its decision, so none comes again: what was sent need not be kept.
        desk.sent.clear()
        desk.broker.open(portfolio)
        return desk

    def _first(self, view: MarketView, universe: tuple[str, ...], journal: Journal) -> "_StepContext":
        rules = RuleEngine(self._policy, content_hash(["verdict tokens", self._id]).encode())
        first = _StepContext(
            session_id=self._id,
            market=market_behind(view),
            calendar=view.calendar,
            universe=universe,
            decision_sessions=(),
            market_key=market_behind(view).fingerprint,
            analysts=self._roster.analysts,
            mind=JournaledMind(self._model.fingerprint, journal, lambda: self._model),
            journal=journal,
            broker=_Tray(rules),
            rules=rules,
            optimizer=MeanCVaR(),
            settings=settings_of(self.config),
            tone_judge=self._judge,
            as_of=view.as_of,
        )
        for memory in read_memory(self.config, EVER):
            learn(first, *memory.outcomes)
        return first


class _Tray:
    """Where permitted orders are put for the caller to fetch: a broker of a single moment."""

    def __init__(self, rules: RuleEngine) -> None:
        self._rules = rules
        self._portfolio: PortfolioSnapshot | None = None
        self.sent: list[OrderIntent] = []

    def open(self, portfolio: PortfolioSnapshot) -> None:
        """The account of the next decision."""
        self._portfolio, self.sent = portfolio, []

    def account(self) -> PortfolioSnapshot:
        assert self._portfolio is not None
        return self._portfolio

    def submit(self, order: OrderIntent, token: VerdictToken) -> Submission:
        account = self.account()
        try:
            self._rules.authorise(order, token, state_version=account.version(), now=order.decided_at)
        except PaperDeskError as error:
            return Rejected(client_order_id=order.client_order_id, reason=str(error))
        self.sent.append(order)
        return Accepted(client_order_id=order.client_order_id)

    def order(self, client_order_id: str) -> OrderState | None:
        return None  # what becomes of an order is the environment's business

    def open_orders(self) -> list[OrderState]:
        return []

    def waiting(self) -> tuple[OrderIntent, ...]:
        return ()

    def cancel(self, client_order_id: str) -> OrderState:
        raise InputError(f"There is no order {client_order_id} here: the environment holds it.")

    @property
    def report(self) -> StepReport:
        raise InputError("A single step of the desk has no ledger.")

    def step(self) -> StepReport | None:
        return None

    def finish(self) -> tuple[OrderEnd, ...]:
        return ()


@dataclass
class _StepContext(DeskContext):
    """A desk whose moment is the view's own, not the close of a session."""

    as_of: datetime = field(kw_only=True)
    seen: Any = None
    """The session of the step before."""
    broker: _Tray

    def close_of(self, session: Any) -> datetime:
        return self.as_of
