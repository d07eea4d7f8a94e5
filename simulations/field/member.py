"""One session of a field, wherever it runs: started or resumed, and whatever goes wrong is its status."""

import time
from dataclasses import dataclass
from pathlib import Path

from ...agents.models.served.access import Access
from ...agents.models.served.address import is_address
from ...memory.journal import Journal
from ...memory.journal.database import FILE as JOURNAL_FILE
from ...tools.errors import InputError, PaperDeskError
from ..config import SessionConfig
from .plan import Status

TRIES = 2
"""How often a session may take its process with it before it counts as failed."""
KILLED = Status(state="failed", seconds=0.0, error="Its process was killed, twice: look at memory.")
"""What becomes of it then."""


@dataclass(frozen=True)
class Task:
    """What a process needs to know to run a member; it can be pickled."""

    name: str
    config: SessionConfig
    folder: Path
    """Of the session."""
    access: Access | None


def needs_engine(config: SessionConfig) -> bool:
    """Whether the session loads a model file into its own process."""
    return config.model != "scorecard" and not is_address(config.model)


def run_task(task: Task) -> tuple[str, Status]:
    """The member's name, and what became of it."""
    return task.name, run_member(task.config, task.folder, task.access)


def run_member(config: SessionConfig, folder: Path, access: Access | None = None) -> Status:
    """One session, started or resumed; whatever goes wrong is its status."""
    from ..session import resume, start
    from ..stages import stored_config

    began = time.monotonic()
    try:
        if not (folder / JOURNAL_FILE).exists():
            return _done(start(config, folder, access=access).head, began)
        if stored_config(folder) != config:
            raise InputError(f"The session in {folder} has other choices than the field: take another folder.")
        with Journal.open_readonly(folder) as journal:
            if journal.is_finished:
                return Status(state="done", seconds=0.0, head=journal.head)
        return _done(resume(folder, access=access).head, began)
    except PaperDeskError as error:
        return Status(state="failed", seconds=time.monotonic() - began, error=str(error))
    except Exception as error:  # noqa: BLE001 - one session must not take the others with it; the message is on record
        return Status(state="failed", seconds=time.monotonic() - began, error=f"{type(error).__name__}: {error}")


def _done(head: str, began: float) -> Status:
    return Status(state="done", seconds=time.monotonic() - began, head=head)
