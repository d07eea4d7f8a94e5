"""What a field is: named sessions, each in a role, and the file that says so.

A sweep comes from a TOML file:

    title = "How often to decide"
    [base]                                    # any setting of a session
    market = "sp20"
    model = "scorecard"
    [grid]                                    # every combination is a session
    frequency = ["weekly", "monthly"]
    seed = [1, 2, 3]
    [[grid.window]]                           # several settings that go together, with a name
    name = "crisis"
    start = 2007-01-03
    end = 2009-12-31

A study comes from one configuration: the session itself, ablations, placebos, repeats.
"""

import re
import tomllib
from collections.abc import Mapping, Sequence
from itertools import product
from pathlib import Path
from typing import Any, Literal

import pydantic
from pydantic import ValidationError

from ...agents.rosters import roster
from ...tools.errors import InputError
from ...tools.frozen import Frozen
from ...tools.market.placebo import PLACEBOS
from ..config import SessionConfig, load_config

FILE = "field.json"
"""The plan and what has become of it, in the field's folder."""
SESSIONS = "sessions"
"""Folder of the sessions, in the field's."""
MOST = 2000
"""Sessions of a field; more is a slip of a grid, not a study."""

Role = Literal["base", "variant", "ablation", "placebo", "repeat"]


class Member(Frozen):
    """One session of a field."""

    name: str
    """Also of its folder."""
    role: Role
    about: str
    """What is different about it, for people."""
    config: SessionConfig


class Status(Frozen):
    """What became of a member."""

    state: Literal["done", "failed"]
    seconds: float
    """Of work in this run; 0 where it was finished before."""
    head: str = ""
    error: str = ""


class Field(Frozen):
    """A plan and what has become of it."""

    title: str
    members: tuple[Member, ...]
    status: dict[str, Status] = pydantic.Field(default_factory=dict)

    def folder_of(self, folder: Path, name: str) -> Path:
        """Where a member's session lives."""
        return folder / SESSIONS / name

    def done(self) -> tuple[Member, ...]:
        """The members that finished."""
        return tuple(m for m in self.members if (s := self.status.get(m.name)) is not None and s.state == "done")


def read_field(folder: Path) -> Field:
    """The field in a folder.

    Raises:
        InputError: there is none, or the file is damaged.
    """
    path = folder / FILE
    try:
        return Field.model_validate_json(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise InputError(
            f"{folder} holds no field ({error.strerror}): name the folder of a sweep or a study."
        ) from error
    except ValidationError as error:
        raise InputError(f"{path} is damaged ({error.errors()[0]['msg']}): run the sweep again, it goes on.") from error


def write_field(field: Field, folder: Path) -> None:
    """Write it in one step."""
    folder.mkdir(parents=True, exist_ok=True)
    draft = folder / f"{FILE}.part"
    draft.write_text(field.model_dump_json(indent=2) + "\n", encoding="utf-8")
    draft.replace(folder / FILE)


def sweep_of(file: Path) -> Field:
    """The field of a sweep's configuration.

    Raises:
        InputError: the file cannot be read, is no TOML, or names what there is not.
    """
    try:
        document = tomllib.loads(file.read_text(encoding="utf-8"))
    except OSError as error:
        raise InputError(f"The sweep {file} cannot be read ({error.strerror}): check the path.") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise InputError(f"The sweep {file} is not valid TOML ({error}): correct that place.") from error
    unknown = set(document) - {"title", "base", "grid"}
    if unknown:
        raise InputError(f"The sweep {file} has the unknown key {min(unknown)!r}: use title, base and grid.")
    base, grid = document.get("base", {}), document.get("grid", {})
    if not isinstance(base, dict) or not isinstance(grid, dict) or not grid:
        raise InputError(f"The sweep {file} has no grid: give a table [grid] with a list for at least one setting.")
    axes = [_axis(name, values) for name, values in grid.items()]
    count = 1
    for axis in axes:
        count *= len(axis)
    if count > MOST:
        raise InputError(f"The sweep {file} has {count:,} combinations: keep it to {MOST:,}.")
    members = []
    for choice in product(*axes):
        settings: dict[str, Any] = dict(base)
        for _, values in choice:
            settings |= values
        told = ", ".join(label for label, _ in choice)
        members.append(Member(name=_slug(told), role="variant", about=told, config=load_config(None, settings)))
    names = [member.name for member in members]
    if len(set(names)) < len(names):
        raise InputError(f"Two sessions of the sweep {file} would have the same name: name each table of the grid.")
    return Field(title=str(document.get("title", file.stem)), members=tuple(members))


def _axis(name: str, values: Any) -> list[tuple[str, dict[str, Any]]]:
    """The choices of one axis, each with a label and the settings that it stands for."""
    if not isinstance(values, list) or not values:
        raise InputError(f"The grid's {name!r} is no list: give the values to try, such as {name} = [1, 2].")
    if all(isinstance(value, dict) for value in values):
        return [
            (str(v.get("name", f"{name} {i}")), {k: x for k, x in v.items() if k != "name"})
            for i, v in enumerate(values, 1)
        ]
    if name not in SessionConfig.model_fields:
        raise InputError(f"The grid's {name!r} is no setting of a session: see docs/configuration.md.")
    return [(f"{name} {_label(value)}", {name: value}) for value in values]


def _label(value: Any) -> str:
    return "+".join(map(str, value)) if isinstance(value, list) else str(value)


def _slug(text: str) -> str:
    return re.sub(r"[^a-z0-9.+-]+", "-", text.lower()).strip("-")[:120] or "session"


def study_of(
    config: SessionConfig,
    *,
    ablations: bool = False,
    placebos: bool = False,
    repeats: int = 0,
    models: Sequence[str] = (),
) -> Field:
    """The field around one session.

    Args:
        config: the session's.
        ablations: the desk without each of its analysts, without auditor, without memory, and without a model.
        placebos: the same days with names, dates and levels masked, and with each placebo of the market.
        repeats: how many times more, each with another seed.
        models: the same session with these instead.

    Raises:
        InputError: the session is an ablation or a placebo itself.
    """
    if config.placebo or config.ablate:
        raise InputError("The session is a placebo or an ablation itself: start from the plain one.")
    members = [Member(name="base", role="base", about="the session itself", config=config)]
    if ablations:
        members += _ablations(config)
    if placebos:
        if not config.mask:
            members.append(
                _member(
                    "placebo", "masked", "names, dates and levels masked", config, mask=("names", "dates", "levels")
                )
            )
        members += [_member("placebo", name, about, config, placebo=name) for name, about in PLACEBOS.items()]
    members += [
        _member("repeat", f"seed-{seed}", f"seed {seed}", config, seed=seed)
        for seed in range(config.seed + 1, config.seed + 1 + repeats)
    ]
    members += [_member("variant", _slug(f"model-{model}"), f"model {model}", config, model=model) for model in models]
    return Field(title=f"{config.desk} with {config.model} on {config.market}", members=tuple(members))


def _ablations(config: SessionConfig) -> list[Member]:
    seated = [role.name for role in roster(config.desk, config.without, config.roles).analysts]
    found = []
    if len(seated) > 1:
        found = [
            _member(
                "ablation",
                f"without-{name}",
                f"without {name.replace('_', ' ')}",
                config,
                without=(*config.without, name),
            )
            for name in seated
        ]
    found.append(_member("ablation", "no-auditor", "without auditor", config, ablate=("auditor",)))
    found.append(_member("ablation", "no-memory", "without memory", config, ablate=("memory",)))
    if config.max_revisions:
        found.append(_member("ablation", "no-revisions", "without revisions", config, max_revisions=0))
    found.append(_member("ablation", "no-costs", "without costs", config, **_FREE))
    if config.model != "scorecard":
        found.append(
            _member(
                "ablation",
                "scorecard",
                "scorecard instead of the model",
                config,
                model="scorecard",
                training_cutoff=None,
            )
        )
    return found


_FREE: Mapping[str, Any] = {
    "commission_bps": 0.0,
    "commission_minimum": 0.0,
    "commission_per_share": 0.0,
    "slippage_bps": 0.0,
    "spread_bps": 0.0,
    "impact": 0.0,
}
"""What the same desk would earn where trading costs nothing: how much of its result is its costs."""


def _member(role: Role, name: str, about: str, config: SessionConfig, **changes: Any) -> Member:
    values = config.model_dump(mode="python") | changes
    return Member(name=name, role=role, about=about, config=SessionConfig.model_validate(values))
