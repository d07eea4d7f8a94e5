"""How many rows of a batch are read at once: all of them, and fewer where the memory does not suffice."""

from collections.abc import Callable
from dataclasses import dataclass

from .exercises import TrainingError


class OutOfMemory(TrainingError):
    """Not even one row fits the memory."""


@dataclass
class RowsAtOnce:
    """So many; halved where memory is short."""

    rows: int
    what: str
    """They are, as in "texts"."""
    too_large: str
    """Sentence where one of them does not fit."""
    say: Callable[[str], None]

    def halve(self, error: BaseException, rows: int) -> None:
        """Read fewer at once from now on, if that is what was wrong.

        Args:
            error: what was raised.
            rows: that were to be read in all.

        Raises:
            OutOfMemory: one was read at once already.
        """
        if not (isinstance(error, MemoryError) or "memory" in str(error).lower()):
            raise error
        at_once = min(self.rows, rows)
        if at_once == 1:
            raise OutOfMemory(self.too_large) from error
        self.rows = at_once // 2
        self.say(f"memory is short: {self.rows} {self.what} are read at once, with the same gradient")
