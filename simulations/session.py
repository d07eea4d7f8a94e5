"""A session: one desk, one market, one window, one journal.

`start` makes a new one, `resume` continues one that was stopped, `replay` derives a finished one again without a
model; `fork.py` makes one that shares another's past. All execute the same graph from its beginning; the journal
decides what is new, what is compared and what is answered from the record.
"""

from collections.abc import Callable, Sequence
from contextlib import ExitStack, closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from ..agents.models.budget import Budget, Meter, Spending
from ..agents.models.served.access import Access
from ..agents.roles import prompts_hash
from ..agents.rosters import Roster
from ..memory.journal import Branch, Journal, JournalError, Listener
from ..memory.journal.events import MemoryCarried, SessionEnded, SessionStarted
from ..orchestration.context import DeskContext
from ..orchestration.hindsight import learn
from ..orchestration.journaled_mind import JournaledMind
from ..tools.broker.protocol import OrderIntent, VerdictToken
from ..tools.broker.simulated import Margin, SimulatedBroker
from ..tools.frozen import content_hash
from ..tools.market.view import Market
from ..tools.optimizer import MeanCVaR
from ..tools.rules import Policy
from ..tools.sentiment.classifier import SentimentClassifier
from .account import costs_of, terms_of
from .approvers import Approver, TerminalApprover
from .carrying import carried_into, read_memory, recorded_memory, summary
from .config import SessionConfig
from .driving import Asking, decide
from .evaluation.result import draw, notes_of, result_of, tracks_of
from .evaluation.trials import Counted, ledger_path
from .leakage import refuse_leaks
from .masking import keep_key, market_of, recorded_choices
from .stages import Minds, SessionError, Stage, recorded_minds, rules_of, settings_of, stages_of, stored
from .tone import recorded_judge, tone_judge
from .window import Window, last_decision, window_of

PLOT_FILE = "equity.png"
"""The picture of a session, in its folder."""


def _nothing(text: str) -> None:
    """What is said when nobody listens."""


@dataclass(frozen=True)
class Outcome:
    """What a session came to."""

    folder: Path
    head: str
    """The journal's head."""
    events: int
    model_calls: int
    """Requests that the model itself answered; 0 in a replay."""
    metrics: dict[str, Any]
    """Performance of the desk and of the baselines, as in the `session_ended` event."""
    notes: list[str]
    """What a reader must know before taking the figures for anything."""
    spent: Spending
    """On all the mind's replies, the recorded ones included."""


def start(
    config: SessionConfig,
    folder: Path,
    listener: Listener | None = None,
    say: Callable[[str], None] = _nothing,
    *,
    access: Access | None = None,
    budget: Budget | None = None,
    approver: Approver | None = None,
) -> Outcome:
    """Runs a new session in `folder`.

    Args:
        config: every choice.
        folder: where the session lives; it must not hold another one.
        listener: told every event.
        say: told what is being prepared, for people.
        access: how a model server may be used.
        budget: what the session may spend on its mind, counted from its start; no limit by default.
        approver: who is asked where the configuration says `terminal`; whoever sits there by default.

    Raises:
        InputError: something given is refused; nothing is left half-written.
        BudgetExhausted: the budget is spent; the journal is intact and `resume` goes on.
    """
    Journal.refuse_unless_free(folder)  # before the slow steps; `create` looks again
    stages = stages_of(config)  # a fault in a role is told before the slow steps
    say(f"opening market {config.market}")
    market = market_of(config)
    window = window_of(config, market)
    carried = read_memory(config, last_decision(market, window))
    judge = tone_judge(config)
    say(f"opening model {config.model}")
    with Minds(stages, access) as minds:
        minds.of(0)
        with closing(Journal.create(folder, config=config.model_dump(mode="json"))) as journal:
            keep_key(market, folder)
            say("the desk is at work")
            asking = Asking(folder, say, approver or TerminalApprover())
            return _execute(stages, market, window, minds, judge, carried, journal, asking, listener, budget)


def resume(
    folder: Path,
    listener: Listener | None = None,
    say: Callable[[str], None] = _nothing,
    *,
    access: Access | None = None,
    budget: Budget | None = None,
    approver: Approver | None = None,
    approve: Literal["terminal", "file"] | None = None,
) -> Outcome:
    """Continues a stopped session to the same end that it would have had.

    `access` and `budget` are given anew: they decide nothing but how a server is asked and when to stop. What was spent
    before counts. So is `approve`, where a person is asked from now on, in a session that asks.

    Raises:
        SessionError: `approve` is given for a session that asks nobody.
    """
    config, branches = stored(folder)
    stages = stages_of(config, branches)
    if approve is not None and all(stage.config.approve is None for stage in stages):
        raise SessionError(f"The session in {folder} asks for no approval: leave --approve out.")
    judge = tone_judge(config)
    say("checking the journal")
    with closing(Journal.open_for_resume(folder)) as journal, ExitStack() as parents:
        say(f"opening market {config.market}")
        market = market_of(config)
        keep_key(market, folder)  # the process may have been killed before it was written
        window = window_of(config, market)
        carried = carried_into(folder, config, last_decision(market, window))
        past = branches[-1].decision if branches else 0
        with Journal.open_readonly(folder) as before:
            recorded = recorded_minds(before, stages)
        if branches and (parent := parent_of(branches[-1])) is not None:
            journal.recall_from(parents.enter_context(parent))
        say(f"opening model {stages[-1].config.model}")
        with Minds(stages, access, recorded, past) as minds:
            minds.of(len(stages) - 1)
            say("deriving what is on record, then going on")
            asking = Asking(folder, say, approver or TerminalApprover(), approve)
            return _execute(stages, market, window, minds, judge, carried, journal, asking, listener, budget)


def parent_of(branch: Branch) -> Journal | None:
    """The journal that a fork left, for the answers it holds; None where it is gone, or is another one by now."""
    try:
        parent = Journal.open_readonly(Path(branch.parent))
    except JournalError:
        return None
    if parent.count >= branch.shared_count and parent.hash_at(branch.shared_count) == branch.shared_head:
        return parent
    parent.close()
    return None


def replay(folder: Path, listener: Listener | None = None, say: Callable[[str], None] = _nothing) -> Outcome:
    """Derives a finished session again in memory, without a model; every event must come out equal.

    Raises:
        JournalDivergence: an event differs; the message names it.
    """
    config, branches = stored(folder)
    stages = stages_of(config, branches)
    with Journal.open_readonly(folder) as recorded:
        if not recorded.is_finished:
            raise SessionError(f"The session in {folder} is not finished: resume it before replaying it.")
        say(f"opening market {config.market}")
        market = market_of(config)
        say("deriving every event again, without a model")
        judge = tone_judge(config)
        journal = Journal.in_memory(against=recorded)
        window = window_of(config, market)
        with Minds(stages, None, recorded_minds(recorded, stages), float("inf")) as minds:
            carried = recorded_memory(recorded)
            return _execute(stages, market, window, minds, judge, carried, journal, Asking(folder, say), listener)


def _execute(
    stages: Sequence[Stage],
    market: Market,
    window: Window,
    minds: Minds,
    judge: SentimentClassifier | None,
    carried: Sequence[MemoryCarried],
    journal: Journal,
    asking: Asking,
    listener: Listener | None,
    budget: Budget | None = None,
) -> Outcome:
    first = stages[0]
    config = first.config
    fingerprint, model = minds.of(0)
    started = SessionStarted(
        config=recorded_choices(config, market) | {"policy": first.policy.hash()} | recorded_judge(judge),
        market=market.name,
        market_fingerprint=market.fingerprint,
        universe=list(window.universe),
        benchmark=window.benchmark,
        decisions=list(window.decisions),
        model=fingerprint.model_dump(mode="json"),
        prompts=prompts_hash(first.roster.seated),
        memory=summary(carried),
    )
    if listener is not None:
        journal.subscribe(listener)
    choices = content_hash(started.model_dump(mode="json"))
    session_id = choices[:16]
    if changes := [[stage.first, *stage.branch.settings] for stage in stages if stage.branch is not None]:
        choices = content_hash([choices, changes])  # a fork that changes something is a trial of its own
    trial = None if journal.folder is None else trial_of(config, market, choices)
    if trial is not None:  # a replay is no new trial
        trial.begin()
    journal.append(started)
    mind = JournaledMind(fingerprint, journal, lambda: model, meter=Meter(budget or Budget(), fingerprint))
    desk = assemble(config, first.roster, market, window, first.policy, mind, session_id, judge)
    for memory in carried:
        journal.append(memory)
        learn(desk, *memory.outcomes)
    decide(stages, desk, minds, asking)
    tracks = tracks_of(config, market, window, journal)
    metrics = result_of(tracks)
    journal.append(SessionEnded(metrics=metrics))
    if journal.folder is not None:
        draw(tracks, market, window, mind.fingerprint, journal.folder / PLOT_FILE)
    if trial is not None:
        trial.end(tracks[0].equity)
    journal.finish()
    if market.masked is not None and journal.folder is not None:
        refuse_leaks(journal.events(), market.masked)
    notes = notes_of(market, window, mind.fingerprint, config.mask)
    return Outcome(asking.folder, journal.head, journal.count, mind.calls, metrics, notes, mind.meter.spending())


def trial_of(config: SessionConfig, market: Market, choices: str) -> Counted:
    """The session as the trials ledger counts it: by the hash of its choices, on the market that it was masked from."""
    original = market.fingerprint if market.masked is None else market.masked.original.fingerprint
    label = f"{config.desk}, {config.model}, {market.name}"
    return Counted(original, choices, label, ledger_path())


def assemble(
    config: SessionConfig,
    seated: Roster,
    market: Market,
    window: Window,
    policy: Policy,
    mind: JournaledMind,
    session_id: str,
    judge: SentimentClassifier | None = None,
) -> DeskContext:
    """The desk of a session: broker, rules, optimizer and limits around a journaled mind; `judge` of the tone."""
    bars = market.bars(window.universe, window.sessions[0], window.sessions[-1])

    def authorise(order: OrderIntent, token: VerdictToken) -> None:
        account = broker.account()
        desk.rules.authorise(order, token, state_version=account.version(), now=account.at)

    broker = SimulatedBroker(
        bars,
        cash=config.cash,
        costs=costs_of(config),
        terms=terms_of(config),
        margin=margin_of(config),
        authorise=authorise,
        close_of=market.calendar.close_of,
        fractional=config.fractional,
    )
    desk = DeskContext(
        session_id=session_id,
        market=market,
        calendar=market.calendar,
        universe=window.universe,
        decision_sessions=frozenset(window.decisions),
        market_key=market.fingerprint,
        analysts=seated.analysts,
        mind=mind,
        journal=mind.journal,
        broker=broker,
        rules=rules_of(policy, session_id),
        optimizer=MeanCVaR(),
        settings=settings_of(config),
        tone_judge=judge,
    )
    return desk


def margin_of(config: SessionConfig) -> Margin | None:
    """The terms of short positions; None for a long-only account. No money is lent for purchases."""
    if not config.max_short:
        return None
    return Margin(
        initial_short=config.short_margin,
        maintenance_short=config.short_maintenance,
        borrow_fee=config.borrow_fee,
        debit_interest=config.debit_interest,
    )
