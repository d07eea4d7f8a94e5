"""Opened markets in the user's cache, by the bytes of their files: a folder that did not change is not parsed again."""

import hashlib
import io
import json
from dataclasses import asdict
from datetime import UTC, date
from functools import lru_cache
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ..disk import file_sha256
from ..user_cache import cache_is_on, load_arrays, store_arrays
from .bars import Bars
from .folder.settings import FILE
from .folder.tables import LINES, TABLES
from .frames import FACT_COLUMNS, SERIES_COLUMNS
from .records import Company, Dataset, Document
from .relations.records import Link

KIND = "markets"
KEEP = 8
"""Markets that stay in the cache, the ones opened last."""

_STEMS: dict[str, tuple[str, ...]] = {
    "prices": TABLES,
    "companies": TABLES,
    "fundamentals": TABLES,
    "series": TABLES,
    "relations": TABLES,
}
_STEMS |= {"news": LINES, "documents": LINES}
_NAMES = (FILE, *(f"{stem}{ending}" for stem, endings in _STEMS.items() for ending in endings))
"""The files that a market is read from."""
_MATRICES = ("open", "high", "low", "close", "volume", "dividend", "split")


def key_of(folder: Path) -> str | None:
    """sha256 over the files of a folder, by name and bytes, and over the code that reads them; None without a cache."""
    if not cache_is_on():
        return None
    digest = hashlib.sha256(_code().encode())
    try:
        for name in _NAMES:
            path = folder / name
            if path.is_file():
                digest.update(f"{name} {file_sha256(path)}\n".encode())
    except OSError:
        # A file that cannot be read is a defect; the reader words it.
        return None
    return digest.hexdigest()


@lru_cache(maxsize=1)
def _code() -> str:
    """What reads a folder: the packages, and the source of these modules, so that no version has to be kept by hand."""
    here = Path(__file__).parent
    sources = sorted([*here.glob("folder/*.py"), *(here / f"{name}.py" for name in ("cache", "check", "dataset"))])
    sources += [
        here / "relations" / "records.py",
        here / "bars.py",
        here / "frames.py",
        here / "records.py",
        here.parent / "clock.py",
    ]
    digest = hashlib.sha256()
    for path in sources:
        digest.update(path.read_bytes())
    return f"{version('paperdesk')} {version('exchange_calendars')} {digest.hexdigest()}\n"


def load(key: str) -> Dataset | None:
    """The market of this key; None if it is not there (any more)."""
    arrays = load_arrays(KIND, key)
    if arrays is None:
        return None
    header = json.loads(arrays["header"].tobytes())
    window = [date.fromisoformat(day) for day in header["window"] or ()]
    bars = Bars(
        sessions=tuple(arrays["sessions"].tolist()),
        tickers=tuple(header["tickers"]),
        **{name: arrays["matrices"][i] for i, name in enumerate(_MATRICES)},
    )
    return Dataset(
        name=header["name"],
        note=header["note"],
        generated=header["generated"],
        calendar=header["calendar"],
        bars=bars,
        companies={row["ticker"]: Company(**row | {"aliases": tuple(row["aliases"])}) for row in header["companies"]},
        facts=_frame(arrays["facts"]),
        documents=_documents(arrays["documents"]),
        series=_frame(arrays["series"]),
        relations=tuple(Link.model_validate(row) for row in header["relations"]),
        benchmark=header["benchmark"],
        window=(window[0], window[1]) if window else None,
        fingerprint=header["fingerprint"],
    )


def store(key: str, dataset: Dataset) -> None:
    """Keep a market; a cache that cannot be written is left alone."""
    header = {
        "name": dataset.name,
        "note": dataset.note,
        "generated": dataset.generated,
        "calendar": dataset.calendar,
        "tickers": dataset.bars.tickers,
        "companies": [asdict(row) for row in dataset.companies.values()],
        "relations": [link.model_dump(mode="json") for link in dataset.relations],
        "benchmark": dataset.benchmark,
        "window": [day.isoformat() for day in dataset.window] if dataset.window else None,
        "fingerprint": dataset.fingerprint,
    }
    documents = {
        name: [getattr(row, name) for row in dataset.documents]
        for name in ("id", "ticker", "published_at", "source", "headline", "body")
    }
    arrays = {
        "header": _bytes(json.dumps(header).encode()),
        "sessions": np.array(dataset.bars.sessions, dtype="datetime64[D]"),
        "matrices": np.stack([getattr(dataset.bars, name) for name in _MATRICES]),
        "facts": _table({name: dataset.facts[name] for name in FACT_COLUMNS}),
        "documents": _table(documents),
        "series": _table({name: dataset.series[name] for name in SERIES_COLUMNS}),
    }
    store_arrays(KIND, key, arrays, KEEP)


def _bytes(content: Any) -> NDArray[np.uint8]:
    return np.frombuffer(content, dtype=np.uint8)


def _table(columns: dict[str, Any]) -> NDArray[np.uint8]:
    """The columns as an arrow file, which is read in half the time of parquet."""
    import pyarrow as pa

    table, sink = pa.table(columns), io.BytesIO()
    with pa.ipc.new_file(sink, table.schema, options=pa.ipc.IpcWriteOptions(compression="lz4")) as file:
        file.write_table(table)
    return _bytes(sink.getvalue())


def _read(content: NDArray[np.uint8]) -> Any:
    import pyarrow as pa

    with pa.ipc.open_file(pa.py_buffer(content)) as file:
        return file.read_all()


def _frame(content: NDArray[np.uint8]) -> pd.DataFrame:
    frame: pd.DataFrame = _read(content).to_pandas()
    for name in frame.columns:
        # Empty columns come back as objects, and older pandas read texts as objects.
        if frame[name].dtype == object:
            frame[name] = frame[name].astype("str")
    return frame


def _documents(content: NDArray[np.uint8]) -> tuple[Document, ...]:
    import pyarrow as pa

    table = _read(content)
    times = table.column("published_at").combine_chunks().cast(pa.timestamp("us")).to_numpy(zero_copy_only=False)
    texts = [table.column(name).to_pylist() for name in ("id", "ticker", "source", "headline", "body")]
    return tuple(
        Document(identity, ticker, moment.replace(tzinfo=UTC), source, headline, body)
        for identity, ticker, source, headline, body, moment in zip(*texts, times.tolist(), strict=True)
    )
