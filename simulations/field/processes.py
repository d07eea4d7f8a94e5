"""A field on one machine: a process per core, which joblib keeps.

Sessions without a model in this process (a scorecard, a model server) run side by side. A model file is never loaded
once per core: sessions that need one run one after the other in the process that was started, which is where the
machine's one engine is.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

from joblib import Parallel, cpu_count, delayed, parallel_config
from joblib.externals.loky.process_executor import BrokenProcessPool

from .member import KILLED, Task, run_task
from .plan import Status

Work = Callable[[Task], tuple[str, Status]]


def cores() -> int:
    """Processors that this process may use."""
    return int(cpu_count())


class Processes:
    """Runs sessions in processes of this machine."""

    def __init__(self, jobs: int | None = None, work: Work = run_task) -> None:
        """How many side by side, one per core by default; and what is done with each."""
        self.jobs = jobs or cores()
        self._work = work
        self.about = f"{self.jobs} at a time"

    def run(self, beside: Sequence[Task], alone: Sequence[Task]) -> Iterator[tuple[str, Status]]:
        """Results as they come (see `Runner`)."""
        yield from self._side_by_side(beside)
        yield from map(self._work, alone)

    def _side_by_side(self, tasks: Sequence[Task]) -> Iterator[tuple[str, Status]]:
        """A process that dies takes its pool with it, so whose fault it was shows only with nobody at its side.

        Who was at work then is run again by itself; who dies there again was killed `TRIES` times.
        """
        left, suspects = {task.name: task for task in tasks}, list[Task]()
        while left or suspects:
            together = [] if suspects else list(left.values())
            with TemporaryDirectory() as marks:
                try:
                    for name, status in self._pool(together or suspects[:1], Path(marks)):
                        suspects = [task for task in suspects if task.name != name]
                        left.pop(name, None)
                        yield name, status
                except BrokenProcessPool:
                    if together:
                        at_work = {path.name for path in Path(marks).iterdir()}
                        # without a mark a process died before it began: suspect them all
                        suspects = [task for task in left.values() if task.name in at_work] or list(left.values())
                    else:
                        name = suspects.pop(0).name
                        del left[name]
                        yield name, KILLED

    def _pool(self, tasks: list[Task], marks: Path) -> Iterable[tuple[str, Status]]:
        # With one job joblib would work in this process, which would die with it; how many are sent out says how many
        # are at work.
        processes = max(2, min(self.jobs, len(tasks)))
        # Numerical libraries inside a process stay on its share of the cores.
        with parallel_config(backend="loky", inner_max_num_threads=1):
            pool = Parallel(n_jobs=processes, return_as="generator_unordered", pre_dispatch=self.jobs)
            yield from pool(delayed(_marked)(self._work, task, marks) for task in tasks)


def _marked(work: Work, task: Task, marks: Path) -> tuple[str, Status]:
    """Runs a task; as long as it is at work, a file of its name says so, whatever becomes of the process."""
    mark = marks / task.name
    mark.touch()
    result = work(task)
    mark.unlink()
    return result
