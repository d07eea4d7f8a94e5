"""Fetching a model file: resumed where it stopped, verified, and under its name only when it is whole.

The bytes go to `FILE.part`, which a transfer that is cut, stopped or killed leaves behind; the next one goes on from
its end if the hub still has the same content. The file takes its name once its sha256 and its header have been looked
at.
"""

import fcntl
import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import ClassVar, NamedTuple, TypeVar

import tenacity

from ....tools.disk import flush, write_whole
from ....tools.errors import PaperDeskError
from ..core import ModelInputError
from ..digest import file_digest
from ..llama_cpp.gguf import read_header
from .hub import Hub, HubError, Passing, Remote
from .places import RECORD, Pulled
from .source import HubFile

ATTEMPTS = 6
"""In a row without a new byte."""
FIRST_WAIT_SECONDS = 1.0
LONGEST_WAIT_SECONDS = 30.0
PART = ".part"
_ETAG = ".etag"
"""Ending of the file beside a part that names the content it belongs to."""

T = TypeVar("T")


class Progress(NamedTuple):
    """How far a transfer is."""

    done: int
    """Bytes on disk."""
    total: int | None
    """Bytes of the file, where the hub says."""
    note: str = ""
    """What happened: a connection that failed, the verification at the end."""


class PullMismatch(PaperDeskError):
    """What came is not what was promised; it has been removed."""

    exit_code: ClassVar[int] = 3
    """A verification found a difference."""


class Outcome(NamedTuple):
    """What a pull came to."""

    path: Path
    pulled: Pulled
    fetched: int
    """Bytes that were transferred this time; 0 where the file was there."""


def pull_file(
    file: HubFile,
    place: Path,
    hub: Hub,
    *,
    sleep: Callable[[float], None],
    sha256: str | None = None,
    report: Callable[[Progress], None] = lambda progress: None,
) -> Outcome:
    """Fetch a file of a hub.

    Args:
        file: which.
        place: where it shall lie; a file there that is the same one is left as it is, another is replaced.
        hub: where from.
        sleep: how to wait between attempts.
        sha256: what the file must have (hex), beside what the hub says.
        report: told of each step.

    Raises:
        ModelInputError: the hub does not have it or does not give it to us, the disk has no room, nothing says what the
            file must be, or it is no GGUF.
        PullMismatch: its sha256 is another one.
        HubError: the hub does not answer, even after several attempts; what was fetched is kept.
    """
    remote = _patiently(sleep, lambda: 0, report, lambda: hub.look_up(file))
    wanted = {digest.lower() for digest in (sha256, remote.sha256) if digest}
    if not wanted:
        raise ModelInputError(f"The hub gives no sha256 for {file}: take it from its page and give it by --sha256.")
    if len(wanted) > 1:
        raise PullMismatch(f"The hub has {file} with the sha256 {remote.sha256}, not {sha256}: nothing was fetched.")
    (digest,) = wanted
    if place.is_file() and file_digest(place) == digest:
        return Outcome(place, _record(file, place, remote, digest), 0)
    with _part_of(place) as part:
        fetched = _transfer(file, part, hub, remote, sleep, report)
        report(Progress(part.stat().st_size, remote.size, "verifying"))
        _verify(file, place, part, digest)
        flush(part)
        part.replace(place)
        _etag_of(part).unlink(missing_ok=True)
        return Outcome(place, _record(file, place, remote, digest), fetched)


def _transfer(
    file: HubFile,
    part: Path,
    hub: Hub,
    remote: Remote,
    sleep: Callable[[float], None],
    report: Callable[[Progress], None],
) -> int:
    """Fill the part; the number of bytes that came."""
    note = _etag_of(part)
    if not note.is_file() or note.read_text() != remote.etag or part.stat().st_size > (remote.size or 0):
        os.truncate(part, 0)
        note.write_text(remote.etag)
    missing = (remote.size or 0) - part.stat().st_size
    free = shutil.disk_usage(part.parent).free
    if missing > free:
        raise ModelInputError(
            f"{part.parent} has room for {free:,} of {missing:,} bytes: free some, or give --out another disk."
        )
    came = 0

    def attempt() -> None:
        nonlocal came
        begin = part.stat().st_size
        if remote.size is not None and begin == remote.size:
            return
        with hub.stream(file, begin) as stream, part.open("r+b") as out:
            if stream.begin not in (0, begin):
                raise Passing("the server sent another part than was asked for")
            out.seek(stream.begin)
            out.truncate()
            report(Progress(stream.begin, remote.size, "resumed" if stream.begin else ""))
            for piece in stream.parts:
                out.write(piece)
                came += len(piece)
                report(Progress(out.tell(), remote.size))
                if remote.size is not None and out.tell() > remote.size:
                    return  # more than was announced: the verification will tell
        if remote.size is not None and part.stat().st_size < remote.size:
            raise Passing("the connection ended early")

    try:
        _patiently(sleep, lambda: came, report, attempt)
    except OSError as error:
        raise ModelInputError(f"{part} cannot be written ({error.strerror}): free some room, or give --out.") from error
    return came


def _patiently(
    sleep: Callable[[float], None],
    came: Callable[[], int],
    report: Callable[[Progress], None],
    attempt: Callable[[], T],
) -> T:
    """The result of an attempt, repeated while attempts fail in ways that may pass.

    They are given up after `ATTEMPTS` in a row without a new byte.
    """
    idle, seen = 0, 0

    def count(state: tenacity.RetryCallState) -> None:
        nonlocal idle, seen
        idle, seen = (1 if came() > seen else idle + 1), came()

    def wait(state: tenacity.RetryCallState) -> float:
        return min(FIRST_WAIT_SECONDS * 2.0 ** (idle - 1), LONGEST_WAIT_SECONDS)

    def tell(state: tenacity.RetryCallState) -> None:
        error = state.outcome.exception() if state.outcome else None
        report(Progress(came(), None, f"{error}, trying again"))

    retrying = tenacity.Retrying(
        after=count,
        stop=lambda state: idle >= ATTEMPTS,
        wait=wait,
        before_sleep=tell,
        retry=tenacity.retry_if_exception_type(Passing),
        sleep=sleep,
        reraise=True,
    )
    try:
        return retrying(attempt)
    except Passing as error:
        raise HubError(
            f"The pull stopped ({error}, {ATTEMPTS} attempts): what was fetched is kept, the same command goes on."
        ) from None


def _verify(file: HubFile, place: Path, part: Path, digest: str) -> None:
    """Compare with what was promised; what is something else is removed."""
    found = file_digest(part)
    try:
        if found != digest:
            raise PullMismatch(
                f"What came for {file} has the sha256 {found}, not {digest}: it has been removed, pull it again."
            )
        try:
            read_header(part)
        except ModelInputError as error:
            raise ModelInputError(str(error).replace(str(part), str(file))) from None
    except PaperDeskError:
        part.unlink()
        _etag_of(part).unlink(missing_ok=True)
        raise


@contextmanager
def _part_of(place: Path) -> Iterator[Path]:
    """The part beside a file, to ourselves.

    Raises:
        ModelInputError: the folder cannot be written, or another pull is at it.
    """
    part = place.with_name(place.name + PART)
    try:
        place.parent.mkdir(parents=True, exist_ok=True)
        handle = os.open(part, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
    except OSError as error:
        raise ModelInputError(
            f"{place.parent} cannot be written ({error.strerror}): name a folder by --out."
        ) from error
    try:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise ModelInputError(f"Another pull is writing {place}: wait for it to end, or stop it.") from None
        if not part.exists() or part.stat().st_ino != os.fstat(handle).st_ino:
            raise ModelInputError(f"Another pull has just written {place}: run the command again to see what it did.")
        try:
            yield part
        finally:
            if part.exists() and part.stat().st_size == 0:
                part.unlink()
                _etag_of(part).unlink(missing_ok=True)
    finally:
        os.close(handle)


def _record(file: HubFile, place: Path, remote: Remote, digest: str) -> Pulled:
    """Write down beside a file where it came from."""
    pulled = Pulled(source=str(file), commit=remote.commit, sha256=digest, size=place.stat().st_size)
    write_whole(place.with_name(place.name + RECORD), pulled.model_dump_json(indent=1) + "\n")
    return pulled


def _etag_of(part: Path) -> Path:
    return part.with_name(part.name + _ETAG)
