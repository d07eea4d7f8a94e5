"""A folder that appears in one step, with everything in it, or not at all."""

import fcntl
import glob
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from ..errors import InputError


@contextmanager
def new_folder(folder: Path) -> Iterator[Path]:
    """The path of a draft, which becomes `folder` when the block ends without an error.

    The draft lies in a hidden folder beside it, locked while its process lives; what killed processes left there is
    removed first.

    Args:
        folder: may exist if it is empty.

    Raises:
        InputError: the folder exists and holds something, or cannot be written.
    """
    folder = folder.resolve()
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise InputError(f"{folder} exists already; name a new folder, or remove it first")
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        _sweep(folder)
        with tempfile.TemporaryDirectory(prefix=f".{folder.name}.", dir=folder.parent) as hidden, _locked(hidden):
            draft = Path(hidden) / folder.name
            yield draft
            os.replace(draft, folder)
    except OSError as error:
        raise InputError(f"{folder} cannot be written ({error.strerror}); name a folder that can") from error


@contextmanager
def _locked(hidden: str) -> Iterator[None]:
    """The kernel lets go of the lock when the process ends, however it ends."""
    descriptor = os.open(hidden, os.O_RDONLY | os.O_CLOEXEC)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        yield
    finally:
        os.close(descriptor)


def _sweep(folder: Path) -> None:
    """Remove the drafts of this folder whose processes are gone; one that cannot be removed is in nobody's way."""
    for left in folder.parent.glob(f".{glob.escape(folder.name)}.????????"):
        if left.is_dir() and {path.name for path in left.iterdir()} <= {folder.name}:
            with suppress(OSError), _locked(str(left)):
                shutil.rmtree(left)
