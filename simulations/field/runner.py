"""Running a field on one machine: a process per core, one journal per session, failures kept to themselves.

Sessions without a model in this process (a scorecard, a model server) run side by side in processes that joblib keeps.
A model file is never loaded once per core: sessions that need one run one after the other in the process that was
started, which is where the machine's one engine is. A field that was stopped goes on: finished sessions are left alone,
stopped ones are resumed.
"""

import time
from collections.abc import Callable, Iterable
from pathlib import Path

from joblib import Parallel, delayed, parallel_config
from joblib.externals.loky.process_executor import BrokenProcessPool

from ...agents.models.served.access import Access
from ...agents.models.served.address import is_address
from ...memory.journal import Journal
from ...memory.journal.database import FILE as JOURNAL_FILE
from ...tools.errors import InputError, PaperDeskError
from ..config import SessionConfig
from .plan import Field, Member, Status, write_field

TRIES = 2
"""How often a session may take its process with it before it counts as failed."""

Told = Callable[[str, Status, Field], None]
"""Called with each member that is done or has failed, and the field as it stands."""


def run_field(field: Field, folder: Path, *, jobs: int, tell: Told, access: Access | None = None) -> Field:
    """Run what is not done yet.

    Args:
        field: the plan; what an earlier run noted in the folder is taken over by the caller (`continued`).
        folder: of the field.
        jobs: processes.
        tell: told of every member as it ends.
        access: how a model server may be used.

    Returns:
        The field with the status of every member; a failure is a status, not an exception.
    """
    write_field(field, folder)
    waiting = [m for m in field.members if (s := field.status.get(m.name)) is None or s.state == "failed"]
    beside = [m for m in waiting if not needs_engine(m.config)]
    alone = [m for m in waiting if needs_engine(m.config)]
    for name, status in _side_by_side(beside, field, folder, jobs, access):
        field = _noted(field, name, status, folder)
        tell(name, status, field)
    for member in alone:
        status = run_member(member.config, field.folder_of(folder, member.name), access)
        field = _noted(field, member.name, status, folder)
        tell(member.name, status, field)
    return field


def needs_engine(config: SessionConfig) -> bool:
    """Whether the session loads a model file into its own process."""
    return config.model != "scorecard" and not is_address(config.model)


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


def _noted(field: Field, name: str, status: Status, folder: Path) -> Field:
    noted = field.model_copy(update={"status": field.status | {name: status}})
    write_field(noted, folder)
    return noted


def _in_process(name: str, config: str, folder: Path, access: Access | None) -> tuple[str, Status]:
    return name, run_member(SessionConfig.model_validate_json(config), folder, access)


def _side_by_side(
    members: list[Member], field: Field, folder: Path, jobs: int, access: Access | None
) -> Iterable[tuple[str, Status]]:
    """Results as they come. A process that dies takes its pool with it: what is left is run in a new one."""
    left, died = {member.name: member for member in members}, dict.fromkeys((m.name for m in members), 0)
    while left:
        try:
            for name, status in _pool(list(left.values()), field, folder, jobs, access):
                del left[name]
                yield name, status
        except BrokenProcessPool:
            # Who was at work is told by a journal that is begun and not finished; without one, suspect them all.
            begun = [name for name in left if _begun(field.folder_of(folder, name))]
            for name in begun or list(left):
                died[name] += 1
            for name in [name for name in left if died[name] >= TRIES]:
                del left[name]
                yield name, Status(state="failed", seconds=0.0, error="Its process was killed, twice: look at memory.")


def _pool(
    members: list[Member], field: Field, folder: Path, jobs: int, access: Access | None
) -> Iterable[tuple[str, Status]]:
    work = [
        delayed(_in_process)(m.name, m.config.model_dump_json(), field.folder_of(folder, m.name), access)
        for m in members
    ]
    # Numerical libraries inside a process stay on its share of the cores.
    with parallel_config(backend="loky", inner_max_num_threads=1):
        yield from Parallel(n_jobs=min(jobs, len(members)), return_as="generator_unordered", pre_dispatch=jobs)(work)


def _begun(folder: Path) -> bool:
    if not (folder / JOURNAL_FILE).exists():
        return False
    with Journal.open_readonly(folder) as journal:
        return not journal.is_finished
