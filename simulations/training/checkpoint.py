"""What a training keeps at every look, so that it can be interrupted and go on to the same end."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from ...tools.disk import write_whole
from .exercises import TrainingError


class BestState(Protocol):
    """Where a training was best."""

    state: dict[str, Any]
    steps: int
    best: float
    losses: list[tuple[int, float, float]]
    seconds: float


@dataclass(frozen=True)
class Checkpoint:
    """One file, replaced in one step.

    Args:
        path: of the file; None: nothing is kept.
        key: of all that the training depends on; a file with another one is refused.
        depends: what that is, for people.
        torch: the library.
    """

    path: Path | None
    key: str
    depends: str
    torch: Any

    def write(self, trained: BestState, **now: Any) -> None:
        """Keep where a training was best and where it stands now."""
        if self.path is None:
            return
        best = (trained.state, trained.steps, trained.best, trained.losses, trained.seconds)
        write_whole(self.path, lambda file: self.torch.save({"key": self.key, "best": best, **now}, file))

    def read(self, trained: BestState) -> dict[str, Any] | None:
        """What was kept as `now`, where it was best being put back; None where nothing is kept.

        Raises:
            TrainingError: the file is of another training.
        """
        if self.path is None or not self.path.is_file():
            return None
        kept: dict[str, Any] = self.torch.load(self.path, weights_only=True, map_location="cpu")
        if kept["key"] != self.key:
            raise TrainingError(f"{self.path} is of another training (other {self.depends}): name a new folder.")
        trained.state, trained.steps, trained.best, trained.losses, trained.seconds = kept["best"]
        return kept
