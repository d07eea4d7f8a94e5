"""Which models a server has, and what it says about one of them."""

from collections.abc import Mapping
from typing import Any, NamedTuple

from ....tools.frozen import content_hash
from ..core import ModelError, ModelInputError
from .reading import Unusable, strict_json
from .wire import NotThere, Refused, Wire

_IDENTITY = ("id", "root", "parent", "owned_by", "meta", "digest", "quantization", "revision")
"""What says which model it is. The rest (times, permissions, prices, whether it is loaded) changes while it stays."""
_CONTEXT = ("max_model_len", "context_length", "context_window", "max_context_length")
_LISTED = 8
"""Models named in a message."""


class Entry(NamedTuple):
    """A model in a server's own words."""

    name: str
    digest: str
    """Hash of what the server says about its identity."""
    context: int
    """Tokens of prompt and answer together; 0 where the server does not say."""


async def find(wire: Wire, model: str | None) -> Entry:
    """A server's entry for a model, or for its only one.

    Raises:
        ModelInputError: it has no such model, has several and none is named, or lists none.
        ModelError: it cannot be reached or wants a key.
    """
    try:
        document = strict_json((await wire.get(f"{wire.url}/models")).text)
        entries = {str(one["id"]): one for one in document["data"]}
    except NotThere:
        if model is None:
            raise
        return Entry(model, content_hash({"id": model}), 0)  # some hosted servers list nothing
    except (Refused, Unusable, KeyError, TypeError):
        raise ModelInputError(
            f"What answers at {wire.url}/models is no list of models: give the server's address up to /v1."
        ) from None
    if model is None and len(entries) == 1:
        (model,) = entries
    if model is None or model not in entries:
        listed = ", ".join(sorted(entries)[:_LISTED]) or "none"
        more = f" and {len(entries) - _LISTED} more" if len(entries) > _LISTED else ""
        asked = f"has no model {model!r}" if model else "has several models or none"
        raise ModelInputError(
            f"The server at {wire.url} {asked}: put one of these after # in the address: {listed}{more}."
        )
    entry = entries[model]
    return Entry(
        model,
        content_hash({name: entry[name] for name in _IDENTITY if name in entry}),
        await _context(wire, entry),
    )


async def _context(wire: Wire, entry: Mapping[str, Any]) -> int:
    told = next((entry[name] for name in _CONTEXT if isinstance(entry.get(name), int)), 0)
    if told or entry.get("owned_by") != "llamacpp":
        return max(int(told), 0)
    try:
        props = strict_json((await wire.get(f"{wire.url.removesuffix('/v1')}/props")).text)
        cells = props["default_generation_settings"]["n_ctx"]
    except (Refused, Unusable, ModelError, KeyError, TypeError):
        return 0  # llama-server may be told to hide it; nothing depends on knowing it
    return cells if isinstance(cells, int) and cells > 0 else 0
