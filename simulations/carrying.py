"""Memory carried from earlier sessions: a copy of their outcomes at the head of the new journal.

An outcome counts from its own `available_at` on, whichever session it comes from, so nothing is carried back in time.
The copy makes the new session derivable again when the old folders are gone.
"""

from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from ..memory.journal import Journal
from ..memory.journal.events import MemoryCarried, SignalResolved
from ..memory.outcome import Outcome
from ..tools.errors import InputError
from ..tools.frozen import content_hash
from .config import SessionConfig, load_config
from .stages import TRADE

EVER = datetime.max.replace(tzinfo=UTC)
"""For a desk whose last decision nobody knows."""


def outcomes_of(journal: Journal) -> list[Outcome]:
    """The outcomes that a session knows: those carried into it, then its own, each once."""
    found: dict[object, Outcome] = {}
    for record in journal.events("memory_carried"):
        assert isinstance(record.event, MemoryCarried)
        for outcome in record.event.outcomes:
            found.setdefault(outcome.key(), outcome)
    for record in journal.events("signal_resolved"):
        assert isinstance(record.event, SignalResolved)
        found.setdefault(record.event.record.key(), record.event.record)
    return list(found.values())


def read_memory(config: SessionConfig, until: datetime) -> tuple[MemoryCarried, ...]:
    """What a new session takes over, one event per earlier session in the order given.

    Args:
        config: names the earlier sessions.
        until: the new session's last decision; what becomes known later is of no use to it and is left behind.

    Raises:
        InputError: a session has another mask, or the same one is named twice.
        JournalRefused: a folder holds no session.
    """
    carried = tuple(_carried(Path(folder), config, until) for folder in config.memory)
    if len({event.head for event in carried}) < len(carried):
        raise InputError("the memory of one session is named twice; name each session once")
    return carried


def recorded_memory(journal: Journal) -> tuple[MemoryCarried, ...]:
    """What a session took over, from its own journal."""
    return tuple(r.event for r in journal.events("memory_carried") if isinstance(r.event, MemoryCarried))


def carried_into(folder: Path, config: SessionConfig, until: datetime) -> tuple[MemoryCarried, ...]:
    """What a stopped session took over: from its own journal, or anew where it was stopped before all was written."""
    with Journal.open_readonly(folder) as journal:
        recorded = recorded_memory(journal)
    return recorded if len(recorded) == len(config.memory) else read_memory(config, until)


def summary(carried: Sequence[MemoryCarried]) -> list[dict[str, Any]]:
    """What the first event says of it: a difference in any outcome makes another session."""
    return [
        {
            "head": event.head,
            "outcomes": len(event.outcomes),
            "hash": content_hash([row.model_dump(mode="json") for row in event.outcomes]),
        }
        for event in carried
    ]


def _carried(folder: Path, config: SessionConfig, until: datetime) -> MemoryCarried:
    with Journal.open_readonly(folder) as journal:
        assert journal.manifest is not None  # a journal in a folder has one
        choices = {name: value for name, value in journal.manifest.config.items() if name != TRADE}
        theirs = load_config(None, choices)
        if (theirs.mask or config.mask) and _masked_as(theirs) != _masked_as(config):
            raise InputError(
                f"the memory of {folder} speaks of tickers and dates under another mask; carry it only between "
                "sessions with equal market, mask and mask_seed"
            )
        outcomes = [row for row in outcomes_of(journal) if row.available_at <= until]
        return MemoryCarried(head=journal.head, outcomes=outcomes)


def _masked_as(config: SessionConfig) -> tuple[object, ...]:
    return config.market, config.market_seed, config.mask, config.mask_seed
