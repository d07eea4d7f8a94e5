"""A session as one object: run it, go on with it, derive it again, read what it holds."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Self

from ..agents.models.budget import Budget
from ..agents.models.served.access import Access
from ..memory.journal import Journal, Listener, Verification, verify
from ..memory.journal.events import Event
from .config import SessionConfig, load_config
from .session import Outcome, replay, resume, start
from .stages import TRADE, stored_config


class Session:
    """The session in a folder.

    Args:
        folder: of a session that exists; `Session.run` makes a new one.

    Raises:
        JournalRefused: the folder holds no session.
    """

    def __init__(self, folder: Path | str) -> None:
        self.folder = Path(folder)
        with Journal.open_readonly(self.folder):
            pass  # refused here and not at the first question

    @classmethod
    def run(
        cls,
        folder: Path | str,
        config: SessionConfig | None = None,
        *,
        listener: Listener | None = None,
        access: Access | None = None,
        budget: Budget | None = None,
        **options: Any,
    ) -> Self:
        """Run a new session to its end.

        Args:
            folder: where it lives; it must not hold another one.
            config: every choice.
            listener: told every event.
            access: how a model server may be used.
            budget: what may be spent on the mind.
            options: single choices of `SessionConfig`, in place of `config`.

        Raises:
            InputError: something given is refused; nothing is left half-written.
            BudgetExhausted: the budget is spent; `resume` goes on.
        """
        start(config or load_config(None, options), Path(folder), listener, access=access, budget=budget)
        return cls(folder)

    @property
    def config(self) -> SessionConfig:
        """Every choice of it; a live session has others (`live.trade.stored_trade`)."""
        return stored_config(self.folder)

    @property
    def finished(self) -> bool:
        """Whether it came to its end."""
        with Journal.open_readonly(self.folder) as journal:
            return journal.is_finished

    def resume(
        self, *, listener: Listener | None = None, access: Access | None = None, budget: Budget | None = None
    ) -> Outcome:
        """Go on where it was stopped, to the end that it would have had."""
        return resume(self.folder, listener, access=access, budget=budget)

    @property
    def live(self) -> bool:
        """Whether it traded at a venue, and not in a simulation."""
        with Journal.open_readonly(self.folder) as journal:
            return journal.manifest is not None and TRADE in journal.manifest.config

    def replay(self, *, listener: Listener | None = None, say: Callable[[str], None] = lambda text: None) -> Outcome:
        """Derive it again without a model, and without a venue; every event must come out equal.

        Raises:
            JournalDivergence: an event differs.
        """
        if not self.live:
            return replay(self.folder, listener, say)
        from .live.trade import replay_trade

        say("deriving every event again, without model and venue")
        return replay_trade(self.folder, listener)

    def verify(self) -> Verification:
        """Whether the record is intact."""
        return verify(self.folder)

    def events(
        self,
        kind: str | None = None,
        *,
        decision: int | None = None,
        ticker: str | None = None,
        agent: str | None = None,
    ) -> Iterator[Event]:
        """What happened, in order; also while the session runs, as far as it has come."""
        with Journal.open_readonly(self.folder) as journal:
            for record in journal.events(kind, decision=decision, ticker=ticker, agent=agent):
                yield record.event

    @property
    def metrics(self) -> dict[str, Any]:
        """The figures of the desk and of its baselines; empty while it is not finished."""
        return next((dict(event.metrics) for event in self.events("session_ended")), {})  # type: ignore[union-attr]
