"""A fork: a new session that shares another one's past and changes one thing from a decision on.

The new session's folder begins with the events before that decision, copied hash by hash; then the session is executed
like any that is resumed. So what is shared is derived again and compared, never trusted; nothing of the past is decided
again under what was set; and the fork can be verified, resumed, replayed and forked without its parent.
"""

from bisect import bisect
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from ..agents.models.budget import Budget
from ..agents.models.served.access import Access
from ..memory.journal import Branch, Journal, JournalDamaged, JournalDivergence, Listener, Past, verify
from ..memory.journal.database import FILE as JOURNAL_FILE
from ..memory.journal.events import SessionStarted
from ..memory.journal.lock import FILE as LOCK_FILE
from ..memory.journal.manifest import FILE as MANIFEST_FILE
from ..tools.market.mask.key import MaskKey
from .approvers import Approver
from .changes import Changes, parse_changes
from .config import load_config
from .masking import KEY_FILE
from .session import Outcome, resume
from .stages import Minds, SessionError, Stage, recorded_minds, stages_of

SOMEBODY = "a person"
"""Who set something, where nobody says so."""


@dataclass(frozen=True)
class _Plan:
    """A fork that has been checked and can be made."""

    past: Past
    stages: tuple[Stage, ...]


def fork(
    parent: Path,
    folder: Path,
    at: date,
    settings: Sequence[str] = (),
    listener: Listener | None = None,
    say: Callable[[str], None] = lambda _: None,
    *,
    by: str = SOMEBODY,
    access: Access | None = None,
    budget: Budget | None = None,
    approver: Approver | None = None,
) -> Outcome:
    """Runs a new session in `folder` that is `parent` until its decision at `at`, and has `settings` from there on.

    Without settings it lives the same days again, to an equal head.

    Args:
        parent: folder of the other session; it may still be unfinished, if it has come as far as that decision.
        folder: of the new one; it must not hold a session.
        at: the session of the first decision that may differ, as `show` prints it.
        settings: what to set from there on (`changes.py`).
        listener: told every event.
        say: told what is being prepared, for people.
        by: who sets it.
        access: how a model server may be used.
        budget: what the new session may spend on its mind, what its past has cost included.
        approver: who is asked where the configuration says `terminal`.

    Raises:
        InputError: something given is refused; nothing is left half-written.
        JournalDamaged: the parent's record is not intact; nothing was written.
        JournalDivergence: what is shared comes out otherwise now; nothing is left.
    """
    Journal.refuse_unless_free(folder)
    changes = parse_changes(settings)
    say("checking the journal")
    if (problem := verify(parent).problem) is not None:
        raise JournalDamaged(f"The session in {parent} cannot be forked: {problem}")
    with Journal.open_readonly(parent) as journal:
        plan = _plan(journal, parent, at, settings, changes, by)
        if "model" in changes.config:
            say(f"opening model {plan.stages[-1].config.model}")
        with Minds(plan.stages, access, recorded_minds(journal, plan.stages), plan.past.branches[-1].decision) as minds:
            minds.of(len(plan.stages) - 1)  # a mind that is not there is told before anything is written
        assert journal.manifest is not None
        Journal.create(folder, config=journal.manifest.config, past=plan.past).close()
    try:
        return resume(folder, listener, say, access=access, budget=budget, approver=approver)
    except JournalDivergence:
        if verify(folder).count <= plan.past.count:  # the past that both should share: this is no session
            _take_away(folder)
        raise


def _plan(journal: Journal, parent: Path, at: date, settings: Sequence[str], changes: Changes, by: str) -> _Plan:
    assert journal.manifest is not None
    first = next((record.event for record in journal.events("session_started")), None)
    if not isinstance(first, SessionStarted):
        raise SessionError(f"The session in {parent} was stopped before it began: resume it first.")
    decision = decision_at(at, first.decisions)
    reached = next(iter(journal.events(decision=decision)), None)
    if reached is None:
        raise SessionError(
            f"The session in {parent} was stopped before its decision at {at}: resume it first, or fork it earlier."
        )
    count = reached.seq - 1
    branch = Branch(
        parent=str(parent.resolve()),
        parent_head=journal.head,
        parent_count=journal.count,
        shared_head=journal.hash_at(count),
        shared_count=count,
        decision=decision,
        at=at,
        settings=_masked(settings, parent),
        by=by,
    )
    branches = (*journal.manifest.branches, branch)
    config = load_config(None, journal.manifest.config)
    stages = stages_of(config, branches)
    _refuse_what_is_so_anyway(changes, [stage for stage in stages if stage.branch is not branch], decision)
    _refuse_unknown_seats(next((s for s in stages if s.branch is branch), stages[0]), first.universe)
    return _Plan(Past(count, branch.shared_head, branches, lambda: journal.rows(count)), stages)


def decision_at(at: date, decisions: Sequence[date]) -> int:
    """The number of the decision at a session's close, from 0.

    Raises:
        SessionError: nothing is decided there; the message names the decisions next to it.
    """
    if at in decisions:
        return decisions.index(at)
    place = bisect(decisions, at)
    near = [str(day) for day in decisions[max(0, place - 1) : place + 1]]
    which = f"nearest is {near[0]}" if len(near) == 1 else f"nearest are {near[0]} and {near[1]}"
    raise SessionError(f"The session decides nothing at {at}: of its {len(decisions)} decisions the {which}.")


def _masked(settings: Sequence[str], parent: Path) -> tuple[str, ...]:
    """The settings in the terms of the journal: an original ticker of a masked session as the desk knows it."""
    if not (parent / KEY_FILE).is_file():
        return tuple(settings)
    tickers = MaskKey.read(parent / KEY_FILE).tickers

    def told(text: str) -> str:
        left, _, value = text.partition("=")
        if not left.startswith("signal:"):
            return text
        kind, agent, ticker = (part.strip() for part in left.split(":"))
        return f"{kind}:{agent}:{tickers.get(ticker, ticker)}={value}"

    return tuple(told(text) for text in settings)


def _refuse_what_is_so_anyway(changes: Changes, others: Sequence[Stage], decision: int) -> None:
    before = [stage for stage in others if stage.first <= decision][-1].config
    after = changes.applied_to(before)
    for name in changes.config:
        if getattr(after, name) == getattr(before, name):
            raise SessionError(f"{name} is {getattr(before, name)!r} at that decision anyway: set another value.")


def _refuse_unknown_seats(stage: Stage, universe: Sequence[str]) -> None:
    agents = [role.name for role in stage.roster.analysts]
    for agent, ticker in stage.changes.stances:
        if agent not in agents:
            raise SessionError(f"No analyst {agent!r} sits on the desk then: choose from {', '.join(agents)}.")
        if ticker not in universe:
            raise SessionError(f"The session does not trade {ticker!r}: choose from {', '.join(universe)}.")


def _take_away(folder: Path) -> None:
    for name in (JOURNAL_FILE, f"{JOURNAL_FILE}-wal", f"{JOURNAL_FILE}-shm", MANIFEST_FILE, LOCK_FILE, KEY_FILE):
        (folder / name).unlink(missing_ok=True)
    if not any(folder.iterdir()):
        folder.rmdir()
