"""A session's events as a pandas table."""

from typing import TYPE_CHECKING

import pandas as pd

from ...memory.journal import Filters
from ...memory.journal.rows import Row

if TYPE_CHECKING:
    from .session import Session

COLUMNS = ("seq", "kind", "decision", "agent", "ticker", "verdict", "stance", "confidence", "written_at", "hash")
"""Beside `event`."""


def events_frame(session: "Session", filters: Filters | None = None) -> pd.DataFrame:
    """A row per event: `COLUMNS`, then `event`, its canonical JSON."""
    chosen = session.rows() if filters is None else session.entries(filters)
    frame = pd.DataFrame([record_of(row) for row in chosen], columns=[*COLUMNS, "event"])
    return frame.astype(
        dict.fromkeys(("kind", "agent", "ticker", "verdict", "stance", "hash", "event"), "string")
        | {"seq": "int64", "decision": "Int64", "confidence": "Float64", "written_at": "datetime64[us, UTC]"}
    )


def record_of(row: Row) -> dict[str, object]:
    """One row of the table."""
    document = row.document
    told = {name: document.get(name) for name in ("decision", "agent", "ticker", "stance", "confidence")}
    return told | {
        "seq": row.seq,
        "kind": row.kind,
        "verdict": document.get("verdict") or document.get("status"),
        "written_at": row.written_at,
        "hash": row.hash,
        "event": row.body,
    }
