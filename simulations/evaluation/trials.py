"""The trials ledger: every session that was run on a market, because whoever tries often enough finds luck.

One SQLite file in the user's data folder, append-only, written by `start` before a session decides anything and again
when it has ended. A trial is a distinct configuration on a distinct market: the same session again is not a new one.
It is what the deflated Sharpe ratio takes its number of trials from, so it must not be possible to forget a failure:
nothing of ours deletes a row, and one that was started and never finished counts.
"""

import os
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import pandas as pd

from ...tools.errors import InputError
from ...tools.frozen import Frozen
from .luck import moments_of
from .metrics import DegenerateTrack, daily_returns

VARIABLE = "PAPERDESK_TRIALS"
"""Environment variable with another file, or `off`: nothing is counted, and reports say so."""

_TABLES = """
CREATE TABLE IF NOT EXISTS trials (
    market TEXT NOT NULL,
    configuration TEXT NOT NULL,
    started_at TEXT NOT NULL,
    label TEXT NOT NULL,
    PRIMARY KEY (market, configuration)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS results (
    market TEXT NOT NULL,
    configuration TEXT NOT NULL,
    sharpe REAL,
    PRIMARY KEY (market, configuration)
) WITHOUT ROWID;
"""


class Trial(Frozen):
    """One configuration that was tried on a market."""

    market: str
    """Fingerprint of the market; of the original, where it was masked."""
    configuration: str
    """Hash of all choices that decide what the session does."""
    started_at: str
    label: str
    """For people: desk, model, window."""
    sharpe: float | None = None
    """Per session of the exchange (not annual); None where it never ended, or has none."""


class TrialsError(InputError):
    """The ledger cannot be read or written."""


def ledger_path() -> Path | None:
    """`$PAPERDESK_TRIALS`, else `$XDG_DATA_HOME/paperdesk/trials.db`, else under `~/.local/share`; None where off.

    Raises:
        TrialsError: there is no home folder.
    """
    if given := os.environ.get(VARIABLE):
        return None if given.lower() == "off" else Path(given)
    base = os.environ.get("XDG_DATA_HOME")
    try:
        return (Path(base) if base else Path.home() / ".local/share") / "paperdesk" / "trials.db"
    except RuntimeError as error:
        raise TrialsError(
            f"There is no home folder for the trials ledger: set {VARIABLE} to a file, or off."
        ) from error


@dataclass(frozen=True)
class Counted:
    """A session in the ledger."""

    market: str
    """Fingerprint of the market; of the original, where it was masked."""
    configuration: str
    """Hash of all choices that decide what the session does."""
    label: str
    path: Path | None

    def begin(self) -> None:
        """Count it; the same session again is counted once.

        Raises:
            TrialsError: the ledger cannot be written.
        """
        if self.path is None:
            return
        now = datetime.now(UTC).isoformat(timespec="seconds")
        with _ledger(self.path) as connection, connection:
            values = (self.market, self.configuration, now, self.label)
            connection.execute("INSERT OR IGNORE INTO trials VALUES (?, ?, ?, ?)", values)

    def end(self, equity: pd.Series) -> None:
        """Note the Sharpe ratio that it came to, None where it has none.

        Raises:
            TrialsError: the ledger cannot be written.
        """
        if self.path is None:
            return
        try:
            found = moments_of(daily_returns(equity).to_numpy(dtype=float)).sharpe
        except DegenerateTrack:
            found = None
        with _ledger(self.path) as connection, connection:
            values = (self.market, self.configuration, found)
            connection.execute("INSERT OR IGNORE INTO results VALUES (?, ?, ?)", values)


def trials_of(market: str, path: Path | None) -> list[Trial]:
    """All trials on a market, by the time of their first start; none where the ledger is off or new.

    Raises:
        TrialsError: the ledger cannot be read.
    """
    if path is None or not path.exists():
        return []
    query = (
        "SELECT market, configuration, started_at, label, sharpe FROM trials LEFT JOIN results "
        "USING (market, configuration) WHERE market = ? ORDER BY started_at, configuration"
    )
    with _ledger(path) as connection:
        rows = connection.execute(query, (market,)).fetchall()
    return [Trial(market=m, configuration=c, started_at=t, label=text, sharpe=s) for m, c, t, text, s in rows]


@contextmanager
def _ledger(path: Path) -> Iterator[sqlite3.Connection]:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with closing(sqlite3.connect(path, timeout=60)) as connection:
            connection.executescript(_TABLES)
            yield connection
    except (OSError, sqlite3.Error) as error:
        raise TrialsError(
            f"The trials ledger {path} cannot be used ({error}): repair it, or set {VARIABLE} to another file, or off."
        ) from error
