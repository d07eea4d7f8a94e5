"""Adapters: small changes to a model's weights, who answers with which, and the one that comes with PaperDesk.

An adapter (Hu et al. 2021, "LoRA") is a GGUF file. Where its card lies beside it (`card.json`, as `paperdesk train
desk` writes it), the card says to which weights it belongs, and it is loaded with no others.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path

from pydantic import BaseModel, ConfigDict, ValidationError

from .core import ModelInputError
from .digest import file_digest

Adapters = Mapping[str, Path]
"""Adapter files by the role that answers with them; `EVERYONE` stands for all roles that are not named."""
EVERYONE = ""
NONE = "none"
"""What somebody writes who wants no adapter."""
ADAPTER_FILE, CARD_FILE = "adapter.gguf", "card.json"
"""In an adapter's folder."""
SHIPPED = Path(__file__).with_name("shipped")
"""Folder of the adapter that comes with PaperDesk, for the bundled model."""


class Figures(BaseModel):
    """Of a model on an examination."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    brier: float
    ic: float | None = None


class AdapterCard(BaseModel):
    """What must be known of an adapter before it is loaded; its card says more."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    base: str
    """File name of the model that it was trained on."""
    base_sha256: str
    adapter_sha256: str
    before: dict[str, Figures] = {}
    after: dict[str, Figures] = {}
    """Without it and with it, by agent that it was trained for."""

    @property
    def helped(self) -> tuple[str, ...]:
        """Whom it helps by its examination: a lower Brier score, and a higher IC where there is one."""
        return tuple(agent for agent in sorted(self.after) if self._helps(agent))

    def _helps(self, agent: str) -> bool:
        before, after = self.before[agent], self.after[agent]
        surer = after.ic is None or after.ic > max(before.ic or 0.0, 0.0)
        return after.brier < before.brier and surer


def shipped() -> dict[str, Path]:
    """The adapter that comes with PaperDesk, for the agents that it helps."""
    path = SHIPPED / ADAPTER_FILE
    card = card_of(path)
    assert card is not None  # part of the package
    return dict.fromkeys(card.helped, path)


def card_of(adapter: Path) -> AdapterCard | None:
    """The card beside an adapter; None where there is none.

    Raises:
        ModelInputError: it is no card.
    """
    try:
        return AdapterCard.model_validate_json((adapter.parent / CARD_FILE).read_bytes())
    except FileNotFoundError:
        return None
    except (OSError, ValidationError) as error:
        reason = error.strerror if isinstance(error, OSError) else f"{error.error_count()} faults"
        raise ModelInputError(f"The card beside {adapter} cannot be read ({reason}): repair or delete it.") from None


def adapter_digest(adapter: Path, base: Path) -> str:
    """sha256 of an adapter that belongs to a model, as far as its card says.

    Args:
        adapter: a GGUF file.
        base: the model's file.

    Raises:
        ModelInputError: it is not the adapter of its card, or it was trained on other weights.
    """
    found, card = file_digest(adapter), card_of(adapter)
    if card is None:
        return found
    if card.adapter_sha256 != found:
        raise ModelInputError(
            f"{adapter} is not the adapter that the card beside it describes: take both from one training."
        )
    if card.base_sha256 != file_digest(base):
        raise ModelInputError(
            f"{adapter} was trained on the weights of {card.base}, and {base} holds others: name that model, another "
            "adapter, or none."
        )
    return found


def named_adapters(given: Sequence[str], agents: Sequence[str]) -> dict[str, Path] | None:
    """The adapters that somebody names; None where nothing is named.

    Args:
        given: paths for all agents, `AGENT=PATH` for one (its name or the beginning of it), or `none` alone.
        agents: who can be named.

    Raises:
        ModelInputError: no agent or several are meant, one has two adapters, or `none` stands beside others.
    """
    if not given:
        return None
    if NONE in given:
        if len(given) > 1:
            raise ModelInputError(f"The adapter {NONE!r} stands beside others: give it alone, or leave it out.")
        return {}
    found: dict[str, Path] = {}
    for text in given:
        agent, path = _split(text)
        meant = [name for name in agents if name == agent] or [name for name in agents if name.startswith(agent)]
        if agent and len(meant) != 1:
            raise ModelInputError(f"{agent!r} names {len(meant)} agents: name one of {', '.join(agents)}.")
        role = meant[0] if agent else EVERYONE
        if role in found:
            raise ModelInputError(f"Two adapters are given for {role or 'all agents'}: give one.")
        found[role] = path
    return found


def _split(text: str) -> tuple[str, Path]:
    """Agent (empty for all) and path; a path may hold an equals sign where no agent's name stands before it."""
    agent, equals, path = text.partition("=")
    if equals and agent.isidentifier():
        return agent, Path(path).expanduser()
    return EVERYONE, Path(text).expanduser()
