"""A field on one machine: a process per core, which joblib keeps.

Sessions without a model in this process (a scorecard, a model server) run side by side. A model file is never loaded
once per core: sessions that need one run one after the other in the process that was started, which is where the
machine's one engine is.
"""

from collections.abc import Iterable, Iterator, Sequence

from joblib import Parallel, cpu_count, delayed, parallel_config
from joblib.externals.loky.process_executor import BrokenProcessPool

from ...memory.journal import Journal
from ...memory.journal.database import FILE as JOURNAL_FILE
from .member import KILLED, TRIES, Task, run_task
from .plan import Status


def cores() -> int:
    """Processors that this process may use."""
    return int(cpu_count())


class Processes:
    """Runs sessions in processes of this machine."""

    def __init__(self, jobs: int | None = None) -> None:
        """How many side by side; one per core by default."""
        self.jobs = jobs or cores()
        self.about = f"{self.jobs} at a time"

    def run(self, beside: Sequence[Task], alone: Sequence[Task]) -> Iterator[tuple[str, Status]]:
        """Results as they come (see `Runner`)."""
        yield from self._side_by_side(beside)
        yield from map(run_task, alone)

    def _side_by_side(self, tasks: Sequence[Task]) -> Iterator[tuple[str, Status]]:
        """A process that dies takes its pool with it: what is left is run in a new one."""
        left, died = {task.name: task for task in tasks}, dict.fromkeys((task.name for task in tasks), 0)
        while left:
            try:
                for name, status in self._pool(list(left.values())):
                    del left[name]
                    yield name, status
            except BrokenProcessPool:
                # Who was at work is told by a journal that is begun and not finished; without one, suspect them all.
                begun = [task.name for task in left.values() if _is_begun(task)]
                for name in begun or list(left):
                    died[name] += 1
                for name in [name for name in left if died[name] >= TRIES]:
                    del left[name]
                    yield name, KILLED

    def _pool(self, tasks: list[Task]) -> Iterable[tuple[str, Status]]:
        # Numerical libraries inside a process stay on its share of the cores.
        with parallel_config(backend="loky", inner_max_num_threads=1):
            pool = Parallel(n_jobs=min(self.jobs, len(tasks)), return_as="generator_unordered", pre_dispatch=self.jobs)
            yield from pool(delayed(run_task)(task) for task in tasks)


def _is_begun(task: Task) -> bool:
    if not (task.folder / JOURNAL_FILE).exists():
        return False
    with Journal.open_readonly(task.folder) as journal:
        return not journal.is_finished
