"""What is known of a model: from the catalogue, from its file's header, from where it was pulled, from its sha256."""

from pathlib import Path
from typing import Literal

from pydantic import Field

from ....tools.frozen import Frozen
from ..adapters import shipped
from ..core import ModelInputError
from ..digest import file_digest
from ..llama_cpp.gguf import Header, read_header
from ..template import template_for
from .catalogue import Known, catalogue, known_by_digest, known_by_source
from .places import bundled_model, find_file, models_folder, place_of, pulled_from
from .pull import PART
from .source import PREFIX, HubFile
from .trust import Verdict, verdict

State = Literal["bundled", "pulled", "unfinished", "not pulled", "file"]
_LONGEST = 200
"""Letters of a text from a file's header that are shown: it is somebody else's text."""


class Listed(Frozen):
    """A row of `paperdesk models list`."""

    name: str
    """What `--model` takes."""
    title: str
    state: State
    source: str
    file: Path | None
    """Where it lies; None where it does not."""
    size: int | None
    """Bytes on disk."""
    parameters: str
    licence: str
    training_cutoff: str | None
    """ISO date; None where unknown."""
    allowed: bool | None
    """None where there is no file."""
    measured: bool


class Described(Frozen):
    """What `paperdesk models info` tells."""

    name: str
    title: str
    state: State
    source: str
    """Where it comes from; empty where that is unknown."""
    file: Path | None
    architecture: str = ""
    parameters: int | None = None
    """Counted over the tensors."""
    quantisation: dict[str, float] = Field(default_factory=dict)
    """Share of the parameters stored as each type, the largest first."""
    context_length: int | None = None
    """Tokens that it was trained on at once."""
    vocabulary: int | None = None
    """Tokens."""
    template: str = ""
    """The chat template that PaperDesk uses for it; `plain` where its control tokens fit none."""
    licence: str = ""
    languages: tuple[str, ...] = ()
    training_cutoff: str | None = None
    cutoff_source: str = ""
    size: int | None = None
    """Bytes."""
    sha256: str = ""
    verdict: Verdict | None = None
    adapter_sha256: str = ""
    """Of the adapter that comes with PaperDesk for this model; empty where there is none."""
    adapter_for: tuple[str, ...] = ()
    """The agents that answer with it."""


def list_models() -> list[Listed]:
    """The bundled model, the catalogue, and what else has been pulled.

    A pulled file's sha256 is read from the record beside it, not computed: that is for opening.

    Raises:
        ModelInputError: the user's trust file is damaged.
    """
    rows = [_known_row(model) for model in catalogue().values()]
    shown = {row.file for row in rows}
    folder = models_folder()
    for path in sorted(folder.rglob("*.gguf")):
        if path not in shown:
            rows.append(_pulled_row(path))
    for path in sorted(folder.rglob(f"*.gguf{PART}")):
        goal = path.with_name(path.name.removesuffix(PART))
        rows = [row for row in rows if not (row.state == "not pulled" and _goal(row.source) == goal)]
        rows.append(_unfinished_row(path, goal))
    return rows


def describe_model(spec: str) -> Described:
    """All that is known of a model.

    Args:
        spec: a name of the catalogue, pulled or not, `hf:owner/repo/file`, or a path.

    Raises:
        ModelInputError: there is no such model, its file is damaged, or the user's trust file is.
    """
    known = catalogue().get(spec)
    try:
        path = find_file(spec)
    except ModelInputError:
        if known is None:
            raise
        path = None
    if path is None and known is None:
        if not Path(spec).is_file():
            raise ModelInputError(f"There is no model {spec!r}: name a file, or one of {', '.join(catalogue())}.")
        path = Path(spec)
    if path is None:
        assert known is not None
        return _from_catalogue(known)
    return _from_file(spec, path)


def _from_catalogue(known: Known) -> Described:
    return Described(
        name=known.name,
        title=known.title,
        state="not pulled",
        source=known.source,
        file=None,
        licence=known.licence,
        training_cutoff=_date(known),
        cutoff_source=known.cutoff_source,
    )


def _from_file(spec: str, path: Path) -> Described:
    header = read_header(path)
    digest = file_digest(path)
    pulled = pulled_from(path)
    source = pulled.source if pulled and pulled.sha256 == digest else ""
    known = known_by_digest(digest)
    claimed = known or known_by_source(source)
    worn = shipped() if spec == "smollm2" else {}
    cutoff_source = claimed.cutoff_source if claimed else ""
    if claimed and not known and cutoff_source:
        cutoff_source += "; known by its source only, not by its sha256"
    return Described(
        name=spec,
        title=_shown(header.metadata.get("general.name")) or (claimed.title if claimed else ""),
        state="bundled" if known and not known.source.startswith(PREFIX) else "pulled" if source else "file",
        source=known.source if known else source,
        file=path,
        architecture=_shown(header.architecture),
        parameters=header.parameters,
        quantisation=_shares(header),
        context_length=_count(header, f"{header.architecture}.context_length"),
        vocabulary=header.lists.get("tokenizer.ggml.tokens"),
        template=template_for(header.marks.__contains__).name,
        licence=(claimed.licence if claimed else "") or _shown(header.metadata.get("general.license")),
        languages=tuple(_shown(word) for word in header.words.get("general.languages", ())),
        training_cutoff=_date(claimed),
        cutoff_source=cutoff_source,
        size=path.stat().st_size,
        sha256=digest,
        verdict=verdict(digest),
        adapter_sha256="".join({file_digest(adapter) for adapter in worn.values()}),
        adapter_for=tuple(worn),
    )


def _known_row(known: Known) -> Listed:
    bundled = not known.source.startswith(PREFIX)
    path = _bundled() if bundled else _goal(known.source)
    there = path is not None and path.is_file()
    return Listed(
        name=known.name,
        title=known.title,
        state="bundled" if bundled else "pulled" if there else "not pulled",
        source=known.source,
        file=path if there else None,
        size=path.stat().st_size if path and there else None,
        parameters=known.parameters,
        licence=known.licence,
        training_cutoff=_date(known),
        allowed=_is_allowed(path) if path and there else None,
        measured=known.measured,
    )


def _pulled_row(path: Path) -> Listed:
    pulled = pulled_from(path)
    return Listed(
        name=pulled.source if pulled else str(path),
        title=path.name,
        state="pulled" if pulled else "file",
        source=pulled.source if pulled else "",
        file=path,
        size=path.stat().st_size,
        parameters="",
        licence="",
        training_cutoff=None,
        allowed=_is_allowed(path),
        measured=False,
    )


def _unfinished_row(part: Path, goal: Path) -> Listed:
    known = next((model for model in catalogue().values() if _goal(model.source) == goal), None)
    return Listed(
        name=known.name if known else goal.name,
        title=known.title if known else goal.name,
        state="unfinished",
        source=known.source if known else "",
        file=None,
        size=part.stat().st_size,
        parameters=known.parameters if known else "",
        licence=known.licence if known else "",
        training_cutoff=_date(known),
        allowed=None,
        measured=False,
    )


def _bundled() -> Path | None:
    try:
        return bundled_model()
    except ModelInputError:  # the row says that it is not there
        return None


def _goal(source: str) -> Path | None:
    return place_of(HubFile.of(source)) if source.startswith(PREFIX) else None


def _is_allowed(path: Path) -> bool:
    pulled = pulled_from(path)
    return verdict(pulled.sha256 if pulled else file_digest(path)).allowed


def _date(known: Known | None) -> str | None:
    return known.training_cutoff.isoformat() if known and known.training_cutoff else None


def _shares(header: Header) -> dict[str, float]:
    ranked = sorted(header.types.items(), key=lambda row: -row[1])
    return {name: round(count / header.parameters, 4) for name, count in ranked}


def _count(header: Header, key: str) -> int | None:
    value = header.metadata.get(key)
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def _shown(value: object) -> str:
    """A text out of a file, fit for a terminal."""
    text = str(value) if value is not None else ""
    return "".join(letter if letter.isprintable() else "\ufffd" for letter in text[:_LONGEST])
