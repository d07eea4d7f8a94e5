"""Who sits on a desk: a TOML roster of names; the auditor and the portfolio manager sit on every desk.

    title = "Value and growth"
    analysts = ["value_investor", "growth_investor"]
    debaters = ["bull", "bear"]        # who answer each other's claims, in the order in which they speak
    risk_officer = "risk_officer"      # who reads the proposal

A roster comes with PaperDesk (those in `agents/desks`) or is a file of the user's. Its roles come with PaperDesk, from
a folder of role files, or from the entry points `paperdesk.roles` of installed packages, each of which gives the text
of a role file or the path to one. A role of the folder wins over one of a package, and that over a built-in one.
"""

import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from importlib.metadata import entry_points
from importlib.resources import files
from pathlib import Path

from pydantic import Field, ValidationError

from ..tools.errors import InputError
from ..tools.frozen import Frozen
from .roles import AUDITOR, PORTFOLIO_MANAGER, Role, Seated, read_role
from .seats import Debater, RiskOfficer, read_debater, read_risk_officer

GROUP = "paperdesk.roles"
"""Entry points of packages that bring roles."""

CLASSIC = "classic"
"""The desk that sits where none is asked for."""

DEBATE_ROUNDS = 2
"""An opening of each side and one reply."""

RESERVED = frozenset({AUDITOR, PORTFOLIO_MANAGER, "open", "audit", "moderator", "pre_trade", "execute", "record"})
"""Nodes of the graph, after which no role can be called."""


class _Table(Frozen):
    """A roster file."""

    title: str = Field(min_length=1)
    analysts: tuple[str, ...] = Field(min_length=1)
    debaters: tuple[str, ...] = Field(default=(), max_length=4)
    risk_officer: str = ""


@dataclass(frozen=True)
class Roster:
    """Who sits on a desk, in the order in which they speak."""

    name: str
    title: str
    analysts: tuple[Role, ...]
    debaters: tuple[Debater, ...] = ()
    """Who answer the analysts' and each other's claims before the portfolio manager sees a signal."""
    risk_officer: RiskOfficer | None = None
    """Who reads the proposal and may tighten its limits."""

    @property
    def seated(self) -> tuple[Seated, ...]:
        """All of them."""
        return (*self.analysts, *self.debaters, *([self.risk_officer] if self.risk_officer else ()))


def desks() -> dict[str, str]:
    """The rosters that come with PaperDesk: their titles by name."""
    folder = files(__package__).joinpath("desks")
    found = {item.name.removesuffix(".toml"): item.read_text(encoding="utf-8") for item in folder.iterdir()}
    return {name: str(tomllib.loads(text)["title"]) for name, text in sorted(found.items())}


def roster(
    desk: str = CLASSIC,
    without: Sequence[str] = (),
    roles: str | Path | None = None,
    debate_rounds: int = DEBATE_ROUNDS,
    extra_calls: int | None = None,
) -> Roster:
    """Who sits on a desk.

    Args:
        desk: the name of a roster that comes with PaperDesk, or the path of a TOML file.
        without: whom to leave out, by name or by the beginning of their name (`technical`).
        roles: a folder with role files of the user's.
        debate_rounds: how often each debater speaks on a ticker.
        extra_calls: how often an analyst may ask for more than its plan gathers; None: as its role says.

    Raises:
        InputError: there is no such desk, role or folder, a file has a fault, or no analyst is left.
    """
    table = _table(desk)
    sources = role_sources(roles)
    names = [*table.analysts, *table.debaters, *([table.risk_officer] if table.risk_officer else [])]
    if len(set(names)) < len(names):
        raise InputError(f"the desk {desk} seats somebody twice; name each once")
    for given in without:
        names.remove(_one_of(given, names))
    left = frozenset(names)
    analysts = tuple(read_role(name, sources) for name in table.analysts if name in left)
    if extra_calls is not None:
        analysts = tuple(replace(role, extra_calls=extra_calls) for role in analysts)
    if not analysts:
        raise InputError(f"no analyst is left on the desk {desk}; leave at least one on it")
    return Roster(
        Path(desk).stem,
        table.title,
        analysts,
        tuple(read_debater(name, sources, debate_rounds) for name in table.debaters if name in left),
        read_risk_officer(table.risk_officer, sources) if table.risk_officer in left else None,
    )


def role_sources(folder: str | Path | None) -> Mapping[str, str]:
    """Texts of the role files that do not come with PaperDesk, by name.

    Raises:
        InputError: the folder cannot be read, or a package's role is neither text nor a path.
    """
    sources = {point.name: _text_of(point.name, point.load()) for point in entry_points(group=GROUP)}
    if folder is not None:
        if not Path(folder).is_dir():
            raise InputError(f"there is no folder {str(folder)!r} with roles; check the path")
        sources |= {file.stem: _text_of(file.stem, file) for file in sorted(Path(folder).glob("*.md"))}
    for name in sources:
        if not name.isidentifier() or name in RESERVED:
            raise InputError(f"a role cannot be called {name!r}; name its file in letters and underscores")
    return sources


def _text_of(name: str, given: object) -> str:
    if isinstance(given, str):
        return given
    if not isinstance(given, Path):
        raise InputError(f"the entry point of the role {name} is a {type(given).__name__}; make it a text or a path")
    try:
        return given.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"the role file {given} cannot be read ({error}); check it") from error


def _table(desk: str) -> _Table:
    known = desks()
    if desk in known:
        text = files(__package__).joinpath("desks", f"{desk}.toml").read_text(encoding="utf-8")
    elif desk.endswith(".toml"):
        text = _text_of(desk, Path(desk))
    else:
        raise InputError(f"there is no desk {desk!r}; choose from {', '.join(known)}, or give a TOML file")
    try:
        return _Table.model_validate(tomllib.loads(text))
    except tomllib.TOMLDecodeError as error:
        raise InputError(f"the desk {desk} is not valid TOML ({error}); correct that place") from error
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(map(str, first["loc"]))
        raise InputError(f"'{where}' of the desk {desk} is refused: {first['msg'].lower()}") from error


def _one_of(given: str, names: Sequence[str]) -> str:
    meant = [name for name in names if name == given] or [name for name in names if name.startswith(given)]
    if len(meant) != 1:
        raise InputError(f"{given!r} names {len(meant)} seats of the desk; name one of {', '.join(names)}")
    return meant[0]
