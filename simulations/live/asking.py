"""Approval on a live clock: a person is asked after the close, and has until the next open."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from threading import Event, Thread

from ...orchestration.approval import Answer, ApprovalRequest
from ..approvers import Approver, FileApprover
from ..config import SessionConfig
from .days import last_moment
from .opening import Trader

ALIVE_SECONDS = 20.0
"""Between two signs of life while a person is waited for."""


@dataclass
class LiveAsking:
    """Asks for approval until the next open: after it nothing of the decision is sent, whatever the answer.

    Args:
        config: says where to ask, and for how long at most.
        folder: of the session, for questions by files.
        at_terminal: asked where the configuration says `terminal`.
        trader: knows the time, the next open, and who is told that the desk is alive.
        say: tells a person what is waited for.
    """

    config: SessionConfig
    folder: Path
    at_terminal: Approver
    trader: Trader
    say: Callable[[str], None]

    def __call__(self, request: ApprovalRequest) -> Answer:
        """The answer, or that there was none before the next open or within the session's own limit."""
        left = self._left(request)
        if left <= timedelta(0):
            return Answer.none(request, "the open after the decision has passed")
        seconds = min(left.total_seconds(), self.config.approval_timeout or left.total_seconds())
        approver = FileApprover(self.folder, self.say) if self.config.approve == "file" else self.at_terminal
        with _alive(self.trader.beat, f"waiting for approval of decision {request.decision + 1}"):
            return approver.ask(request, seconds)

    def _left(self, request: ApprovalRequest) -> timedelta:
        trader = self.trader
        return last_moment(trader.calendar(), request.session, trader.config) - trader.clock.now()


@contextmanager
def _alive(beat: Callable[[str], None], doing: str) -> Iterator[None]:
    """Tell from another thread that the desk is alive, while this one waits for a person."""
    done = Event()

    def tell() -> None:
        while not done.wait(ALIVE_SECONDS):
            beat(doing)

    beat(doing)
    thread = Thread(target=tell, name="alive", daemon=True)
    thread.start()
    try:
        yield
    finally:
        done.set()
        thread.join()
