"""A session: one desk, one market, one window, one journal.

`start` makes a new one, `resume` continues one that was stopped, `replay` derives a finished one again without a
model. All three execute the same graph from its beginning; the journal decides what is new, what is compared and
what is answered from the record.
"""

from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..agents.models.budget import Budget, Meter, Spending
from ..agents.models.core import Fingerprint, ModelCore
from ..agents.models.open import open_model
from ..agents.models.replay import Replay
from ..agents.models.served.access import Access
from ..agents.roles import prompts_hash
from ..agents.rosters import Roster, roster
from ..memory.journal import Journal, Listener
from ..memory.journal.events import MemoryCarried, SessionEnded, SessionStarted
from ..orchestration.context import DeskContext, DeskSettings
from ..orchestration.graph import STEPS_PER_SESSION, session_of
from ..orchestration.hindsight import learn
from ..orchestration.journaled_mind import JournaledMind
from ..orchestration.state import DeskState
from ..tools.broker.protocol import OrderIntent, VerdictToken
from ..tools.broker.simulated import Margin, SimulatedBroker
from ..tools.errors import InputError
from ..tools.frozen import content_hash
from ..tools.market.view import Market
from ..tools.optimizer import MeanCVaR
from ..tools.rules import Policy, RuleEngine, load_policy
from .account import costs_of, terms_of
from .carrying import carried_into, read_memory, recorded_memory, summary
from .config import SessionConfig, load_config
from .evaluation.result import draw, notes_of, result_of, tracks_of
from .evaluation.trials import Counted, ledger_path
from .leakage import refuse_leaks
from .masking import keep_key, market_of, recorded_choices
from .window import Window, last_decision, window_of

PLOT_FILE = "equity.png"
"""The picture of a session, in its folder."""
TRADE = "trade"
"""Key of the manifest's configuration under which a live session keeps what a simulated one has not."""


class SessionError(InputError):
    """A session cannot be started, resumed or replayed as asked."""


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
) -> Outcome:
    """Runs a new session in `folder`.

    Args:
        config: every choice.
        folder: where the session lives; it must not hold another one.
        listener: told every event.
        say: told what is being prepared, for people.
        access: how a model server may be used.
        budget: what the session may spend on its mind, counted from its start; no limit by default.

    Raises:
        InputError: something given is refused; nothing is left half-written.
        BudgetExhausted: the budget is spent; the journal is intact and `resume` goes on.
    """
    Journal.refuse_unless_free(folder)  # before the slow steps; `create` looks again
    policy = simulated_policy(config)
    roster_of(config)  # a fault in a role is told before the slow steps
    say(f"opening market {config.market}")
    market = market_of(config)
    window = window_of(config, market)
    carried = read_memory(config, last_decision(market, window))
    say(f"opening model {config.model}")
    with closing(mind_of(config, access)) as model:
        mind = _dated(model.fingerprint, config)
        journal = Journal.create(folder, config=config.model_dump(mode="json"))
        with closing(journal):
            keep_key(market, folder)
            say("the desk is at work")
            return _execute(
                config, market, window, policy, mind, lambda: model, carried, journal, folder, listener, budget
            )


def resume(
    folder: Path,
    listener: Listener | None = None,
    say: Callable[[str], None] = _nothing,
    *,
    access: Access | None = None,
    budget: Budget | None = None,
) -> Outcome:
    """Continues a stopped session to the same end that it would have had.

    `access` and `budget` are given anew: they decide nothing but how a server is asked and when to stop. What was spent
    before counts.
    """
    config = stored_config(folder)
    say("checking the journal")
    journal = Journal.open_for_resume(folder)
    try:
        say(f"opening market {config.market}")
        market = market_of(config)
        keep_key(market, folder)  # the process may have been killed before it was written
        window = window_of(config, market)
        carried = carried_into(folder, config, last_decision(market, window))
        say(f"opening model {config.model}")
        model = mind_of(config, access)
        try:
            say("deriving what is on record, then going on")
            policy = simulated_policy(config)
            mind = _dated(model.fingerprint, config)
            return _execute(
                config, market, window, policy, mind, lambda: model, carried, journal, folder, listener, budget
            )
        finally:
            model.close()
    finally:
        journal.close()


def replay(folder: Path, listener: Listener | None = None, say: Callable[[str], None] = _nothing) -> Outcome:
    """Derives a finished session again in memory, without a model; every event must come out equal.

    Raises:
        JournalDivergence: an event differs; the message names it.
    """
    config = stored_config(folder)
    recorded = Journal.open_readonly(folder)
    try:
        if not recorded.is_finished:
            raise SessionError(f"The session in {folder} is not finished: resume it before replaying it.")
        first = next(iter(recorded.events("session_started"))).event
        assert isinstance(first, SessionStarted)
        fingerprint = Fingerprint.model_validate(first.model)
        say(f"opening market {config.market}")
        market = market_of(config)
        say("deriving every event again, without a model")
        journal = Journal.in_memory(against=recorded)
        mind = Replay({}, fingerprint)
        window = window_of(config, market)
        policy = simulated_policy(config)
        carried = recorded_memory(recorded)
        return _execute(config, market, window, policy, fingerprint, lambda: mind, carried, journal, folder, listener)
    finally:
        recorded.close()


def mind_of(config: SessionConfig, access: Access | None) -> ModelCore:
    """The mind of a session, opened; `access` says how a server may be used."""
    return open_model(
        config.model,
        threads=config.threads,
        seed=config.seed,
        context=config.context,
        access=access,
        adapter=Path(config.adapter).expanduser() if config.adapter else None,
    )


def simulated_policy(config: SessionConfig) -> Policy:
    """The pre-trade policy of a simulated session.

    Raises:
        SessionError: it names a kill switch. Whether that file exists is nothing that a session can be derived from
            again, so a simulation cannot honour it. Or the session may go short and the policy permits none.
    """
    policy = load_policy(config.policy)
    if policy.kill_switch is not None:
        raise SessionError(
            f"The policy {config.policy} names a kill switch, which only live trading can honour: take kill_switch out."
        )
    if config.max_short and not any("sell" in sides for sides in policy.permissions.values()):
        raise SessionError(
            f'The policy {config.policy} lets nothing be sold short: add "sell" to its permissions, or leave '
            "max_short at 0."
        )
    return policy


def _dated(fingerprint: Fingerprint, config: SessionConfig) -> Fingerprint:
    """The mind with the training cutoff that the user states, where it does not know its own.

    Raises:
        SessionError: it knows another one.
    """
    if config.training_cutoff is None:
        return fingerprint
    stated, known = config.training_cutoff.isoformat(), fingerprint.training_cutoff
    if known not in (None, stated) or fingerprint.backend == "scorecard":
        what = f"read texts up to {known}" if known else "has read nothing"
        raise SessionError(f"The mind {fingerprint.name} {what}: leave training_cutoff out.")
    return fingerprint.model_copy(update={"training_cutoff": stated})


def stored_config(folder: Path) -> SessionConfig:
    """The configuration of a session, from its folder.

    Raises:
        JournalRefused: the folder holds no session.
        SessionError: it holds one of live trading.
    """
    with Journal.open_readonly(folder) as journal:
        assert journal.manifest is not None  # a journal in a folder has one
        if TRADE in journal.manifest.config:
            raise SessionError(f"{folder} holds a live session: go on with it by `paperdesk trade --out {folder}`.")
        return load_config(None, journal.manifest.config)


def _execute(
    config: SessionConfig,
    market: Market,
    window: Window,
    policy: Policy,
    fingerprint: Fingerprint,
    open_mind: Callable[[], ModelCore],
    carried: Sequence[MemoryCarried],
    journal: Journal,
    folder: Path,
    listener: Listener | None,
    budget: Budget | None = None,
) -> Outcome:
    desk_roster = roster_of(config)
    started = SessionStarted(
        config=recorded_choices(config, market) | {"policy": policy.hash()},
        market=market.name,
        market_fingerprint=market.fingerprint,
        universe=list(window.universe),
        benchmark=window.benchmark,
        decisions=list(window.decisions),
        model=fingerprint.model_dump(mode="json"),
        prompts=prompts_hash(desk_roster.analysts),
        memory=summary(carried),
    )
    if listener is not None:
        journal.subscribe(listener)
    choices = content_hash(started.model_dump(mode="json"))
    session_id = choices[:16]
    trial = None if journal.folder is None else trial_of(config, market, choices)
    if trial is not None:  # a replay is no new trial
        trial.begin()
    journal.append(started)
    mind = JournaledMind(fingerprint, journal, open_mind, meter=Meter(budget or Budget(), fingerprint))
    desk = assemble(config, desk_roster, market, window, policy, mind, session_id)
    for memory in carried:
        journal.append(memory)
        learn(desk, *memory.outcomes)
    session_of(desk_roster.analysts).invoke(DeskState(), {"recursion_limit": STEPS_PER_SESSION}, context=desk)
    tracks = tracks_of(config, market, window, journal)
    metrics = result_of(tracks)
    journal.append(SessionEnded(metrics=metrics))
    if journal.folder is not None:
        draw(tracks, market, window, fingerprint, journal.folder / PLOT_FILE)
    if trial is not None:
        trial.end(tracks[0].equity)
    journal.finish()
    if market.masked is not None and journal.folder is not None:
        refuse_leaks(journal.events(), market.masked)
    notes = notes_of(market, window, fingerprint, config.mask)
    return Outcome(folder, journal.head, journal.count, mind.calls, metrics, notes, mind.meter.spending())


def settings_of(config: SessionConfig) -> DeskSettings:
    """The limits and preferences of a session's desk."""
    return DeskSettings(
        seed=config.seed,
        risk_aversion=config.risk_aversion,
        beta=config.beta,
        max_weight=config.max_weight,
        min_invested=config.min_invested,
        min_cash=config.min_cash,
        turnover_limit=config.turnover_limit,
        equity_premium=config.equity_premium,
        scenario_sessions=config.scenario_sessions,
        max_revisions=config.max_revisions,
        repeats=config.repeats,
        ablate=config.ablate,
        cost_per_unit=(config.commission_bps + config.slippage_bps + config.spread_bps / 2) / 1e4,
        fractional=config.fractional,
        max_short=config.max_short,
    )


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
) -> DeskContext:
    """The desk of a session: broker, rules, optimizer and limits around a journaled mind."""
    bars = market.bars(window.universe, window.sessions[0], window.sessions[-1])
    rules = RuleEngine(policy, content_hash(["verdict tokens", session_id]).encode())

    def authorise(order: OrderIntent, token: VerdictToken) -> None:
        account = broker.account()
        rules.authorise(order, token, state_version=account.version(), now=account.at)

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
    return DeskContext(
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
        rules=rules,
        optimizer=MeanCVaR(),
        settings=settings_of(config),
    )


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


def roster_of(config: SessionConfig) -> Roster:
    """The analysts of a session.

    Raises:
        InputError: the desk, one of its roles, or the folder with roles has a fault or is missing.
    """
    return roster(config.desk, config.without, config.roles)
