"""Running a field: one journal per session, failures kept to themselves, wherever its sessions run.

A field that was stopped goes on: finished sessions are left alone, stopped ones are resumed.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import Literal, Protocol

from ...agents.models.served.access import Access
from ...tools.errors import InputError
from .member import Task, needs_engine
from .plan import Field, Status, write_field
from .processes import Processes

Told = Callable[[str, Status, Field], None]
"""Called with each member that is done or has failed, and the field as it stands."""
Place = Literal["processes", "ray"]


class Runner(Protocol):
    """Where the sessions of a field run."""

    about: str
    """How many at a time, for people."""

    def run(self, beside: Sequence[Task], alone: Sequence[Task]) -> Iterator[tuple[str, Status]]:
        """Run sessions to their ends, and tell each as it ends, in any order.

        Args:
            beside: sessions that may run side by side on one machine.
            alone: sessions that load a model file: never two at a time on one machine.

        Returns:
            Names with what became of them. A session that fails, or whose process dies `TRIES` times, is a status.

        Raises:
            InputError: they cannot run here; told at once, not with the first result.
        """
        ...


def runner_at(
    place: Place, *, jobs: int | None = None, ray_address: str | None = None
) -> AbstractContextManager[Runner]:
    """A runner for the duration of a `with` block; what still runs at its end is stopped.

    Args:
        place: processes of this machine, or a Ray cluster.
        jobs: sessions side by side; one per core by default.
        ray_address: of a cluster that runs.

    Raises:
        InputError: an address without Ray; on entering, Ray is not installed or the cluster cannot be reached.
    """
    if place == "processes":
        if ray_address is not None:
            raise InputError("--ray-address is the address of a Ray cluster: add --on ray.")
        return nullcontext(Processes(jobs))
    from .ray_cluster import ray_cluster

    return ray_cluster(jobs, ray_address)


def run_field(field: Field, folder: Path, runner: Runner, *, tell: Told, access: Access | None = None) -> Field:
    """Run what is not done yet.

    Args:
        field: the plan; what an earlier run noted in the folder is taken over by the caller (`continued`).
        folder: of the field.
        runner: where its sessions run.
        tell: told of every member as it ends.
        access: how a model server may be used.

    Returns:
        The field with the status of every member; a failure is a status, not an exception.

    Raises:
        InputError: its sessions cannot run there; nothing was written.
    """
    beside: list[Task] = []
    alone: list[Task] = []
    for member in field.members:
        status = field.status.get(member.name)
        if status is None or status.state == "failed":
            task = Task(member.name, member.config, field.folder_of(folder, member.name), access)
            (alone if needs_engine(member.config) else beside).append(task)
    results = runner.run(beside, alone)
    write_field(field, folder)
    for name, status in results:
        field = field.model_copy(update={"status": field.status | {name: status}})
        write_field(field, folder)
        tell(name, status, field)
    return field
