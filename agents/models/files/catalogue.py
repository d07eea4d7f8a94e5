"""The models that PaperDesk knows by name (`catalogue.toml`), and the training cutoffs of files it knows by hash."""

import tomllib
from datetime import date
from functools import cache
from importlib.resources import files

from ....tools.frozen import Frozen


class Known(Frozen):
    """A model of the catalogue."""

    name: str
    """What `--model` and `paperdesk models` call it."""
    title: str
    source: str
    """`package:NAME` or `hf:owner/repo/file`."""
    licence: str
    parameters: str
    """As its makers count them: `1.5B`."""
    file: str = ""
    """Name of the file, for a package."""
    sha256: str | None = None
    """Of the file, where we have computed it; only then is a file allowed by being this model."""
    training_cutoff: date | None = None
    """The model cannot have read anything later; None where its makers do not say."""
    cutoff_source: str = ""
    """Where that is said."""
    measured: bool = False
    """Whether docs/models.md has memory and speed of our own."""


@cache
def catalogue() -> dict[str, Known]:
    """All known models by name, the bundled one first."""
    text = files(__package__).joinpath("catalogue.toml").read_text(encoding="utf-8")
    return {name: Known.model_validate({"name": name, **row}) for name, row in tomllib.loads(text).items()}


def known_by_digest(digest: str) -> Known | None:
    """The model whose file has this sha256; None where the catalogue does not know it."""
    return next((model for model in catalogue().values() if model.sha256 == digest), None)


def known_by_source(source: str) -> Known | None:
    """The model that comes from this source; what a file claims to be, not what it is."""
    return next((model for model in catalogue().values() if model.source == source), None)


def cutoff_of(digest: str) -> str | None:
    """ISO date after which the model in the file with this sha256 cannot have read anything; None where unknown."""
    model = known_by_digest(digest)
    return model.training_cutoff.isoformat() if model and model.training_cutoff else None
