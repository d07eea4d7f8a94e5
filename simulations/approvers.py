"""Who is asked for approval, and how: at the terminal, or by files that another program or person reads and writes.

A bad answer is refused with one sentence, and the question stands. Nobody's answer is never a yes: the session waits,
or goes on without the orders once `approval_timeout` seconds have passed.
"""

import getpass
import json
import os
import select
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Protocol

from pydantic import ValidationError

from ..orchestration.approval import Answer, AnswerRefused, ApprovalRequest, stopped_by
from ..tools.disk import write_whole
from ..tools.errors import PaperDeskError

FOLDER = "approvals"
"""In a session's folder, with the files of its questions and answers."""

POLL_SECONDS = 0.2
LOOK_SECONDS = 1.0
"""Longest wait for a line in one piece: after a night in a closed laptop it is found out that the time is over."""
HALF_WRITTEN_SECONDS = 1.0
"""An answer file that cannot be read is given so long to be written to its end, before it is refused."""

Say = Callable[[str], None]


class ApprovalPending(PaperDeskError):
    """Nobody can answer here; the session is intact and `resume` asks again."""


class Approver(Protocol):
    """Whoever is asked."""

    def ask(self, request: ApprovalRequest, timeout_seconds: float | None) -> Answer:
        """The answer, checked (`stopped_by` accepts it); `Answer.none` where the time is over, if there is a limit."""
        ...


def passing() -> float:
    """Seconds on a clock that never goes back and that goes on while the machine sleeps."""
    clock = getattr(time, "CLOCK_BOOTTIME", getattr(time, "CLOCK_MONOTONIC", None))
    return time.monotonic() if clock is None else time.clock_gettime(clock)


def nobody_came(request: ApprovalRequest, seconds: float) -> Answer:
    """The answer after so many seconds in which there was none."""
    lengths = {"hours": 3600, "minutes": 60, "seconds": 1}
    unit, length = next(row for row in lengths.items() if seconds >= 2 * row[1] or row[1] == 1)
    return Answer.none(request, f"no answer within {seconds / length:.3g} {unit}")


def lines_of(request: ApprovalRequest) -> list[str]:
    """A request for a person to read."""
    lines = [
        f"Decision {request.decision + 1} at {request.session} waits for approval.",
        f"  equity {request.equity:,.2f}, of which {request.cash:.1%} would stay in cash",
        f"  {request.rationale}",
    ]
    for order in request.orders:
        kind = "exit" if order.exit else "entry"
        lines.append(
            f"  {order.side:<4} {order.quantity:>12,.6g} {order.ticker:<8} {order.value:>16,.0f}  {kind:<5}  "
            f"{order.weight:.1%} -> {order.target:.1%}"
        )
        lines.append(f"       {order.reason}")
    return lines


HOW = "approve | reject: REASON (no entry leaves; name exits to stop them too) | veto TICKER ...: REASON"


def parse_line(text: str, request: ApprovalRequest, by: str) -> Answer:
    """An answer as it is typed: `approve`, `reject: too early`, `reject JPM: stay`, `veto NVDA JPM: too much of both`.

    Raises:
        AnswerRefused: it is none.
    """
    left, _, reason = text.partition(":")
    words = left.replace(",", " ").split()
    if not words or words[0].lower() not in ("approve", "reject", "veto"):
        raise AnswerRefused(f"That is no answer: {HOW}.")
    try:
        answer = Answer.model_validate(
            {
                "request": request.key,
                "verdict": words[0].lower(),
                "orders": words[1:],
                "reason": reason.strip(),
                "by": by,
            }
        )
    except ValidationError as error:
        raise AnswerRefused(_told(error)) from None
    stopped_by(answer, request)
    return answer


class TerminalApprover:
    """Asks at the terminal, one line per answer.

    Args:
        say: shows a line to the person.
        source: file descriptor that answers are read from; standard input by default.
        by: who answers; the name under which the person is logged in by default.
    """

    def __init__(self, say: Say | None = None, source: int | None = None, by: str | None = None) -> None:
        self._say: Say = say or (lambda line: print(line, file=sys.stderr))  # noqa: T201
        self._source = source
        self._by = by or _login()
        self._waiting = b""

    def ask(self, request: ApprovalRequest, timeout_seconds: float | None) -> Answer:
        """The answer that is typed.

        Raises:
            ApprovalPending: the input has ended.
        """
        for told in lines_of(request):
            self._say(told)
        ends = None if timeout_seconds is None else passing() + timeout_seconds
        while True:
            self._say(HOW)
            line = self._line(ends)
            if line is None:
                assert timeout_seconds is not None
                return nobody_came(request, timeout_seconds)
            if not line:
                raise ApprovalPending(
                    f"Decision {request.decision + 1} waits for approval and nobody can answer here, because the input "
                    "has ended: resume the session at a terminal, or with --approve file."
                )
            try:
                return parse_line(line.decode(errors="replace").strip(), request, self._by)
            except AnswerRefused as error:
                self._say(str(error))

    def _line(self, ends: float | None) -> bytes | None:
        """The next line with its end; empty where the input has ended, None where the time is over."""
        source = sys.stdin.fileno() if self._source is None else self._source
        while b"\n" not in self._waiting:
            left = LOOK_SECONDS if ends is None else ends - passing()
            if not select.select([source], [], [], max(0.0, min(left, LOOK_SECONDS)))[0]:
                if left <= 0:
                    return None
                continue
            if not (piece := os.read(source, 4096)):
                line, self._waiting = self._waiting, b""
                return line
            self._waiting += piece
        line, _, self._waiting = self._waiting.partition(b"\n")
        return line + b"\n"


class FileApprover:
    """Asks by files in `approvals/`: writes `decision-003.request.json`, waits for `decision-003.answer.json`.

    Args:
        folder: of the session.
        say: tells a person what is waited for.
    """

    def __init__(self, folder: Path, say: Say | None = None) -> None:
        self._folder = folder / FOLDER
        self._say: Say = say or (lambda line: None)

    def ask(self, request: ApprovalRequest, timeout_seconds: float | None) -> Answer:
        """The answer that a file gives; a file that is there already, from before a restart, counts as well."""
        name = f"decision-{request.decision + 1:03d}"
        answer_file = self._folder / f"{name}.answer.json"
        self._folder.mkdir(exist_ok=True)
        self._put(request, name, None)
        self._say(f"decision {request.decision + 1} waits for {answer_file}")
        ends = None if timeout_seconds is None else passing() + timeout_seconds
        while True:
            if answer_file.exists():
                try:
                    return self._read(answer_file, request)
                except AnswerRefused as error:
                    self._set_aside(answer_file, name)
                    self._put(request, name, str(error))
                    self._say(f"the answer to decision {request.decision + 1} was refused: {error}")
            if ends is not None and passing() >= ends:
                assert timeout_seconds is not None
                return nobody_came(request, timeout_seconds)
            time.sleep(POLL_SECONDS)

    def _put(self, request: ApprovalRequest, name: str, problem: str | None) -> None:
        document = {"key": request.key, "problem": problem, "request": request.model_dump(mode="json")}
        text = json.dumps(document, indent=2, ensure_ascii=False) + "\n"
        write_whole(self._folder / f"{name}.request.json", text)

    def _read(self, path: Path, request: ApprovalRequest) -> Answer:
        began = time.monotonic()
        while True:
            try:
                answer = Answer.model_validate(json.loads(path.read_text(encoding="utf-8")))
                break
            except ValidationError as error:
                raise AnswerRefused(_told(error)) from None
            except (OSError, ValueError) as error:
                if time.monotonic() - began > HALF_WRITTEN_SECONDS:
                    raise AnswerRefused(f"The answer is no JSON ({error}): write it anew.") from None
                time.sleep(POLL_SECONDS)
        if answer.verdict == "unanswered":
            raise AnswerRefused("An answer cannot be that there is none: approve, reject or veto.")
        stopped_by(answer, request)
        return answer

    def _set_aside(self, path: Path, name: str) -> None:
        number = sum(1 for _ in self._folder.glob(f"{name}.refused-*.json")) + 1
        path.replace(self._folder / f"{name}.refused-{number}.json")


def _told(error: ValidationError) -> str:
    first = error.errors()[0]
    where = ".".join(map(str, first["loc"])) or "answer"
    return f"The field '{where}' of the answer is refused: {first['msg'][0].lower() + first['msg'][1:]}."


def _login() -> str:
    try:
        return getpass.getuser()
    except (OSError, KeyError):
        return "somebody at the terminal"
