"""What the nodes work with: handed to the graph as its runtime context, never part of the state."""

from collections.abc import Container, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from functools import cached_property
from typing import Literal

from langchain.tools import BaseTool

from ..agents.auditor import Directory
from ..agents.by_hand import HandSet
from ..agents.roles import Role
from ..agents.signals import Signal
from ..memory.calibration import AgentRecord, Calibration
from ..memory.journal.store import Journal
from ..memory.lessons import Experience
from ..tools.broker.protocol import OrderIntent
from ..tools.broker.report import SteppedBroker
from ..tools.clock import TradingCalendar
from ..tools.evidence import Evidence
from ..tools.frozen import Frozen
from ..tools.market.documents.screening import SetAside
from ..tools.market.view import Market, MarketView, market_behind
from ..tools.optimizer import MeanCVaR
from ..tools.rules import ActivityLog, RuleEngine
from ..tools.sentiment.classifier import SentimentClassifier
from ..tools.toolbox import execution_tools
from .journaled_mind import JournaledMind
from .state import Seat

Organ = Literal["auditor", "memory"]
"""What of a desk can be switched off, to see what it is worth."""


class DeskSettings(Frozen):
    """The desk's own limits and preferences; see `simulations.config.SessionConfig` for their meaning."""

    seed: int
    risk_aversion: float
    beta: float
    max_weight: float
    min_invested: float
    min_cash: float
    turnover_limit: float
    equity_premium: float
    scenario_sessions: int
    min_history: int = 120
    """Daily returns that a name needs before the portfolio manager considers it."""
    max_revisions: int
    repeats: int
    """Other orders of the evidence in which analysts score each stance."""
    ablate: tuple[Organ, ...] = ()
    """`auditor`: every signal passes unread; `memory`: no agent has a record."""
    cost_per_unit: float
    """Commission and slippage for one unit of value traded."""
    fractional: bool
    max_short: float = 0.0
    """Largest sum of short positions, fraction of equity; 0: long only."""
    holding_sessions: int = 21
    """Sessions over which a trade's cost is spread when it is weighed against returns per session."""


@dataclass
class Casebook:
    """The evidence of the current decision: by seat, and by id."""

    by_seat: dict[tuple[str, str], tuple[Evidence, ...]] = field(default_factory=dict)
    missing: dict[tuple[str, str], str] = field(default_factory=dict)
    set_aside: dict[tuple[str, str], tuple[SetAside, ...]] = field(default_factory=dict)
    """What was taken out of documents, for the seats that are shown documents."""

    def clear(self) -> None:
        """Forget the decision before."""
        self.by_seat.clear()
        self.missing.clear()
        self.set_aside.clear()

    def on(self, ticker: str) -> tuple[Evidence, ...]:
        """What the analysts of a ticker were shown, each piece once, in their order."""
        shown = (item for (_, name), items in self.by_seat.items() if name == ticker for item in items)
        return tuple({item.id: item for item in shown}.values())

    def by_id(self) -> dict[str, Evidence]:
        """All evidence of the decision."""
        return {item.id: item for items in self.by_seat.values() for item in items}


@dataclass(frozen=True)
class OpenSignal:
    """A signal whose horizon has not passed yet."""

    decision: int
    session: date
    signal: Signal
    model: str
    """The mind that spoke; a fork may have put another in its place since."""
    regime: str
    """State of the market when it was issued, by name."""
    reasons: dict[str, str]
    """Measures that it cited, and what each was said to support."""


@dataclass
class DeskContext:
    """One desk in one session.

    Everything mutable in here is rebuilt when a session is re-executed from its start; nothing is ever pickled.
    """

    session_id: str
    market: Market
    calendar: TradingCalendar
    universe: tuple[str, ...]
    decision_sessions: Container[date]
    """Sessions at whose close the desk decides."""
    market_key: str
    """What outcomes are filed under: the fingerprint that the market had at the start. A live one grows."""
    analysts: Sequence[Role]
    """These, the settings and the rules are other ones after a change of the desk."""
    mind: JournaledMind
    journal: Journal
    broker: SteppedBroker
    rules: RuleEngine
    optimizer: MeanCVaR
    settings: DeskSettings
    tone_judge: SentimentClassifier | None = None
    """Who says how a release sounds; None: the lexicon."""
    by_hand: Mapping[Seat, HandSet] = field(default_factory=dict)
    """What a person set in the place of an analyst's stance, for the decision `by_hand_in` only."""
    by_hand_in: int = -1
    asks_approval: bool = False
    """Whether a person must answer before orders leave."""
    until: int | None = None
    """The decision at which another desk takes over: the graph of this one ends at its door."""
    arrived: date | None = None
    """The session of that decision, once it has come."""
    calibration: Calibration = field(default_factory=Calibration)
    experience: Experience = field(default_factory=Experience)
    weighed: dict[str, AgentRecord] = field(default_factory=dict)
    """What each analyst counts for in the current decision."""
    casebook: Casebook = field(default_factory=Casebook)
    open_signals: list[OpenSignal] = field(default_factory=list)
    last_issued: dict[tuple[str, str], date] = field(default_factory=dict)
    """By (agent, ticker), when the last resolved signal was issued."""
    sent: dict[str, OrderIntent] = field(default_factory=dict)
    """Orders sent so far, by client order id."""
    activity: ActivityLog = field(default_factory=ActivityLog)
    """What was sent, cancelled and filled lately, for the rules."""
    peak_equity: float = 0.0
    previous_equity: float = 0.0
    """Equity at the close of the session before the current one; 0 in the first session."""
    last_equity: float = 0.0
    _viewed: MarketView | None = field(default=None, init=False, repr=False)

    def view(self, as_of: datetime) -> MarketView:
        """What was known at a time: one view for all nodes of a decision, which share what has been worked out from it.

        Raises:
            InputError: see `Market.view`.
        """
        known = self._viewed
        if known is None or known.as_of != as_of or market_behind(known) is not self.market:
            known = self._viewed = self.market.view(as_of)
        return known

    @property
    def model(self) -> str:
        """The mind as calibration knows it: threads and batch sizes do not make it another one."""
        return self.mind.fingerprint.weights()

    @cached_property
    def directory(self) -> Directory:
        """The names of the market's companies, for the auditor."""
        return Directory(self.market.companies)

    @cached_property
    def execution(self) -> dict[str, BaseTool]:
        """The tools that touch the account."""
        return execution_tools(self.broker)

    def close_of(self, session: date) -> datetime:
        """When a session of the market's exchange closes (UTC)."""
        return self.calendar.close_of(session)
