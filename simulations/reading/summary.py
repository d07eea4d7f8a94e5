"""What a session was and came to, in one glance."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Any

from ...agents.models.core import Fingerprint
from ...memory.journal import Journal
from ...memory.journal.rows import Row, rows
from ...tools.errors import InputError
from ...tools.market.mask import MaskKey
from ..evaluation.contamination import Sitting, contamination
from ..masking import KEY_FILE

_ORIGINAL = frozenset({"market", "market_seed", "mask_seed", "universe", "benchmark", "start", "end"})
"""Choices that speak of the market as it is, which nothing that shows a masked session may."""


@dataclass(frozen=True)
class Summary:
    """One session in a list of sessions."""

    name: str
    """Of its folder."""
    status: str
    """`running` (also where it was stopped) or `finished`."""
    events: int
    head: str
    created_at: datetime
    finished_at: datetime | None
    written_at: datetime | None
    """When the last event was written."""
    market: str
    market_fingerprint: str
    universe: tuple[str, ...]
    benchmark: str | None
    decisions: int
    """Planned."""
    decided: int
    """Closed so far."""
    first_day: date | None
    """Of the bars."""
    last_day: date | None
    mind: dict[str, Any]
    """The fingerprint of the model that it began with."""
    minds: tuple[str, ...]
    """Names of it and of those that a fork went on with."""
    prompts: str
    code: str
    versions: dict[str, str]
    config: dict[str, Any]
    """As in the manifest: every choice, in the user's terms."""
    masked: bool
    contamination: str
    """Whether a model may remember the window: `none` was asked, `clean`, `unknown`, `contaminated`."""
    start_equity: float | None
    equity: float | None
    """At the last bar."""
    metrics: tuple[dict[str, Any], ...]
    """Rows of figures, the desk's first, then its baselines; empty until the session has ended."""

    @property
    def choices(self) -> dict[str, Any]:
        """Every choice; of a masked session without those that would undo the mask."""
        return {name: value for name, value in self.config.items() if not (self.masked and name in _ORIGINAL)}

    @property
    def total_return(self) -> float | None:
        """Of the desk so far."""
        if self.start_equity is None or self.equity is None:
            return None
        return self.equity / self.start_equity - 1


def summarise(journal: Journal, name: str) -> Summary:
    """The summary of an open journal: a handful of events are read."""
    manifest = journal.manifest
    assert manifest is not None  # a journal in a folder has one
    started = _first(journal, "session_started")
    ended = _last(journal, "session_ended")
    first, last = _first(journal, "bar_closed"), _last(journal, "bar_closed")
    closed = _last(journal, "decision_closed")
    told = started.document if started else {}
    newest = next(rows(journal, newest_first=True, page=1), None)
    assert journal.folder is not None
    key = _key(journal.folder / KEY_FILE)
    mask = tuple(manifest.config.get("mask") or (key.what if key else ()))
    sittings = list(_sittings(journal, told.get("model", {}), _day(first), key, mask))
    return Summary(
        name=name,
        status=manifest.status,
        events=journal.count,
        head=journal.head,
        created_at=manifest.created_at,
        finished_at=manifest.finished_at,
        written_at=newest.written_at if newest else None,
        market=told.get("market", ""),
        market_fingerprint=told.get("market_fingerprint", ""),
        universe=tuple(told.get("universe", ())),
        benchmark=told.get("benchmark"),
        decisions=len(told.get("decisions", ())),
        decided=(closed.decision or 0) + 1 if closed else 0,
        first_day=_day(first),
        last_day=_day(last),
        mind=told.get("model", {}),
        minds=tuple(mind.name for mind, _ in sittings),
        prompts=told.get("prompts", ""),
        code=manifest.code,
        versions=manifest.versions,
        config=manifest.config,
        masked=bool(mask),
        contamination=contamination(
            sittings,
            generated="generated" in (told.get("market"), manifest.config.get("market")),
            mask=mask,
        ).label,
        start_equity=first.document["equity"] if first else None,
        equity=last.document["equity"] if last else None,
        metrics=tuple(ended.document["metrics"].get("rows", ())) if ended else (),
    )


def _sittings(
    journal: Journal, mind: dict[str, Any], first_day: date | None, key: MaskKey | None, mask: Sequence[str]
) -> Iterator[Sitting]:
    """The mind that a session began with, and those that a fork went on with, each from its first day."""

    def real(day: date | None) -> date | None:
        # without its key nobody knows what a masked day stands for
        return day if day is None or "dates" not in mask else key.earlier(day) if key else None

    if mind:
        yield Fingerprint.model_validate(mind), real(first_day)
    for row in rows(journal, ("desk_changed",)):
        if row.document.get("mind") is not None:
            yield Fingerprint.model_validate(row.document["mind"]), real(date.fromisoformat(row.document["at"]))


def _key(file: Path) -> MaskKey | None:
    """What was masked as what; None where there is no key, or none that can be read: no list has to fail for that."""
    try:
        return MaskKey.read(file) if file.is_file() else None
    except InputError:
        return None


def _first(journal: Journal, kind: str) -> Row | None:
    return next(rows(journal, (kind,), page=1), None)


def _last(journal: Journal, kind: str) -> Row | None:
    return next(rows(journal, (kind,), newest_first=True, page=1), None)


def _day(row: Row | None) -> date | None:
    return date.fromisoformat(row.document["session"]) if row else None
