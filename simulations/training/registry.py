"""Which version of an adapter is the champion, and how it came to be: one small file in the adapter's folder.

    adapters/mine/            as `train desk` made it: the version `first`
      registry.json           the champion's name and the history
      updates/2024-06-28-3fa9/  a challenger, promoted or kept aside: a folder of the same form

Versions are never changed or deleted; promoting one and going back both only move the pointer.
"""

import fcntl
import json
import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Literal, Self

from pydantic import AwareDatetime, ValidationError, model_validator

from ...agents.models.adapters import AdapterCard
from ...agents.models.digest import file_digest
from ...tools.disk import save
from ...tools.frozen import Frozen
from .contest import Gain
from .exercises import TrainingError
from .kept import Damaged
from .places import ADAPTER_FILE, CARD_FILE

REGISTRY_FILE, LOCK_FILE, UPDATES = "registry.json", "registry.lock", "updates"
FIRST = "first"
"""The version that the folder itself holds."""
Clock = Callable[[], datetime]


class Step(Frozen):
    """Something that happened to an adapter."""

    what: Literal["trained", "promoted", "kept_aside", "rolled_back"]
    version: str
    """What it happened to."""
    champion: str
    """Who is champion since."""
    at: AwareDatetime
    as_of: date | None = None
    """Of an update: up to which day answers were known."""
    adapter_sha256: str
    """Of the version."""
    gain: Gain | None = None
    """Of an update, on later questions: how much better than the champion it was."""
    forgotten: Gain | None = None
    """Of an update, on old questions that were never learnt: the same."""
    reason: str = ""


class Registry(Frozen):
    """The versions of an adapter."""

    champion: str
    history: tuple[Step, ...]

    @model_validator(mode="after")
    def _whole(self) -> Self:
        if not self.history or self.history[-1].champion != self.champion:
            raise ValueError("the champion is not the one that the history ends with")
        if not {step.champion for step in self.history} <= {step.version for step in self.history}:
            raise ValueError("the history names a champion that was never trained")
        return self

    def step_of(self, version: str) -> Step:
        """When a version came to be."""
        return next(step for step in self.history if step.version == version)

    @property
    def versions(self) -> tuple[str, ...]:
        """All versions, the oldest first."""
        return tuple(dict.fromkeys(step.version for step in self.history))

    @property
    def champion_before(self) -> str | None:
        """Who was champion before this one was promoted; None where nobody was."""
        line: list[str] = []
        for step in self.history:
            if step.what == "rolled_back":
                line = line[: line.index(step.champion) + 1]
            elif not line or line[-1] != step.champion:
                line.append(step.champion)
        return line[-2] if len(line) > 1 else None


def wall_clock() -> datetime:
    """Now, UTC."""
    return datetime.now(UTC)


def folder_of(adapter: Path, version: str) -> Path:
    """The folder of a version."""
    return adapter if version == FIRST else adapter / UPDATES / version


def read_registry(adapter: Path) -> Registry:
    """The registry of an adapter; before its first update there is none yet, and it is that of the one version.

    Raises:
        TrainingError: the folder holds no adapter.
        Damaged: the registry cannot be read, or the champion's file is missing or another one.
    """
    registry = _read(adapter)
    _refuse_other(adapter, registry)
    return registry


def _read(adapter: Path) -> Registry:
    if not (adapter / CARD_FILE).is_file() or not (adapter / ADAPTER_FILE).is_file():
        raise TrainingError(f"{adapter} holds no trained adapter: name a folder that `paperdesk train desk` made.")
    path = adapter / REGISTRY_FILE
    if not path.exists():
        first = Step(
            what="trained",
            version=FIRST,
            champion=FIRST,
            at=datetime.fromtimestamp((adapter / CARD_FILE).stat().st_mtime, UTC),
            adapter_sha256=_trained_sha256(adapter / CARD_FILE),
        )
        return Registry(champion=FIRST, history=(first,))
    try:
        return Registry.model_validate_json(path.read_bytes())
    except (OSError, ValidationError) as error:
        raise Damaged(
            f"{path} cannot be read ({_reason(error)}): put an older copy back, or delete it to begin again from the "
            f"version in {adapter}."
        ) from None


def _trained_sha256(card: Path) -> str:
    try:
        return AdapterCard.model_validate_json(card.read_bytes()).adapter_sha256
    except (OSError, ValidationError):
        raise no_card(card) from None


def no_card(path: Path) -> Damaged:
    """What is said of a card that cannot be read."""
    return Damaged(f"{path} is no card of an adapter: put the old one back, or train the adapter anew.")


def champion_of(adapter: Path) -> Path:
    """The champion's GGUF file."""
    return folder_of(adapter, read_registry(adapter).champion) / ADAPTER_FILE


def with_champions(given: Sequence[str]) -> tuple[str, ...]:
    """Adapters as a session names them, folders replaced by their champions' files.

    Args:
        given: paths, or `AGENT=PATH`.
    """
    return tuple(_file_of(text) for text in given)


def _file_of(text: str) -> str:
    agent, equals, path = text.partition("=")
    begin = f"{agent}=" if equals and agent.isidentifier() else ""
    folder = Path(path if begin else text).expanduser()
    return f"{begin}{champion_of(folder)}" if folder.is_dir() else text


def record(adapter: Path, step: Step, *, challenged: str) -> Registry:
    """Write down what became of a challenger.

    Args:
        adapter: the folder.
        step: what happened.
        challenged: the champion that it was compared with; where another one has come since, the challenger is kept
            aside whatever was found.
    """
    with _alone(adapter):
        registry = read_registry(adapter)
        if registry.champion != challenged:
            why = f"the champion became {registry.champion} meanwhile"
            step = step.model_copy(update={"what": "kept_aside", "champion": registry.champion, "reason": why})
        return _write(adapter, registry, step)


def roll_back(adapter: Path, to: str | None = None, *, clock: Clock = wall_clock) -> Registry:
    """Make an earlier version the champion again.

    Args:
        adapter: the folder.
        to: a version; the champion before this one by default.
        clock: says when.

    Raises:
        TrainingError: there is no earlier champion, or no such version.
        Damaged: the version's file is missing or another one.
    """
    with _alone(adapter):
        registry = _read(adapter)
        version = to or registry.champion_before
        if version is None:
            raise TrainingError(
                f"{registry.champion} is the first champion of {adapter}: there is nothing to go back to."
            )
        if version not in registry.versions or version == registry.champion:
            known = ", ".join(name for name in registry.versions if name != registry.champion) or "none"
            raise TrainingError(f"{version} is no earlier version of {adapter}: name one of these: {known}.")
        digest = registry.step_of(version).adapter_sha256
        step = Step(what="rolled_back", version=version, champion=version, at=clock(), adapter_sha256=digest)
        _refuse_other(adapter, registry.model_copy(update={"champion": version}))
        return _write(adapter, registry, step)


def _write(adapter: Path, registry: Registry, step: Step) -> Registry:
    new = Registry(champion=step.champion, history=(*registry.history, step))
    text = json.dumps(new.model_dump(mode="json"), indent=1) + "\n"
    save(adapter / REGISTRY_FILE, text.encode())
    return new


def _refuse_other(adapter: Path, registry: Registry) -> None:
    path = folder_of(adapter, registry.champion) / ADAPTER_FILE
    if not path.is_file() or file_digest(path) != registry.step_of(registry.champion).adapter_sha256:
        raise Damaged(
            f"{path} is not the file that was written as version {registry.champion}: put it back, or name another"
            " version by `paperdesk train rollback --to`."
        )


@contextmanager
def _alone(adapter: Path) -> Iterator[None]:
    handle = os.open(adapter / LOCK_FILE, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)


def _reason(error: Exception) -> str:
    if isinstance(error, ValidationError):
        return error.errors()[0]["msg"].removeprefix("Value error, ")
    return getattr(error, "strerror", None) or type(error).__name__
