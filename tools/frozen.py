"""The base of every value that crosses a border: immutable, closed, finite."""

import hashlib
import json
from typing import Any

from pydantic import BaseModel, ConfigDict


class Frozen(BaseModel):
    """A pydantic model that cannot change, refuses unknown fields, and refuses NaN and infinities."""

    # "constants": a NaN inside an untyped field would otherwise be written as null; this way canonical_json refuses it
    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False, ser_json_inf_nan="constants")


_canonical = json.JSONEncoder(sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False).encode


def canonical_json(value: Any) -> str:
    """The one JSON text of a value: sorted keys, no spaces, UTF-8 kept, floats in shortest round-trip form.

    Raises:
        ValueError: the value holds a NaN or an infinity, which JSON cannot say.
    """
    return _canonical(value)


def content_hash(value: Any) -> str:
    """sha256 (hex) of the canonical JSON of `value`."""
    return hashlib.sha256(canonical_json(value).encode()).hexdigest()
