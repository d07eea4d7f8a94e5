"""The working folder of a pull: `OUT/.pull` holds what was asked and every finished piece until all are there.

Each file appears under its name in one step, so that a process that is killed leaves whole files only.
"""

import fcntl
import hashlib
import json
import os
import shutil
from collections.abc import Mapping
from datetime import date, datetime
from pathlib import Path
from types import TracebackType
from typing import NamedTuple, Self, TypeVar

from pydantic import AwareDatetime, ValidationError

from ...disk import file_sha256, flush, write_whole
from ...frozen import Frozen, canonical_json, content_hash
from .errors import PullRefused
from .manifest import FILE as MANIFEST
from .manifest import Manifest
from .protocol import KINDS, Piece, Request

WORKING = ".pull"
_LOCK, _STATE, _PIECES, _DRAFT, _READY = "lock", "request.json", "pieces", "draft", "ready"


_M = TypeVar("_M", bound=Frozen)


class _State(Frozen):
    """What the pull in this folder is about."""

    frame: Mapping[str, object]
    end: date
    started_at: AwareDatetime


class Kept(NamedTuple):
    """A stored piece."""

    piece: Piece
    sha256: str
    """Of its canonical JSON."""


class PullFolder:
    """A folder that one pull at a time writes to; a context manager that holds its lock.

    Raises:
        PullRefused: another pull is writing to it, or it holds files that no pull has made.
    """

    def __init__(self, out: Path) -> None:
        self.out = out
        self._working = out / WORKING
        self._handle = -1

    def __enter__(self) -> Self:
        if self.out.is_dir() and not self._working.is_dir() and not (self.out / MANIFEST).is_file():
            stray = next(iter(sorted(path.name for path in self.out.iterdir())), None)
            if stray is not None:
                raise PullRefused(f"{self.out} holds {stray}, which no pull has made; name a new folder")
        try:
            (self._working / _PIECES).mkdir(parents=True, exist_ok=True)
            self._handle = os.open(self._working / _LOCK, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
        except OSError as error:
            raise PullRefused(f"{self.out} cannot be written ({error.strerror}); name a folder that can") from error
        try:
            fcntl.flock(self._handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(self._handle)
            raise PullRefused(f"another pull is writing to {self.out}; wait for it to end or stop it") from None
        try:
            self._put_in_place()
        except BaseException as error:
            os.close(self._handle)
            if isinstance(error, OSError):
                raise PullRefused(
                    f"{self.out} cannot be written ({error.strerror}); make room and try again"
                ) from error
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if not (self._working / _STATE).is_file():
            shutil.rmtree(self._working, ignore_errors=True)  # nothing was begun, or all is done
        os.close(self._handle)

    def begin(self, frame: Mapping[str, object], end: date, now: datetime) -> tuple[date, datetime]:
        """Take up the pull in this folder, or begin it.

        Args:
            frame: dates, calendar and options (`PullRequest.frame`).
            end: last day, for a pull that begins.
            now: UTC, likewise.

        Returns:
            Last day and time of the beginning, those of the first attempt where there was one.

        Raises:
            PullRefused: the unfinished pull in the folder has another frame.
        """
        state = self._begun()
        if state is None:
            state = _State(frame=frame, end=end, started_at=now)
            write_whole(self._working / _STATE, canonical_json(state.model_dump(mode="json")))
        if dict(state.frame) != dict(frame):
            changed = (f"{name} was {was}" for name, was in state.frame.items() if was != frame.get(name))
            raise PullRefused(
                f"{self.out} is an unfinished pull with other choices ({', '.join(changed)}); name another folder"
            )
        return state.end, state.started_at

    def _begun(self) -> _State | None:
        return self._read(self._working / _STATE, _State)

    def _read(self, path: Path, kind: type[_M]) -> _M | None:
        if not path.is_file():
            return None
        try:
            return kind.model_validate_json(path.read_bytes())
        except ValidationError as error:
            raise PullRefused(f"{path} is damaged; remove {self.out} and pull again") from error

    def forget(self, end: date) -> None:
        """Forget what was begun to reach this day or an earlier one."""
        state = self._begun()
        if state is not None and state.end <= end:
            self.clean()

    def finished(self) -> Manifest | None:
        """The manifest, if a pull has been published here; the prices are the last file that is.

        Raises:
            PullRefused: the manifest is damaged, or a file is not the one that was pulled.
        """
        manifest = self._read(self.out / MANIFEST, Manifest)
        if manifest is None:
            return None
        if not all((self.out / row.name).is_file() for row in manifest.files):
            return None
        for row in manifest.files:
            if file_sha256(self.out / row.name) != row.sha256:
                raise PullRefused(f"{row.name} in {self.out} was changed since it was pulled; pull into another folder")
        return manifest

    def load(self, vendor: str, request: Request) -> Kept | None:
        """A piece that was stored before; None if there is none, or if it is damaged."""
        try:
            header, _, body = self._path(vendor, request).read_bytes().partition(b"\n")
            sha256 = hashlib.sha256(body).hexdigest()
            if json.loads(header)["sha256"] == sha256:
                return Kept(Piece.model_validate_json(body), sha256)
        except (OSError, ValueError, KeyError, TypeError):
            return None  # it is asked for again, which is all that can be done about it
        return None

    def store(self, vendor: str, request: Request, piece: Piece) -> None:
        """Keep a piece until the pull is published: a line about it, and a line of canonical JSON that is hashed."""
        body = canonical_json(piece.model_dump(mode="json"))
        header = {
            "vendor": vendor,
            "request": request.model_dump(mode="json"),
            "sha256": hashlib.sha256(body.encode()).hexdigest(),
        }
        write_whole(self._path(vendor, request), f"{canonical_json(header)}\n{body}")

    def draft(self) -> Path:
        """An empty folder for the tables."""
        folder = self._working / _DRAFT
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir()
        return folder

    def publish(self, draft: Path) -> None:
        """Move the files of a draft to their place, from which those of an earlier pull go."""
        for path in draft.iterdir():
            flush(path)
        flush(draft)
        os.replace(draft, self._working / _READY)
        self._put_in_place()

    def _put_in_place(self) -> None:
        """Move what is ready: old prices go first and new ones come last, for without them no market opens."""
        ready = self._working / _READY
        if not ready.is_dir():
            return
        left = {path.name for path in ready.iterdir()}
        manifest = self._read(ready / MANIFEST, Manifest)
        if manifest is not None:
            wanted = {row.name for row in manifest.files}
            for stale in self.out.glob("prices.*"):
                stale.unlink()
            flush(self.out)
            for kind in KINDS:
                for stale in self.out.glob(f"{kind}.*"):
                    if stale.name not in wanted:
                        stale.unlink()
        # The manifest comes after all that is needed to know what is stale.
        for name in sorted(left, key=lambda name: (name.startswith("prices."), name == MANIFEST)):
            if name.startswith("prices."):
                flush(self.out)
            os.replace(ready / name, self.out / name)
        flush(self.out)
        ready.rmdir()

    def clean(self) -> None:
        """Forget the pieces and what was asked; the manifest says it all."""
        (self._working / _STATE).unlink(missing_ok=True)
        shutil.rmtree(self._working / _PIECES)

    def _path(self, vendor: str, request: Request) -> Path:
        key = content_hash({"vendor": vendor, "request": request.model_dump(mode="json")})
        return self._working / _PIECES / f"{request.kind}-{key[:24]}.json"
