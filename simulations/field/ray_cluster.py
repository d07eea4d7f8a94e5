"""A field on a Ray cluster (extra `ray`): a task per session, on nodes that share the file system.

Without an address a Ray of this machine is started for the field, bound to loopback, and shut down after it. Sessions
that load a model file take a resource that nodes declare, so a node holds as many models as it says, and a node that
says nothing holds none. Ray's own retries are off: a worker that dies counts against its session, as a process does.
"""

import os
import secrets
import socket
from collections import Counter, deque
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

from ...tools.errors import InputError
from ..evaluation.trials import VARIABLE, ledger_path
from ..extras import missing_extra
from .member import KILLED, TRIES, Task, run_task
from .plan import Status
from .processes import cores

MODEL = "paperdesk_model"
"""The resource of a node: how many models it may hold at a time."""
STORE_BYTES = 100 * 2**20
"""Of a local Ray's object store; only names and statuses pass through it."""
CANCEL_SECONDS = 10.0
"""How long to wait for workers to be gone."""
NO_TELEMETRY = {"RAY_USAGE_STATS_ENABLED": "0"}
LOOPBACK = {"RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER": "0"}
"""As Ray does on those systems by itself: its servers listen on 127.0.0.1 only. It overrides a node's address given as
127.0.0.1 (Ray 2.60)."""


@contextmanager
def ray_cluster(jobs: int | None, address: str | None) -> Iterator["RayCluster"]:
    """A connection to a cluster, or a Ray of this machine, for the duration of a `with` block.

    Args:
        jobs: sessions side by side; one per processor of the machine or the cluster by default.
        address: `HOST:PORT` of a cluster; `$RAY_ADDRESS` by default, a local Ray where that is unset.

    Raises:
        InputError: Ray is not installed, or there is no cluster that answers.
    """
    address = address or os.environ.get("RAY_ADDRESS") or None
    if address is not None:
        _refuse_unless_answering(address)
    with _environment(NO_TELEMETRY if address else NO_TELEMETRY | LOOPBACK | _token()):  # read when Ray is imported
        try:
            import ray
        except ImportError as error:
            raise missing_extra("A sweep on Ray", "ray", error) from error
        try:
            _connect(ray, jobs or cores(), address)
            runner = RayCluster(ray, jobs, address)
            try:
                yield runner
            finally:
                runner.cancel()
        finally:
            ray.shutdown()


@contextmanager
def _environment(values: dict[str, str]) -> Iterator[None]:
    """Sets variables for a while; whatever else this process starts must not get the token of a Ray that is gone."""
    before = {name: os.environ.get(name) for name in values}
    os.environ |= values
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value


def _token() -> dict[str, str]:
    """What a process must know to talk to the local Ray. Ray would leave one in the home folder."""
    return {"RAY_AUTH_MODE": "token", "RAY_AUTH_TOKEN": secrets.token_hex(32)}


def _connect(ray: Any, jobs: int, address: str | None) -> None:
    quiet = {"logging_level": "ERROR", "log_to_driver": False}
    if address is None:
        ray.init(
            address="local",
            num_cpus=jobs,
            resources={MODEL: 1},
            object_store_memory=STORE_BYTES,
            include_dashboard=False,
            **quiet,
        )
        return
    try:
        ray.init(address=address, **quiet)
    except (OSError, RuntimeError, ValueError) as error:
        raise _refusal(address, error) from error


def _refuse_unless_answering(address: str) -> None:
    """Look before Ray does, which would wait for minutes and then end this process."""
    host, _, port = address.rpartition(":")
    if "://" in address or not host or not port.isdecimal():
        raise InputError(f"The Ray cluster {address} cannot be used: give HOST:PORT of its head, on one of its nodes.")
    try:
        socket.create_connection((host.strip("[]"), int(port)), timeout=10).close()
    except (OSError, OverflowError) as error:
        raise _refusal(address, error) from error


def _refusal(address: str, error: Exception) -> InputError:
    reason = str(error).splitlines()[0].rstrip(".")
    return InputError(f"The Ray cluster {address} cannot be used ({reason}): look whether it runs, and where.")


class RayCluster:
    """Runs sessions as tasks of a Ray cluster."""

    def __init__(self, ray: Any, jobs: int | None, address: str | None) -> None:
        """Connected already.

        Args:
            ray: the module.
            jobs: sessions side by side at most; None: as many as there are processors, those that join included.
            address: for people.
        """
        self._ray = ray
        self._jobs = jobs
        self._flying: dict[Any, Task] = {}
        there = int(ray.cluster_resources().get("CPU", 0))
        where = f"the Ray cluster at {address}" if address else "a local Ray"
        self.about = f"{min(jobs or there, there)} at a time on {where}"

    def run(self, beside: Sequence[Task], alone: Sequence[Task]) -> Iterator[tuple[str, Status]]:
        """Results as they come (see `Runner`)."""
        if alone and not self._ray.cluster_resources().get(MODEL):
            raise InputError(
                f"The session {alone[0].name} loads a model file, and no node of the Ray cluster says that it may hold "
                f"one: start those that may with ray start --resources='{{\"{MODEL}\": 1}}', or serve the model."
            )
        return self._results(beside, alone)

    def _results(self, beside: Sequence[Task], alone: Sequence[Task]) -> Iterator[tuple[str, Status]]:
        yield from self._each(beside, num_cpus=1)
        # the worker ends with its session: else the next one, in another worker, would load the model a second time
        yield from self._each(alone, num_cpus=1, resources={MODEL: 1}, max_calls=1)

    def cancel(self) -> None:
        """Stop what still runs. A journal outlives its process, so the workers are killed."""
        left = list(self._flying)
        for one in left:
            self._ray.cancel(one, force=True)
        if left:
            self._ray.wait(left, num_returns=len(left), timeout=CANCEL_SECONDS)
        self._flying.clear()

    def _each(self, tasks: Sequence[Task], **needs: Any) -> Iterator[tuple[str, Status]]:
        remote = self._ray.remote(max_retries=0, **needs)(_run_on_node)
        ledger = ledger_path()
        here = (Path.cwd(), "off" if ledger is None else str(ledger.absolute()))
        waiting, died = deque(tasks), Counter[str]()
        while waiting or self._flying:
            while waiting and len(self._flying) < (self._jobs or len(tasks)):
                task = waiting.popleft()
                self._flying[remote.remote(replace(task, folder=task.folder.absolute()), *here)] = task
            (ready,), _ = self._ray.wait(list(self._flying), num_returns=1)
            task = self._flying.pop(ready)
            status = self._status(ready)
            if status is KILLED:
                died[task.name] += 1
                if died[task.name] < TRIES:
                    waiting.append(task)
                    continue
            yield task.name, status

    def _status(self, ready: Any) -> Status:
        errors = self._ray.exceptions
        try:
            status: Status = self._ray.get(ready)
        except (errors.WorkerCrashedError, errors.NodeDiedError, errors.OutOfMemoryError):
            return KILLED
        except errors.RayError as error:  # it could not be run at all: no PaperDesk there, say
            reason = str(getattr(error, "cause", error)).strip().splitlines()[0]
            return Status(state="failed", seconds=0.0, error=f"Ray could not run it ({reason}): look at its node.")
        return status


def _run_on_node(task: Task, working_folder: Path, ledger: str) -> Status:
    """A session in a worker, as if it were started where the field was: paths are relative to that folder."""
    root = task.folder.parents[1]
    if not (working_folder.is_dir() and root.is_dir()):
        here = socket.gethostname()
        return Status(
            state="failed",
            seconds=0.0,
            error=f"The node {here} sees no {root} or no {working_folder}: nodes must share the file system.",
        )
    os.chdir(working_folder)
    os.environ[VARIABLE] = ledger
    return run_task(task)[1]
