"""Live paper trading from beginning to end: make or continue its session, and run the session graph in it."""

from collections.abc import Callable, Sequence
from contextlib import ExitStack, closing
from datetime import timedelta
from pathlib import Path
from secrets import token_bytes
from typing import Any

from ...agents.models.budget import Meter, Spending
from ...agents.models.core import Fingerprint, ModelCore
from ...agents.models.replay import Replay
from ...agents.models.served.access import Access
from ...agents.roles import prompts_hash
from ...memory.journal import Journal, Listener
from ...memory.journal.events import MemoryCarried, SessionEnded, SessionStarted, VenueReported
from ...orchestration.context import DeskContext
from ...orchestration.hindsight import learn
from ...orchestration.journaled_mind import JournaledMind
from ...orchestration.state import DeskState
from ...tools.broker.guard import GuardedBroker
from ...tools.broker.protocol import Broker, OrderIntent, VerdictToken
from ...tools.broker.registry import BrokerSettings, open_broker
from ...tools.errors import BrokerUnreachable, InputError
from ...tools.frozen import content_hash
from ...tools.market.view import Market, open_market
from ...tools.optimizer import MeanCVaR
from ...tools.rules import Policy, RuleEngine, load_policy
from ...tools.sentiment.classifier import SentimentClassifier
from ..approvers import Approver, TerminalApprover
from ..carrying import EVER, carried_into, read_memory, recorded_memory, summary
from ..config import load_config
from ..driving import Asking, drive
from ..evaluation.result import desk_track, result_of
from ..session import Outcome
from ..stages import TRADE, SessionError, mind_of, roster_of, settings_of
from ..tone import recorded_judge, tone_judge
from .asking import LiveAsking
from .clock import Clock, WallClock
from .closing import Data
from .daily_report import Heartbeat, write_report
from .days import LiveCalendar, recorded_sessions
from .elsewhen import Elsewhen
from .opening import Trader
from .paced import DecisionDays, PacedBroker, RememberingRules
from .settings import TradeConfig, kill_switch_of
from .standing import Standing

LONGEST_CLOSE = 8 * 24 * 60
"""Minutes. At the open an order is as old as the time since the close, over the longest holidays; the next open after
its decision is the only one at which it is sent."""
ATTEMPTS, BETWEEN_ATTEMPTS = 24, timedelta(seconds=5)
"""To connect: two minutes in all."""
Say = Callable[[str], None]


OpenBroker = Callable[[], Broker]


def trade(
    config: TradeConfig | None,
    folder: Path,
    *,
    listener: Listener | None = None,
    say: Say = lambda text: None,
    clock: Clock | None = None,
    access: Access | None = None,
    settings: BrokerSettings | None = None,
    broker: OpenBroker | None = None,
    adopt: bool = False,
    approver: Approver | None = None,
) -> None:
    """Trade until the last session that was asked for, or until the process is stopped; the same call goes on.

    Args:
        config: every choice; None to go on with a session by the choices that it was started with.
        folder: where the session lives. One that exists is continued.
        listener: told every event.
        say: told what the desk is doing, for people.
        clock: what tells the time and waits; the machine's own by default.
        access: how a model server may be used.
        settings: what the adapter may know: timeouts, the switches of live trading, and where its keys are.
        broker: opens the venue, in place of the one that `config.broker` names.
        adopt: take over the venue's count of shares where it differs from the journal's; a person's decision.
        approver: who is asked where the configuration says `terminal`; whoever sits there by default.

    Raises:
        InputError: something given is refused.
        TradingError: the account or the venue is in a state that a person has to look at.
    """
    fresh = not (folder / "journal.db").exists()
    if fresh and config is None:
        raise InputError(f"{folder} holds no session to go on with: give the broker and the market to start one.")
    stored = config if fresh else stored_trade(folder)
    assert stored is not None
    if not fresh and config is not None and config != stored:
        raise InputError(f"{folder} was started with other choices: go on with --out alone, or take another folder.")
    settled = stored.model_copy(update={"adopt": adopt})
    live = settings or BrokerSettings()
    ticking = clock or WallClock()
    with ExitStack() as opened:
        policy = load_policy(settled.session.policy)
        market = folder_market(settled)
        session = settled.session
        carried = read_memory(session, EVER) if fresh else carried_into(folder, session, EVER)
        say(f"opening model {settled.session.model}")
        model = opened.enter_context(closing(mind_of(settled.session, access)))
        say(f"connecting to {settled.broker}")
        connect = broker or (lambda: open_broker(settled.broker, live))
        venue = opened.enter_context(closing(connected(connect, ticking, say)))
        journal = opened.enter_context(
            closing(Journal.create(folder, config=manifest_of(stored)) if fresh else Journal.open_for_resume(folder))
        )
        if listener is not None:
            journal.subscribe(listener)
        run(
            settled,
            policy,
            market,
            model.fingerprint,
            lambda: model,
            journal,
            folder,
            ticking,
            venue,
            live_account=live.live_account,
            beat=Heartbeat(folder, ticking.now, say).beat,
            carried=carried,
            asking=Asking(folder, say, approver or TerminalApprover()),
        )


def connected(connect: OpenBroker, clock: Clock, say: Callable[[str], None]) -> Broker:
    """The venue. One that gives no answer is asked again for a while: a restart may fall into an outage.

    Raises:
        BrokerUnreachable: it gave none in `ATTEMPTS`.
        BrokerError: it refuses.
    """
    for left in reversed(range(ATTEMPTS)):
        try:
            return connect()
        except BrokerUnreachable as error:
            if not left:
                raise
            say(f"{error} Asking again.")
            clock.sleep_until(clock.now() + BETWEEN_ATTEMPTS, lambda: None)
    raise AssertionError("the last attempt returns or raises")


def replay_trade(folder: Path, listener: Listener | None = None) -> Outcome:
    """Derive a finished live session again, without model, venue or clock; every event must come out equal.

    Raises:
        JournalDivergence: an event differs, for one because the market folder says something else about the past now.
    """
    config = stored_trade(folder)
    with Journal.open_readonly(folder) as recorded:
        if not recorded.is_finished:
            raise SessionError(f"The session in {folder} is not finished: go on with it before replaying it.")
        first = next(iter(recorded.events("session_started"))).event
        assert isinstance(first, SessionStarted)
        mind = Fingerprint.model_validate(first.model)
        journal = Journal.in_memory(against=recorded)
        if listener is not None:
            journal.subscribe(listener)
        *_, last = recorded.events("venue_reported")
        assert isinstance(last.event, VenueReported)
        past: Any = Elsewhen(last.event.at)
        run(
            config,
            load_policy(config.session.policy),
            folder_market(config),
            mind,
            lambda: Replay({}, mind),
            journal,
            folder,
            past,
            past,
            live_account="",
            beat=lambda doing: None,
            carried=recorded_memory(recorded),
            asking=Asking(folder, lambda text: None),
        )
        *_, ended = journal.events("session_ended")
        assert isinstance(ended.event, SessionEnded)
        return Outcome(folder, journal.head, journal.count, 0, ended.event.metrics, [], Spending(0, 0, None, False))


def run(
    config: TradeConfig,
    policy: Policy,
    market: Market,
    fingerprint: Fingerprint,
    open_mind: Callable[[], ModelCore],
    journal: Journal,
    folder: Path,
    clock: Clock,
    venue: Broker,
    live_account: str,
    beat: Callable[[str], None],
    carried: Sequence[MemoryCarried],
    asking: Asking,
) -> None:
    """Run the session graph on a journal, from its beginning; what is on record is derived, not done, again."""
    seated = roster_of(config.session)
    days = LiveCalendar(market.calendar.name, clock, recorded_sessions(folder))
    judge = tone_judge(config.session)
    started = started_of(config, policy, market, fingerprint, prompts_hash(seated.seated), journal, judge)
    started = started.model_copy(update={"memory": summary(carried)})
    session_id = content_hash(started.model_dump(mode="json"))[:16]
    journal.append(started)
    mind = JournaledMind(fingerprint, journal, open_mind, meter=Meter())
    desk_rules = _desk_rules(policy, session_id)
    # What they permit at the open leaves at once or never, and is on record as it was: nothing has to be derived again.
    venue_rules = RuleEngine(at_the_venue(policy, folder), token_bytes(32))

    def authorise(order: OrderIntent, token: VerdictToken) -> None:
        venue_rules.authorise(order, token, state_version=trader.state_version, now=clock.now())

    def pause(seconds: float) -> None:
        trader.wait(clock.now() + timedelta(seconds=seconds), "asking the venue again")

    guarded = GuardedBroker(venue, authorise, live_account=live_account, sleep=pause)
    trader = Trader(
        config=config,
        journal=journal,
        broker=guarded,
        rules=venue_rules,
        clock=clock,
        calendar=days.now,
        tickers=config.session.universe or market.tickers,
        standing=Standing(),
        decision=lambda: mind.decision,
        beat=beat,
        feed=guarded.updates(),
    )
    data = Data(config, lambda: folder_market(config))
    before: list[VenueReported] = []

    def told(reported: VenueReported) -> None:
        write_report(folder, reported, before[0] if before else None)
        before[:] = [reported]
        desk.market, desk.calendar = data.market, days.now()

    broker = PacedBroker(trader, data, desk_rules, told)
    desk = DeskContext(
        session_id=session_id,
        market=data.market,
        calendar=days.now(),
        universe=trader.tickers,
        decision_sessions=DecisionDays(broker),
        market_key=started.market_fingerprint,
        analysts=seated.analysts,
        mind=mind,
        journal=journal,
        broker=broker,
        rules=desk_rules,
        optimizer=MeanCVaR(),
        settings=settings_of(config.session),
        asks_approval=config.session.approve is not None,
        tone_judge=judge,
    )
    for memory in carried:
        journal.append(memory)
        learn(desk, *memory.outcomes)
    trader.standing.activity.enable()  # a person has started it
    drive(seated, desk, DeskState(), LiveAsking(config.session, folder, asking.at_terminal, trader, asking.say))
    _end(journal)


def _desk_rules(policy: Policy, session_id: str) -> RememberingRules:
    """The rules by which a decision is judged; the kill switch is asked at the open alone."""
    secret = content_hash(["verdict tokens", session_id]).encode()
    return RememberingRules(policy.model_copy(update={"kill_switch": None}), secret)


def _end(journal: Journal) -> None:
    """Write down the result, and seal the journal."""
    track = desk_track(journal)
    metrics: dict[str, Any] = result_of([track]) if len(track.equity) > 1 else {"rows": []}
    journal.append(SessionEnded(metrics=metrics))
    journal.finish()


def started_of(
    config: TradeConfig,
    policy: Policy,
    market: Market,
    mind: Fingerprint,
    prompts: str,
    journal: Journal,
    judge: SentimentClassifier | None = None,
) -> SessionStarted:
    """The first event. The market grows while the session lives: what it was at the start stays on record."""
    recorded = journal.ahead()
    market_fingerprint = recorded.market_fingerprint if isinstance(recorded, SessionStarted) else market.fingerprint
    choices = {name: value for name, value in manifest_of(config).items() if name != "sentiment"}
    rules = policy.model_copy(update={"kill_switch": None}).hash()
    return SessionStarted(
        config=choices | {"policy": rules} | recorded_judge(judge),
        market=market.name,
        market_fingerprint=market_fingerprint,
        universe=list(config.session.universe or market.tickers),
        benchmark=market.benchmark,
        model=mind.model_dump(mode="json"),
        prompts=prompts,
    )


def manifest_of(config: TradeConfig) -> dict[str, Any]:
    """The choices as the session keeps them: the person's word on adopting is for one start only."""
    choices = config.model_copy(update={"adopt": False}).model_dump(mode="json")
    session: dict[str, Any] = choices.pop("session")
    return session | {TRADE: choices}


def stored_trade(folder: Path) -> TradeConfig:
    """The choices of a live session.

    Raises:
        JournalRefused: the folder holds no session.
        SessionError: it holds a simulated one.
    """
    with Journal.open_readonly(folder) as journal:
        assert journal.manifest is not None
        stored = dict(journal.manifest.config)
    if TRADE not in stored:
        raise SessionError(f"{folder} holds a simulated session: use `paperdesk resume`, or give another folder.")
    choices = stored.pop(TRADE)
    return TradeConfig(session=load_config(None, stored), **choices)


def folder_market(config: TradeConfig) -> Market:
    """The market that somebody keeps up to date.

    Raises:
        InputError: it is no folder, or it has a defect.
    """
    if not Path(config.session.market).is_dir():
        raise InputError(
            f"Live trading needs a market folder that is kept up to date, and {config.session.market!r} is none: give "
            "one, such as `paperdesk markets pull` makes."
        )
    if config.session.mask:
        raise InputError("A live market cannot be masked: its names are needed at the broker. Leave mask out.")
    return open_market(config.session.market)


def at_the_venue(policy: Policy, folder: Path) -> Policy:
    """The policy at the open: with a kill switch, and with the nights and holidays since the close."""
    return policy.model_copy(
        update={
            "kill_switch": policy.kill_switch or kill_switch_of(folder),
            "max_order_age_minutes": max(policy.max_order_age_minutes, LONGEST_CLOSE),
        }
    )
