"""What a person sees while the desk works: lines that stay, and on a terminal one line that moves.

Everything goes to standard error, so that `--json` on standard output can be piped.
"""

import json as jsonlib
import shlex
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from rich.console import Console
from rich.live import Live
from rich.spinner import Spinner
from rich.text import Text

from ..agents.models.budget import BudgetExhausted
from ..memory.journal.database import FILE as JOURNAL_FILE
from ..tools.errors import PaperDeskError
from .digest import Digest, Line
from .pace import Pace

if TYPE_CHECKING:
    from ..agents.models.budget import Budget, Spending
    from ..memory.journal import Record
    from ..orchestration.approval import Answer, ApprovalRequest
    from .approvers import TerminalApprover
    from .session import Outcome

RUNS = Path("runs")
"""Where sessions go unless told otherwise."""


class Interrupted(PaperDeskError):
    """A person pressed Ctrl-C."""

    exit_code: ClassVar[int] = 130
    """128 + SIGINT, as shells have it."""


def runs_folder(root: Path = RUNS) -> Path:
    """A folder for the next session: runs/001, runs/002, ..."""
    taken = [int(path.name) for path in root.glob("*") if path.name.isdecimal()]
    return root / f"{max(taken, default=0) + 1:03d}"


@contextmanager
def console(session: Path | None = None, *, quiet: bool = False, budget: "Budget | None" = None) -> Iterator["Screen"]:
    """A screen for the duration of one command.

    Args:
        session: the folder that the command writes to, if it writes.
        quiet: show what is being done, but not every event.
        budget: what a session may spend, to say what is left of it.

    Raises:
        Interrupted: Ctrl-C; the message says how to go on.
        BudgetExhausted: with the command that goes on.
    """
    screen = Screen(Console(stderr=True, highlight=False), quiet, budget)
    try:
        with screen.live():
            yield screen
    except BudgetExhausted as error:
        if session is None:
            raise
        how = f"`paperdesk resume {shlex.quote(str(session))}`"
        raise BudgetExhausted(f"{str(error).removesuffix('.')} ({how}).") from None
    except KeyboardInterrupt:
        if session is not None and (session / JOURNAL_FILE).exists():
            how = f"`paperdesk resume {shlex.quote(str(session))}` continues the session from here."
        else:
            how = "nothing was changed, run the command again."
        raise Interrupted(f"Interrupted: {how}") from None


class Screen:
    """Prints a session as it goes."""

    def __init__(
        self,
        terminal: Console,
        quiet: bool = False,
        budget: "Budget | None" = None,
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        self._terminal = terminal
        self._quiet = quiet
        self._now = now
        self._began = now()
        self._digest = Digest()
        self._pace = Pace(budget, now)
        self._status = ""
        self._spinner = Spinner("dots")
        self._live: Live | None = None
        self._approver: TerminalApprover | None = None

    @contextmanager
    def live(self) -> Iterator[None]:
        """On a terminal, keep one moving line below the ones that stay."""
        if not self._terminal.is_terminal:
            yield
            return
        with Live(get_renderable=self._moving, console=self._terminal, refresh_per_second=8, transient=True) as live:
            self._live = live
            try:
                yield
            finally:
                self._live = None

    def ask(self, request: "ApprovalRequest", timeout_seconds: float | None) -> "Answer":
        """A person's answer, typed here; nothing moves meanwhile."""
        from .approvers import TerminalApprover

        if self._approver is None:
            self._approver = TerminalApprover(lambda line: self._terminal.print(Text(line), soft_wrap=True))
        for line in self._digest.flush():  # what the question rests on comes before it
            self._print(line)
        if self._live is not None:
            self._live.stop()
        try:
            return self._approver.ask(request, timeout_seconds)
        finally:
            if self._live is not None:
                self._live.start()

    def say(self, text: str) -> None:
        """One step of the preparation."""
        self._status = text
        self._print(Line("note", f"{self._clock()}  {text}"))

    def listen(self, record: "Record", fresh: bool) -> None:
        """An event was written, or derived again (`fresh` is False)."""
        lines = self._digest.take(record.event)
        self._pace.take(record.event, fresh)
        self._status = self._digest.status
        if fresh and not self._quiet:
            for line in lines:
                if line.kind == "title" and self._live is None and (left := self._pace.told()):
                    line = Line(line.kind, f"{line.text}; {left}")  # on a terminal the moving line says so
                self._print(line)

    def finish(self, outcome: "Outcome", *, json: bool) -> None:
        """The table at the end, and where everything lies."""
        from .evaluation.table import result_table

        for line in self._digest.flush():
            self._print(line)
        self._terminal.print()
        self._terminal.print(result_table(outcome.metrics))
        for sentence in outcome.notes:
            self._terminal.print(Text(sentence), style="dim", soft_wrap=True)
        self._terminal.print(f"\nequity plot  {outcome.folder / 'equity.png'}", soft_wrap=True)
        self._terminal.print(f"why          paperdesk show {shlex.quote(str(outcome.folder))}", soft_wrap=True)
        self._terminal.print(
            f"journal      {outcome.events} events, head {outcome.head[:16]}, {self._clock()}", soft_wrap=True
        )
        if told := _spent(outcome.spent):
            self._terminal.print(f"spent        {told}", soft_wrap=True)
        if json:
            sys.stdout.write(jsonlib.dumps(_result(outcome), indent=2) + "\n")

    def replayed(self, outcome: "Outcome", *, json: bool) -> None:
        """The result of a replay: it got here, so the heads are equal."""
        self._terminal.print(
            f"equal: all {outcome.events} events came out the same without a model, head {outcome.head[:16]}",
            soft_wrap=True,
        )
        if json:
            sys.stdout.write(jsonlib.dumps(_result(outcome), indent=2) + "\n")

    def _print(self, line: Line) -> None:
        style = {"note": "dim", "title": "bold", "warning": "yellow"}.get(line.kind, "")
        target = self._live.console if self._live else self._terminal
        target.print(Text(line.text), style=style, soft_wrap=not self._terminal.is_terminal)

    def _moving(self) -> Text:
        """One line, however narrow the terminal: figures come whole, what is being done as far as there is room."""
        frame = self._spinner.render(self._terminal.get_time())
        assert isinstance(frame, Text)  # it has no text of its own
        figures = "  ".join(filter(None, (self._clock(), self._pace.told())))
        status = Text(self._status)
        status.truncate(max(self._terminal.width - len(figures) - 4, 0), overflow="ellipsis")
        line = Text.assemble(frame, " ", status, "  ", figures, style="cyan")
        line.truncate(self._terminal.width, overflow="ellipsis")
        return line

    def _clock(self) -> str:
        seconds = int(self._now() - self._began)
        return f"{seconds // 60:02d}:{seconds % 60:02d}"


def show_verification(folder: Path, *, json: bool) -> int:
    """Verifies a session's journal and says what was found; the exit code (0 intact, 3 not)."""
    from ..memory.journal.chain import verify
    from .leakage import session_leaks

    found = verify(folder)
    # a broken journal is no basis for a search in it
    leaks = [leak for leak in session_leaks(folder) if not leak.is_warning] if found.ok else []
    if json:
        document = {
            "ok": found.ok and not leaks,
            "count": found.count,
            "head": found.head,
            "problem": found.problem,
            "seq": found.seq,
            "leaks": [leak.model_dump(mode="json") for leak in leaks],
        }
        sys.stdout.write(jsonlib.dumps(document, indent=2) + "\n")
    elif not found.ok:
        sys.stdout.write(f"not intact: {found.problem}\n")
    else:
        sys.stdout.write(f"intact: {found.count} events, head {found.head}\n")
        for leak in leaks:
            sys.stdout.write(f"leak: event {leak.seq} ({leak.event}, {leak.where}) holds the original {leak.what!r}\n")
    return 0 if found.ok and not leaks else 3


def _spent(spent: "Spending") -> str:
    """What a session spent on its mind, for people; empty where it has none that counts tokens."""
    if not spent.prompt_tokens and not spent.generated_tokens:
        return ""
    cost = "" if spent.cost_usd is None else f", {spent.cost_usd:.4f} US dollars"
    how = ", at most: the server reports no tokens, so characters were counted" if spent.estimated else ""
    return f"{spent.prompt_tokens:,} tokens read, {spent.generated_tokens:,} written{cost}{how}"


def _result(outcome: "Outcome") -> dict[str, object]:
    return {
        "folder": str(outcome.folder),
        "head": outcome.head,
        "events": outcome.events,
        "model_calls": outcome.model_calls,
        "metrics": outcome.metrics,
        "notes": outcome.notes,
        "spent": asdict(outcome.spent),
    }
