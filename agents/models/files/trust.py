"""Which model files may be loaded: those of the catalogue, and those that the user has said to trust, by sha256.

A GGUF is parsed by native code that a crafted file could break, so a file is loaded only if somebody has vouched for
its very bytes.
"""

import fcntl
import json
import os
import shlex
import tomllib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Annotated, Literal

from pydantic import AwareDatetime, StringConstraints, TypeAdapter, ValidationError

from ....tools.disk import write_whole
from ....tools.frozen import Frozen
from ..core import ModelInputError
from ..digest import file_digest
from .catalogue import known_by_digest
from .places import trust_path

_HEADING = (
    "# Model files that may be loaded beside those of PaperDesk's catalogue, by sha256.\n"
    "# Written by `paperdesk models check FILE --trust`; remove an entry to take the trust back.\n"
)


class Trusted(Frozen):
    """A file that the user has said to trust."""

    name: str
    """The file's name at that time, for people."""
    when: AwareDatetime
    command: str
    """How it was said."""


class Verdict(Frozen):
    """Whether a file may be loaded."""

    allowed: bool
    by: Literal["catalogue", "user", "nobody"]
    name: str
    """What it was called by whoever vouches for it; empty for nobody."""


_Digest = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]
_TRUSTED = TypeAdapter(dict[_Digest, Trusted])


def trusted() -> dict[str, Trusted]:
    """The user's trusted files by sha256; none where there is no trust file.

    Raises:
        ModelInputError: the trust file is damaged or cannot be read.
    """
    path = trust_path()
    try:
        return _TRUSTED.validate_python(tomllib.loads(path.read_text(encoding="utf-8")))
    except FileNotFoundError:
        return {}
    except OSError as error:
        raise ModelInputError(f"The trust file {path} cannot be read ({error.strerror}): mend its rights.") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, ValidationError) as error:
        raise ModelInputError(
            f"The trust file {path} is damaged: correct it or remove it, and trust your models again."
        ) from error


def verdict(digest: str) -> Verdict:
    """Whether the file with this sha256 may be loaded, and who vouches for it.

    Raises:
        ModelInputError: the trust file is damaged.
    """
    known = known_by_digest(digest)
    if known is not None:
        return Verdict(allowed=True, by="catalogue", name=known.name)
    entry = trusted().get(digest)
    return Verdict(allowed=entry is not None, by="user" if entry else "nobody", name=entry.name if entry else "")


def require_allowed(path: Path) -> None:
    """Refuse a file for which nobody vouches.

    Raises:
        ModelInputError: the file is not allowed; the message names the command that looks at it and records the trust.
    """
    if not verdict(file_digest(path)).allowed:
        raise ModelInputError(
            f"The model file {path} is not on the allow-list: look at it and trust it by "
            f"`paperdesk models check {shlex.quote(str(path))} --trust`."
        )


def record_trust(path: Path, digest: str, *, now: datetime, command: str) -> None:
    """Vouch for a file; an entry that is there stays as it is.

    Args:
        path: the file, for its name.
        digest: its sha256.
        now: UTC.
        command: how the user said so.

    Raises:
        ModelInputError: the trust file is damaged or cannot be written.
    """
    name, command = (text.encode(errors="replace").decode() for text in (path.name, command))
    with _locked(trust_path()) as file:
        entries = {digest: Trusted(name=name, when=now, command=command), **trusted()}
        _replace(file, _HEADING + "".join(_entry(key, entry) for key, entry in sorted(entries.items())))


def _entry(digest: str, entry: Trusted) -> str:
    values: Mapping[str, str] = {"name": entry.name, "command": entry.command}
    # a JSON string is a TOML string, but for DEL
    quoted = {key: json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f") for key, value in values.items()}
    return f"\n[{digest}]\nname = {quoted['name']}\nwhen = {entry.when.isoformat()}\ncommand = {quoted['command']}\n"


@contextmanager
def _locked(path: Path) -> Iterator[Path]:
    """The trust file to ourselves, so that two commands at once lose neither entry."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle = os.open(path.parent, os.O_RDONLY | os.O_CLOEXEC)
    except OSError as error:
        raise ModelInputError(f"The trust file {path} cannot be written ({error.strerror}).") from error
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield path
    finally:
        os.close(handle)


def _replace(path: Path, text: str) -> None:
    try:
        write_whole(path, text)
    except OSError as error:
        raise ModelInputError(
            f"The trust file {path} cannot be written ({error.strerror}): set XDG_CONFIG_HOME to a folder that can."
        ) from error
