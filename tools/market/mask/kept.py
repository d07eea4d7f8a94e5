"""Masked markets in the user's cache, beside the opened ones, by all that they depend on."""

import hashlib
from functools import cache
from importlib.metadata import version
from pathlib import Path

import numpy as np

from ...frozen import content_hash
from ...user_cache import cache_is_on, load_arrays, store_arrays
from .. import cache as markets
from ..records import Dataset
from .apply import Masked, mask
from .dictionary import digest
from .key import MaskKey, What

KIND = "masks"
"""Entries with the keys; the masked data sets themselves are `cache.KIND`."""


def mask_or_load(dataset: Dataset, what: frozenset[What], seed: int) -> Masked:
    """The same as `mask`, read from the cache where it was made before.

    Args:
        dataset: a market as it was opened, so that its fingerprint is that of its content.
        what: as for `mask`.
        seed: as for `mask`.

    Raises:
        InputError: as for `mask`.
    """
    if not cache_is_on():
        return mask(dataset, what, seed)
    inputs = [dataset.fingerprint, dataset.generated, sorted(what), seed, _code(), digest()]
    name = content_hash(inputs)
    kept, key = markets.load(name), load_arrays(KIND, name)
    if kept is not None and key is not None:
        return Masked(kept, MaskKey.model_validate_json(key["key"].tobytes()), dataset)
    masked = mask(dataset, what, seed)
    text = np.frombuffer(masked.key.model_dump_json().encode(), dtype=np.uint8)
    store_arrays(KIND, name, {"key": text}, markets.KEEP)
    markets.store(name, masked.dataset)
    return masked


@cache
def _code() -> str:
    """What makes and keeps a masked market, so that no version has to be kept by hand."""
    here = Path(__file__).parent
    beside = [
        here.parent / f"{name}.py" for name in ("bars", "cache", "dataset", "frames", "records", "relations/records")
    ]
    sources = sorted([*here.glob("*.py"), *here.glob("*.toml"), *beside])
    hashes = [hashlib.sha256(path.read_bytes()).hexdigest() for path in sources]
    return content_hash([version("paperdesk"), *hashes])
