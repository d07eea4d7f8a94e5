"""From a word on the command line to a mind. Importing this module loads no model library."""

from collections.abc import Collection
from pathlib import Path

from .adapters import Adapters, shipped
from .core import ModelCore, ModelInputError
from .files.places import bundled_model, find_file
from .served.access import Access
from .served.address import address_of, is_address

POSSIBLE = (
    "`smollm2` (bundled), `scorecard` (no model), a path to a .gguf file, a pulled model (`paperdesk models list`), or "
    "an http(s) URL like http://127.0.0.1:8080/v1#name"
)
"""What a model spec can be, for messages."""

__all__ = ["POSSIBLE", "bundled_model", "open_model"]


def open_model(
    spec: str = "smollm2",
    *,
    threads: int = 2,
    seed: int = 0,
    context: int = 4096,
    access: Access | None = None,
    trust: bool = False,
    adapters: Adapters | None = None,
    roles: Collection[str] | None = None,
) -> ModelCore:
    """The mind that `spec` names. Nothing is ever downloaded here.

    Args:
        spec: `smollm2`, `scorecard`, a path to a GGUF file, a model of the catalogue or `hf:owner/repo/file` that has
            been pulled, or the URL of an OpenAI-compatible server, with the model's name after `#` where the server has
            more than one.
        threads: CPU threads of an in-process model; part of its fingerprint.
        seed: part of the fingerprint.
        context: tokens that an in-process model holds at once.
        access: how a server may be used (key, concurrency, time); of no matter to the others.
        trust: load a GGUF file although nobody vouches for it; constructing `LlamaCpp` is the same act.
        adapters: LoRA adapters in GGUF form for a GGUF file, by role; empty: none. By default the bundled model has
            the one that comes with PaperDesk, and no other model has any.
        roles: who will be asked; of the adapter that comes with PaperDesk, others have no part. All if absent.

    Raises:
        ModelInputError: unknown spec, no such file, not a GGUF, a file that is not allowed, an adapter that belongs to
            other weights, or no server listening.
    """
    if adapters and (spec == "scorecard" or is_address(spec)):
        raise ModelInputError(f"An adapter changes a GGUF model, and {spec!r} is none: leave the adapter out.")
    if spec == "scorecard":
        from .scorecard import Scorecard

        return Scorecard()
    if is_address(spec):
        from .served.mind import OpenAICompatible

        address = address_of(spec)
        return OpenAICompatible(address.url, address.model, access=access)
    path = find_file(spec)
    if path is None:
        raise ModelInputError(f"There is no model {spec!r}: give {POSSIBLE}.")
    # the bundled file came with a package that somebody chose to install
    bundled = spec == "smollm2"
    if adapters is None:
        own = shipped() if bundled else {}
        adapters = {role: file for role, file in own.items() if roles is None or role in roles}
    return _open_file(path, adapters, threads=threads, seed=seed, context=context, trust=trust or bundled)


def _open_file(path: Path, adapters: Adapters, *, threads: int, seed: int, context: int, trust: bool) -> ModelCore:
    from .files.trust import require_allowed
    from .llama_cpp import LlamaCpp
    from .llama_cpp.gguf import read_header

    read_header(path)  # damage is told before trust: no trust can mend it
    if not trust:
        require_allowed(path)
    return LlamaCpp(path, threads=threads, seed=seed, n_ctx=context, adapter=adapters)
