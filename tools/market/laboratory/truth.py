"""What is true of a laboratory and no agent may see: expected returns and their causes, states, surprises, labels."""

import json
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from .factors import Matrix
from .plan import EDGES, EdgeName, LaboratoryPlan
from .releases import Texts
from .world import World

STATES = ("calm", "turbulent")
TRUTH_TABLE, TRUTH_RELEASES, TRUTH_FILE = "truth.parquet", "truth-releases.parquet", "truth.json"
"""Beside the tables of the market; `open_dataset` reads none of them."""

RELEASE_COLUMNS = (
    "document",
    "ticker",
    "period_end",
    "published_at",
    "reacts",
    "surprise",
    "quote_mood",
    "outlook_mood",
)
"""Of `Truth.releases`: surprise in standard deviations, moods -2..2, `reacts` the session that first trades on it."""


@dataclass(frozen=True)
class Truth:
    """The truth of one laboratory; T sessions, N companies."""

    plan: LaboratoryPlan
    sessions: tuple[date, ...]
    tickers: tuple[str, ...]
    """Companies in the order of the columns below."""
    regime: NDArray[np.int64]
    """(T,) index into `STATES`."""
    parts: dict[EdgeName, Matrix]
    """(T, N) by edge: the log return that it lets one expect of the next session, beyond what market and sector bring,
    given what is public at this session's close."""
    betas: NDArray[np.float64]
    """(N,) on the market factor."""
    releases: pd.DataFrame
    """A row per original earnings release, columns `RELEASE_COLUMNS`, by time of publication."""
    near_duplicates: dict[str, str]
    """Id of the repeat: id of the original."""
    late_copies: dict[str, str]
    hostile: tuple[str, ...]
    """Ids of documents that carry an instruction."""
    links: dict[str, tuple[str, str]]
    """What another company is to the one that releases, and which: by id of the release."""

    @property
    def expected(self) -> Matrix:
        """(T, N) expected log return of the next session beyond market and sector: the sum of the parts."""
        return np.asarray(sum(self.parts.values(), np.zeros((len(self.sessions), len(self.tickers)))))


def truth_of(world: World, texts: Texts) -> Truth:
    """The truth behind a world and its texts."""
    identities = world.cast.identities
    published = {document.id: document.published_at for document in texts.documents}
    rows = []
    for document, (quarter, number) in texts.earnings.items():
        at = (quarter, number)
        rows.append(
            {
                "document": document,
                "ticker": identities[number].ticker,
                "period_end": pd.Timestamp(world.table.quarters[quarter][1]),
                "published_at": pd.Timestamp(published[document]),
                "reacts": pd.Timestamp(world.table.day(int(world.table.reacts[at]))),
                "surprise": float(world.business.surprise[at]),
                "quote_mood": int(world.quote_mood[at]),
                "outlook_mood": int(world.outlook_mood[at]),
            }
        )
    releases = pd.DataFrame(rows, columns=list(RELEASE_COLUMNS))
    releases = releases.sort_values(["published_at", "document"], kind="stable", ignore_index=True)
    return Truth(
        plan=world.plan,
        sessions=world.table.sessions,
        tickers=tuple(identity.ticker for identity in identities),
        regime=world.factors.states,
        parts={name: world.planted[name][1:] for name in EDGES},
        betas=world.cast.beta,
        releases=releases,
        near_duplicates=texts.near_duplicates,
        late_copies=texts.late_copies,
        hostile=texts.hostile,
        links=texts.links,
    )


def write_truth(truth: Truth, folder: Path) -> None:
    """Put the truth beside a market: `truth.parquet`, `truth-releases.parquet` and `truth.json`."""
    count, companies = len(truth.sessions), len(truth.tickers)
    table: dict[str, Any] = {
        "session": np.repeat(np.array(truth.sessions, dtype="datetime64[s]"), companies),
        "ticker": pd.Categorical.from_codes(np.tile(np.arange(companies), count), pd.Index(truth.tickers)),
        "regime": pd.Categorical.from_codes(np.repeat(truth.regime, companies), pd.Index(STATES)),
        "expected": truth.expected.ravel(),
    }
    table |= {name: part.ravel() for name, part in truth.parts.items()}
    pd.DataFrame(table).to_parquet(folder / TRUTH_TABLE, index=False, compression="zstd")
    truth.releases.to_parquet(folder / TRUTH_RELEASES, index=False, compression="zstd")
    summary = {
        "plan": truth.plan.model_dump(mode="json"),
        "edges": {
            name: {
                "strength": truth.plan.strength(name),
                "log_return_per_unit": truth.plan.strength(name) * edge.size,
                "horizon_sessions": edge.horizon_sessions,
                "cause": edge.cause,
            }
            for name, edge in EDGES.items()
        },
        "betas": {name: round(float(beta), 6) for name, beta in zip(truth.tickers, truth.betas, strict=True)},
        "near_duplicates": truth.near_duplicates,
        "late_copies": truth.late_copies,
        "hostile": list(truth.hostile),
        "links": truth.links,
    }
    (folder / TRUTH_FILE).write_text(json.dumps(summary, indent=1) + "\n", encoding="utf-8")
