"""A folder of sessions."""

from collections.abc import Iterator
from pathlib import Path

from ...memory.journal import JournalDamaged
from ...memory.journal.database import FILE as JOURNAL_FILE
from ...memory.journal.manifest import FILE as MANIFEST_FILE
from ...tools.errors import InputError
from .lineage import Link, links
from .session import Session
from .summary import Summary

DEPTH = 3
"""How deep below the folder sessions are looked for: sweeps keep theirs in folders of their own."""
APART = "~"
"""Between the parts of a session's name, in place of a slash."""


class Library:
    """Sessions below a folder, by names that cannot lead out of it.

    A name is the path from the folder to the session, its parts joined by `~`; a folder that is itself a session is the
    only one of its library.
    """

    def __init__(self, root: Path) -> None:
        if not root.is_dir():
            raise InputError(f"there is no folder {root}; run a session first, or name the folder that holds sessions")
        self.root = root

    def folders(self) -> dict[str, Path]:
        """All sessions by name, the latest first (by their manifest's time)."""
        if (self.root / JOURNAL_FILE).is_file():
            return {self.root.resolve().name: self.root}
        found = {APART.join(path.relative_to(self.root).parts): path for path in _sessions(self.root, DEPTH)}
        return dict(sorted(found.items(), key=lambda item: (-_changed(item[1]), item[0])))

    def open(self, name: str) -> Session:
        """A session by its name.

        Raises:
            InputError: there is none.
        """
        folder = self.folders().get(name)
        if folder is None:
            raise InputError(f"there is no session {name!r} in {self.root}; take a name from the list of sessions")
        return Session.open(folder, name=name)

    def links(self) -> list[Link]:
        """Every fork among the sessions with its parents."""
        return links(self.folders())

    def summaries(self, *, after: str | None = None, limit: int = 50) -> Iterator[Summary | tuple[str, str]]:
        """A page of summaries, the latest session first; of one that cannot be read its name and why.

        Args:
            after: name of the last session of the page before.
            limit: how many at most.
        """
        names = list(self.folders().items())
        first = next((i + 1 for i, (name, _) in enumerate(names) if name == after), 0)
        for name, folder in names[first : first + limit]:
            try:
                with Session.open(folder, name=name) as session:
                    yield session.summary()
            except JournalDamaged as error:
                yield name, str(error)


def _sessions(folder: Path, depth: int) -> Iterator[Path]:
    for path in sorted(folder.iterdir()):
        if path.is_dir() and not path.name.startswith("."):
            if (path / JOURNAL_FILE).is_file():
                yield path
            elif depth > 1:
                yield from _sessions(path, depth - 1)


def _changed(folder: Path) -> float:
    try:
        return (folder / MANIFEST_FILE).stat().st_mtime
    except OSError:
        return 0.0
