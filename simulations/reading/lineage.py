"""Which session is a fork of which, told by their manifests."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from ...memory.journal import Branch, JournalDamaged, Manifest
from ...memory.journal.manifest import FILE as MANIFEST_FILE


@dataclass(frozen=True)
class Link:
    """A fork and a session whose past it shares."""

    fork: str
    """Name of the fork."""
    parent: str | None
    """Name of the other one; None where it is not among the sessions looked at."""
    branch: Branch
    """When it left the other one, and what was set from there on."""
    is_direct: bool
    """False where the parent is in its turn a fork, and this is where that left its own parent."""


def links(folders: Mapping[str, Path]) -> list[Link]:
    """Every fork among some sessions with its parents, of a fork of a fork the earliest parent first.

    A parent is known by its folder, or, where that was moved, by its head.

    Args:
        folders: sessions by name.
    """
    known = {name: found for name, folder in folders.items() if (found := _manifest_in(folder)) is not None}
    by_folder = {str(folder.resolve()): name for name, folder in folders.items()}
    by_head = {manifest.head: name for name, manifest in known.items()}
    return [
        Link(
            fork=name,
            parent=_other(name, by_folder.get(branch.parent), by_head.get(branch.parent_head)),
            branch=branch,
            is_direct=branch is manifest.branches[-1],
        )
        for name, manifest in known.items()
        for branch in manifest.branches
    ]


def _other(name: str, *found: str | None) -> str | None:
    return next((one for one in found if one is not None and one != name), None)


def _manifest_in(folder: Path) -> Manifest | None:
    """None where there is none that can be read: the list of sessions says why."""
    try:
        return _read(folder, (folder / MANIFEST_FILE).stat().st_mtime_ns)
    except (OSError, JournalDamaged):
        return None


@lru_cache(maxsize=4096)
def _read(folder: Path, changed_ns: int) -> Manifest:
    return Manifest.read(folder)
