"""How long opening a market takes: 100 companies by 10 years, as parquet and as CSV, first and second time.

Each opening is a process of its own. `open_s` leaves out the imports of numpy, pandas and pyarrow, `process_s` is
everything from starting Python to having the `Market`, calendar included.
"""

import json
import os
import subprocess
import sys
import tempfile
import time
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any, Literal

import numpy as np

from paperdesk.tools.clock import TradingCalendar
from paperdesk.tools.market.bars import Bars
from paperdesk.tools.market.dataset import available_at, facts_frame, fingerprinted
from paperdesk.tools.market.records import FACT_COLUMNS, Company, Dataset, Document
from paperdesk.tools.market.write import write_dataset

FIRST, LAST = date(2014, 1, 2), date(2023, 12, 29)
COMPANIES = 100
CONCEPTS = 25
QUARTERS = 40
PERIODS = 3
"""Columns of a filing: the quarter, the running total, and the quarter of the year before."""
DOCUMENTS = 100
WORDS = 500

_OPEN = """
import json, sys, time
began = time.perf_counter()
import numpy, pandas, pyarrow, pyarrow.parquet, pyarrow.csv, pyarrow.compute
imported = time.perf_counter()
from paperdesk.tools.market.view import open_market
market = open_market(sys.argv[1])
opened = time.perf_counter()
# ru_maxrss would be the parent's: it survives exec.
peak = next(line for line in open("/proc/self/status") if line.startswith("VmHWM"))
print(json.dumps({
    "libraries_s": round(imported - began, 2),
    "open_s": round(opened - imported, 2),
    "peak_mb": round(int(peak.split()[1]) / 1024),
    "fingerprint": market.fingerprint,
}))
"""


def synthetic() -> Dataset:
    """A market of the benchmark's size from random arrays; it means nothing, but has the shape of real ones."""
    rng = np.random.default_rng(1)
    sessions = TradingCalendar("XNYS", FIRST, LAST).sessions(FIRST, LAST)
    tickers = (*(f"C{i:03d}" for i in range(COMPANIES)), "INDEX")
    shape = (len(sessions), len(tickers))
    close = np.round(50 * np.exp(np.cumsum(rng.normal(0.0003, 0.02, shape), axis=0)) + 1, 2)
    opened = np.round(close * np.exp(rng.normal(0, 0.005, shape)), 2)
    bars = Bars(
        sessions=sessions,
        tickers=tickers,
        open=opened,
        high=np.maximum(opened, close) + 0.25,
        low=np.minimum(opened, close) - 0.25,
        close=close,
        volume=np.round(rng.lognormal(14, 0.5, shape)),
        dividend=np.where(rng.random(shape) < 0.005, 0.25, 0.0),
        split=np.ones(shape),
    )
    names = tickers[:-1]
    dataset = Dataset(
        name="benchmark",
        note="Random numbers in the shape of a market.",
        generated=True,
        calendar="XNYS",
        bars=bars,
        companies={name: Company(name, f"Company {name}", "Industry", f"Sector {name[-1]}") for name in names},
        facts=facts_frame(_fact_columns(names, rng)),
        documents=_documents(names, sessions, rng),
        benchmark="INDEX",
    )
    return fingerprinted(dataset)


def _fact_columns(names: tuple[str, ...], rng: np.random.Generator) -> dict[str, Any]:
    shape = (len(names), QUARTERS, CONCEPTS, PERIODS)
    company, quarter, concept, period = (axis.ravel() for axis in np.indices(shape))
    months = np.datetime64("2014-03", "M") + 3 * quarter - np.where(period == 2, 12, 0)
    ends = (months + 1).astype("datetime64[D]") - 1
    length = np.where(period == 1, 3 * (1 + (quarter % 4)), 3)
    starts = (months + 1 - length).astype("datetime64[D]")
    starts[concept >= CONCEPTS - 5] = np.datetime64("NaT")
    filed = (np.datetime64("2014-04", "M") + 3 * quarter).astype("datetime64[D]") + 20 + company % 15
    accessions = np.array([f"{i:010d}-{j // 4 + 14}-{j:06d}" for i in range(len(names)) for j in range(QUARTERS)])
    texts = {
        "ticker": np.array(names, dtype=object)[company],
        "concept": np.array([f"Concept{i:02d}" for i in range(CONCEPTS)], dtype=object)[concept],
        "unit": np.full(len(company), "USD", dtype=object),
        "accession": accessions.astype(object)[company * QUARTERS + quarter],
        "form": np.where(quarter % 4 == 3, "10-K", "10-Q").astype(object),
    }
    columns = texts | {
        "period_start": starts,
        "period_end": ends,
        "value": np.round(rng.lognormal(20, 1, len(company))),
        "filed": filed,
        "available_at": available_at(filed, "XNYS"),
    }
    # A level and its running total would be one figure twice.
    kept = (concept < CONCEPTS - 5) | (period != 1)
    kept &= ~((period == 1) & (quarter % 4 == 0))
    return {name: columns[name][kept] for name in FACT_COLUMNS}


def _documents(names: tuple[str, ...], sessions: tuple[date, ...], rng: np.random.Generator) -> tuple[Document, ...]:
    letters = np.array(list("abcdefghijklmnopqrstuvwxyz"))
    vocabulary = np.array(["".join(rng.choice(letters, rng.integers(3, 10))) for _ in range(4000)])
    documents = []
    for name in names:
        for i, row in enumerate(np.sort(rng.choice(len(sessions), DOCUMENTS, replace=False))):
            body = " ".join(vocabulary[rng.integers(0, len(vocabulary), WORDS)])
            day = sessions[row]
            moment = datetime(day.year, day.month, day.day, 21, 5, tzinfo=UTC)
            documents.append(Document(f"{name}-{i}", name, moment, "8-K", f"{name} reports {i}", body))
    return tuple(sorted(documents, key=lambda document: (document.published_at, document.id)))


def measure() -> list[dict[str, Any]]:
    """A row per opening."""
    dataset, rows = synthetic(), []
    forms: tuple[Literal["parquet", "csv"], ...] = ("parquet", "csv")
    with tempfile.TemporaryDirectory() as place:
        for form in forms:
            folder = Path(place) / form
            began = time.perf_counter()
            write_dataset(dataset, folder, form)
            written = time.perf_counter() - began
            size = sum(path.stat().st_size for path in folder.iterdir())
            rows.append({"form": form, "step": "write", "wall_s": round(written, 2), "mb": round(size / 1e6, 1)})
            for step in ("first", "second"):
                cache = Path(place) / f"cache-{form}"
                rows.append({"form": form, "step": step} | _opened(folder, cache, dataset.fingerprint))
    return rows


def _opened(folder: Path, cache: Path, fingerprint: str) -> dict[str, Any]:
    began = time.perf_counter()
    process = subprocess.run(
        [sys.executable, "-c", _OPEN, str(folder)],
        env=os.environ | {"XDG_CACHE_HOME": str(cache)},
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    row: dict[str, Any] = json.loads(process.stdout)
    if row.pop("fingerprint") != fingerprint:
        raise RuntimeError(f"{folder} opened as another market")
    return row | {"process_s": round(time.perf_counter() - began, 2)}
