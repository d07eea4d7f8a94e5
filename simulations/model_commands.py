"""`paperdesk models pull` and `paperdesk models check`."""

import shlex
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, DownloadColumn, TextColumn, TimeRemainingColumn, TransferSpeedColumn
from rich.progress import Progress as Bar

from ..agents.models.core import ModelInputError
from ..agents.models.files.catalogue import catalogue
from ..agents.models.files.check import Check, check_file, trust_file
from ..agents.models.files.hub import Hub
from ..agents.models.files.places import Pulled, find_file, place_of
from ..agents.models.files.pull import Progress, pull_file
from ..agents.models.files.source import PREFIX, HubFile
from ..agents.models.files.trust import Verdict, verdict
from ..memory.journal.store import wall_clock
from ..tools.frozen import Frozen
from .console import Interrupted


class PullResult(Frozen):
    """What `paperdesk models pull` came to."""

    model: str
    """What `--model` takes from now on."""
    file: Path
    pulled: Pulled
    fetched: int
    """Bytes that were transferred this time; 0 where the file was there."""
    verdict: Verdict


def pull_command(
    spec: str,
    *,
    out: Path | None = None,
    sha256: str | None = None,
    endpoint: str | None = None,
    sleep: Callable[[float], None] = time.sleep,
) -> PullResult:
    """Fetch a model file; a moving bar goes to standard error.

    Args:
        spec: `hf:owner/repo/file[@revision]` or a name of the catalogue.
        out: a folder, or a file name that ends in `.gguf`; the user's data folder by default.
        sha256: what the file must have (hex), beside what the hub says.
        endpoint: of the hub; see `Hub`.
        sleep: how to wait between attempts.

    Raises:
        ModelInputError: the spec names nothing on a hub; see `pull_file` for the rest.
        Interrupted: Ctrl-C; the message says how to go on.
    """
    known = catalogue().get(spec)
    source = known.source if known else spec
    if not source.startswith(PREFIX):
        why = "comes with PaperDesk, there is nothing to pull" if known else "is no model of a hub"
        names = ", ".join(name for name, model in catalogue().items() if model.source.startswith(PREFIX))
        raise ModelInputError(f"{spec!r} {why}: name hf:owner/repo/file.gguf or one of {names}.")
    file = HubFile.of(source)
    place = place_of(file)
    if out is not None:
        place = out if out.name.lower().endswith(".gguf") else out / place.name
    wanted = _digest(sha256) if sha256 is not None else known.sha256 if known else None
    try:
        with closing(Hub(endpoint)) as hub, _bar(str(file)) as report:
            done = pull_file(file, place, hub, sleep=sleep, sha256=wanted, report=report)
    except KeyboardInterrupt:
        raise Interrupted("Interrupted: what was fetched is kept, the same command continues from here.") from None
    model = spec if out is None else str(done.path)
    return PullResult(
        model=model, file=done.path, pulled=done.pulled, fetched=done.fetched, verdict=verdict(done.pulled.sha256)
    )


def check_command(spec: str, *, trust: bool) -> Check:
    """Look at a model file, and with `trust` vouch for it if it is sound.

    Args:
        spec: a path, a name of the catalogue, or `hf:owner/repo/file`, the latter two once pulled.
        trust: record a sound file in the user's trust file.

    Raises:
        ModelInputError: the named model has not been pulled, or the trust file is damaged or cannot be written.
    """
    path = find_file(spec) or Path(spec).expanduser()
    if not trust:
        return check_file(path)
    command = f"paperdesk models check {shlex.quote(spec)} --trust"
    return trust_file(path, now=wall_clock(), command=command)


def _digest(text: str) -> str:
    digest = text.strip().lower().removeprefix("sha256:")
    if len(digest) != 64 or set(digest) - set("0123456789abcdef"):
        raise ModelInputError(f"{text!r} is no sha256: give its 64 hexadecimal digits.")
    return digest


@contextmanager
def _bar(what: str) -> Iterator[Callable[[Progress], None]]:
    """A bar on standard error; where that is no terminal, a line per finished tenth."""
    console = Console(stderr=True, highlight=False)
    columns = (TextColumn("{task.description}"), BarColumn(), DownloadColumn(), TransferSpeedColumn())
    with Bar(*columns, TimeRemainingColumn(), console=console, transient=True, disable=not console.is_terminal) as bar:
        yield _Report(console, bar, what)


class _Report:
    """Shows the steps of a pull."""

    def __init__(self, console: Console, bar: Bar, what: str) -> None:
        self._console = console
        self._bar = bar
        console.print(f"pulling {what}", markup=False, soft_wrap=True)
        self._task = bar.add_task("fetching", total=None)
        self._tenth: int | None = None

    def __call__(self, step: Progress) -> None:
        if step.note == "resumed":
            self._say(f"going on from {step.done:,} bytes")
        elif step.note == "verifying":
            self._bar.update(self._task, description=step.note)
        elif step.note:
            self._say(step.note)
            return
        self._bar.update(self._task, completed=step.done, total=step.total)
        if step.total and not step.note and not self._console.is_terminal:
            tenth = 10 * step.done // step.total
            if self._tenth is not None and tenth > self._tenth:
                self._say(f"{step.done:,} of {step.total:,} bytes")
            self._tenth = tenth

    def _say(self, text: str) -> None:
        self._console.print(f"  {text}", markup=False, soft_wrap=True)
