"""What a market's documents say, kept in the user's cache by everything that it depends on."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from functools import lru_cache
from pathlib import Path

import numpy as np

from ...frozen import content_hash
from ...user_cache import cache_is_on, load_arrays, store_arrays
from ..records import Company, Document
from .extract import found_in
from .records import Event, Found, Holder, Link

KIND = "relations"
KEEP = 16
"""Markets whose findings stay in the cache, the ones used last."""
_MAKERS = (
    "relations/extract.py",
    "relations/mentions.py",
    "relations/records.py",
    "relations/rules.py",
    "relations/rules.toml",
    "relations/sentences.py",
    "documents/passages.py",
    "names.py",
)
"""What decides what is found."""


def found_or_loaded(documents: Sequence[Document], companies: Mapping[str, Company]) -> Found:
    """`found_in`, from the cache where it has been found before."""
    if not cache_is_on():
        return found_in(documents, companies)
    key = _key(documents, companies)
    kept = load_arrays(KIND, key)
    if kept is None:
        found = found_in(documents, companies)
        rows = [[item.model_dump(mode="json") for item in part] for part in found]
        store_arrays(KIND, key, {"found": np.frombuffer(json.dumps(rows).encode(), dtype=np.uint8)}, KEEP)
        return found
    events, links, holders = json.loads(kept["found"].tobytes())
    return Found(
        tuple(Event.model_validate(row) for row in events),
        tuple(Link.model_validate(row) for row in links),
        tuple(Holder.model_validate(row) for row in holders),
    )


def _key(documents: Sequence[Document], companies: Mapping[str, Company]) -> str:
    who = [[row.ticker, row.name, list(row.aliases)] for row in companies.values()]
    digest = hashlib.sha256(content_hash([_code(), who]).encode())
    for row in documents:
        fields = [row.id, row.ticker, row.published_at.isoformat(), row.headline, row.body]
        digest.update(content_hash(fields).encode())
    return digest.hexdigest()


@lru_cache(maxsize=1)
def _code() -> str:
    """sha256 (hex) of the source of `_MAKERS`."""
    here, digest = Path(__file__).parents[1], hashlib.sha256()
    for name in _MAKERS:
        digest.update((here / name).read_bytes())
    return digest.hexdigest()
