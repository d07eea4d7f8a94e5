"""An event as it stands in the journal."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Self

from .errors import JournalDamaged
from .events import EVENT, Event


@dataclass(frozen=True)
class Record:
    """An event and where it stands."""

    seq: int
    """From 1."""
    event: Event
    hash: str
    written_at: datetime
    """When it was first written (UTC)."""

    @classmethod
    def stored(cls, seq: int, body: str, digest: str, written_at: str) -> Self:
        """The record of a row.

        Raises:
            JournalDamaged: the row is no event that this version knows.
        """
        try:
            return cls(seq, EVENT.validate_json(body), digest, datetime.fromisoformat(written_at))
        except ValueError as error:
            message = f"Event {seq} cannot be read as any known kind of event; run `verify` on its session."
            raise JournalDamaged(message) from error


Listener = Callable[[Record, bool], None]
"""Gets each event once it is written, one of a block `together` before that is committed; the flag is True when it is
new, False when it was derived again."""
