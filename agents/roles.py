"""Who sits on the desk: one prompt file per role, whose front matter is the role's row in the table.

    +++
    title = "Value investor"          # for people
    like = "fundamental_analyst"      # takes over what this file does not say, parts of the prompt included
    plan = ["filing_ratios"]          # tools that run for every ticker whatever the model says
    shows = ["earnings_yield"]        # measures that its mind sees and may cite, in this order
    needs = "ratio"                   # kind of evidence without which it abstains; "" for none
    horizon_days = 126                # exchange sessions over which its views are meant
    may = ["price_indicators"]        # tools that its mind may call beyond the plan
    extra_calls = 1                   # how often, per ticker
    +++
    === system
    ...

There is one analyst node for all of them. A file whose front matter names another seat (`seat = "debater"`) is read by
`seats`. The auditor and the portfolio manager have prompt files without front matter: each has a mind that scores a
question of its own. More roles come from a folder of the user's or from the entry points `paperdesk.roles`; `rosters`
says which of them sit together.
"""

import re
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cache, cached_property
from importlib.resources import files
from string import Template
from typing import Any, Literal, Protocol, TypeVar, get_args

from pydantic import Field, ValidationError

from ..memory.lessons import RECALL
from ..tools.errors import InputError
from ..tools.evidence import Evidence, EvidenceKind
from ..tools.frozen import Frozen, content_hash
from ..tools.measures import MEASURES
from ..tools.regime import Drift, Regime, RegimeName
from ..tools.toolbox import EVIDENCE_TOOLS

AUDITOR, PORTFOLIO_MANAGER = "auditor", "portfolio_manager"
"""The seats that every desk has."""

FURTHER_EVIDENCE = "further_evidence"
"""The prompt by which analysts ask for more than their plan gathers."""

MOST_CALLS = 5
"""Tool calls beyond the plan that a role can ask for, per ticker and decision."""

FENCE = "+++"
"""What front matter stands between."""


@dataclass(frozen=True)
class Prompt:
    """A role's prompt: three templates with `$name` places."""

    system: Template
    prefix: Template
    """What all tickers share."""
    question: Template
    """What is asked about one ticker; the model answers right after its end."""
    guidance: Mapping[str, str] = field(default_factory=dict)
    """By state of the market (`turbulent`, or closer `turbulent falling`): what is put in place of the prefix's
    `$regime_guidance`."""

    def prefix_in(self, regime: str, market: Regime | None) -> str:
        """The prefix in a state of the market; without a section for that state, nothing is inserted.

        Args:
            regime: the state in words, in place of `$regime`.
            market: the state; None where it is unknown.
        """
        words = ""
        if market is not None:
            words = self.guidance.get(f"{market.name} {market.drift}") or self.guidance.get(market.name, "")
        return self.prefix.substitute(regime=regime, regime_guidance=f" {words}" if words else "")

    def ask(self, **places: str) -> str:
        """The question with its places filled in; `Template.substitute` takes five times as long.

        Raises:
            KeyError: a place is missing.
        """
        return self._form % places

    @cached_property
    def _form(self) -> str:
        """The question as Python's `%` fills it in."""

        def place(match: re.Match[str]) -> str:
            name = match["named"] or match["braced"]
            return f"%({name})s" if name else "$"

        return self.question.pattern.sub(place, self.question.template.replace("%", "%%"))

    def texts(self) -> list[object]:
        """All that a mind can come to read of it."""
        return [self.system.template, self.prefix.template, self.question.template, dict(self.guidance)]


class Seated(Protocol):
    """Whoever has a seat and a prompt file of its own."""

    @property
    def name(self) -> str:
        """Of the role, which is the name of its file."""
        ...

    @property
    def prompt(self) -> Prompt:
        """Of that file."""
        ...

    def content(self) -> list[object]:
        """All that decides what it says, its mind apart."""
        ...


class Row(Frozen):
    """The front matter of an analyst's file."""

    seat: Literal["analyst"] = "analyst"
    title: str = Field(min_length=1)
    like: str = ""
    plan: tuple[str, ...] = Field(min_length=1)
    shows: tuple[str, ...] = Field(min_length=1)
    needs: EvidenceKind | str = ""
    horizon_days: int = Field(default=21, ge=1, le=252)
    may: tuple[str, ...] = ()
    extra_calls: int = Field(default=0, ge=0, le=MOST_CALLS)


@dataclass(frozen=True)
class Role:
    """One analyst's seat."""

    name: str
    title: str
    plan: tuple[str, ...]
    """Tools whose evidence the role always gets, in this order (names in `tools.toolbox`)."""
    shows: tuple[str, ...]
    """Measures that its mind gets to see, in this order, which are also the only ones that it can cite; the rest of the
    plan's evidence stays on record. A small mind keeps few figures apart, and every line costs time."""
    needs: str
    """Evidence kind without which the role abstains, empty for none."""
    horizon_days: int
    """Exchange sessions over which its views are meant."""
    prompt: Prompt
    may: tuple[str, ...] = ()
    """Tools that its mind may call beyond the plan."""
    extra_calls: int = 0
    """How often, per ticker and decision, at most."""

    def sees(self, found: Iterable[Evidence]) -> tuple[Evidence, ...]:
        """What its mind gets to see of the evidence that its plan has brought, in the order of `shows`."""
        order = {measure: place for place, measure in enumerate(self.shows)}
        return tuple(sorted((e for e in found if e.measure in order), key=lambda e: order[e.measure]))

    def content(self) -> list[object]:
        """All that decides what it says, its mind apart."""
        said = [self.name, list(self.plan), list(self.shows), self.needs, self.horizon_days, self.prompt.texts()]
        if not self.may or not self.extra_calls:
            return said
        return [*said, list(self.may), self.extra_calls, prompt_of(FURTHER_EVIDENCE).texts()]


R = TypeVar("R", bound=Frozen)

_INHERITED = ("plan", "shows", "needs", "horizon_days", "may", "extra_calls")
"""Keys of a row that `like` takes over."""

_STATES = {*get_args(RegimeName), *(f"{name} {drift}" for name in get_args(RegimeName) for drift in get_args(Drift))}
_PARTS = ("system", "prefix", "question")
_PLACES = frozenset({"name", "ticker", "evidence", "objections"})
"""What may stand in an analyst's question."""


def built_in(name: str) -> str:
    """The text of a prompt file that comes with PaperDesk."""
    return files(__package__).joinpath("prompts", f"{name}.md").read_text(encoding="utf-8")


@cache
def prompt_of(name: str) -> Prompt:
    """A prompt that comes with PaperDesk, from `prompts/<name>.md`."""
    return read_prompt(name, built_in(name))


def read_prompt(role: str, text: str, base: Prompt | None = None) -> Prompt:
    """The prompt that a prompt file's text says.

    The file holds three parts, each under a line `=== system`, `=== prefix`, `=== question`, and may hold guidance for
    states of the market, under lines such as `=== regime turbulent` or `=== regime calm rising`.

    Args:
        role: its name, for messages.
        text: of the file; front matter is passed over.
        base: what stands in for the parts that are missing.

    Raises:
        InputError: the file has a part of another name, or lacks one of the three.
    """
    parts: dict[str, list[str]] = {}
    current: list[str] = []
    for line in split_front_matter(role, text)[1].splitlines():
        if line.startswith("=== "):
            parts[line[4:].strip()] = current = []
        else:
            current.append(line)
    whole = {name: "\n".join(lines).strip() for name, lines in parts.items()}
    guidance = {name[7:]: whole.pop(name) for name in parts if name.startswith("regime ")}
    lacking = [] if base else [name for name in _PARTS if name not in whole]
    if lacking or not set(whole) <= set(_PARTS) or not _STATES.issuperset(guidance):
        raise InputError(
            f"the prompt of {role} has the parts {', '.join(parts)}; give it {', '.join(_PARTS)}, and for states of "
            "the market only parts such as 'regime turbulent' or 'regime calm rising'"
        )
    templates = {name: Template(whole[name]) if name in whole else getattr(base, name) for name in _PARTS}
    return Prompt(**templates, guidance=guidance or (base.guidance if base else {}))


def split_front_matter(role: str, text: str) -> tuple[str, str]:
    """The front matter of a file, and the rest; without a fence the first is empty.

    Raises:
        InputError: a fence is opened and never closed.
    """
    if not text.startswith(f"{FENCE}\n"):
        return "", text
    head, fence, body = text[len(FENCE) + 1 :].partition(f"\n{FENCE}\n")
    if not fence:
        raise InputError(f"the front matter of {role} is not closed; put a line {FENCE} after it")
    return head, body


def read_role(name: str, sources: Mapping[str, str], _below: tuple[str, ...] = ()) -> Role:
    """The role of a name.

    Args:
        name: of the role, which is the name of its file.
        sources: texts of role files by name; those that come with PaperDesk need not be in it.

    Raises:
        InputError: there is no such role, its front matter or its prompt has a fault, or it is like itself.
    """
    if name in _below:
        raise InputError(f"the role {name} is like itself ({' like '.join((*_below, name))}); take one `like` out")
    text, table = front_matter(name, sources)
    base = read_role(str(table["like"]), sources, (*_below, name)) if table.get("like") else None
    taken = {key: getattr(base, key) for key in _INHERITED} if base else {}
    if table.get("seat", "analyst") != "analyst":
        raise InputError(f"the role {name} is a {table['seat']}; name it there in the desk, not among the analysts")
    row = row_of(name, Row, taken | table)
    _refuse_unknown(name, "plan", row.plan, (*EVIDENCE_TOOLS, RECALL))
    _refuse_unknown(name, "may", row.may, EVIDENCE_TOOLS)
    _refuse_unknown(name, "shows", row.shows, tuple(MEASURES))
    _refuse_unknown(name, "needs", (row.needs,), ("", *get_args(EvidenceKind)))
    prompt = read_prompt(name, text, base.prompt if base else None)
    refuse_places(name, prompt, _PLACES)
    seat = (name, row.title, row.plan, row.shows, row.needs, row.horizon_days, prompt)
    return Role(*seat, row.may, row.extra_calls)


def front_matter(name: str, sources: Mapping[str, str]) -> tuple[str, dict[str, Any]]:
    """The text of a role's file, and its front matter.

    Raises:
        InputError: there is no such role, or its front matter is no TOML.
    """
    text = _source(name, sources)
    try:
        return text, tomllib.loads(split_front_matter(name, text)[0])
    except tomllib.TOMLDecodeError as error:
        raise InputError(f"the front matter of {name} is not valid TOML ({error}); correct that place") from error


def row_of(name: str, row: type[R], table: Mapping[str, Any]) -> R:
    """The front matter of a role as a row of its kind of seat.

    Raises:
        InputError: a key is missing, unknown, or has a value that is refused.
    """
    try:
        return row.model_validate(table)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(map(str, first["loc"]))
        raise InputError(f"'{where}' in the front matter of {name} is refused: {first['msg'].lower()}") from error


def refuse_places(name: str, prompt: Prompt, question: frozenset[str]) -> None:
    """Raise for a place that nothing is put into; `question` names those of the question."""
    places = {"system": frozenset[str](), "prefix": frozenset({"regime", "regime_guidance"}), "question": question}
    for part, known in places.items():
        template: Template = getattr(prompt, part)
        strange = sorted(set(template.get_identifiers()) - known) if template.is_valid() else ["$"]
        if strange:
            usable = f"only {', '.join(f'${place}' for place in sorted(known))}" if known else "no $ at all"
            raise InputError(f"the {part} of {name} has the place ${strange[0].lstrip('$')}; use {usable}")


def _source(name: str, sources: Mapping[str, str]) -> str:
    if name in sources:
        return sources[name]
    known = sorted({*sources, *built_in_roles()})
    if name not in known:
        raise InputError(f"there is no role {name!r}; choose from {', '.join(known)}")
    return built_in(name)


def _refuse_unknown(name: str, key: str, given: Iterable[str], known: tuple[str, ...]) -> None:
    for item in given:
        if item not in known:
            raise InputError(f"'{key}' of the role {name} names {item!r}; choose from {', '.join(filter(None, known))}")


@cache
def built_in_roles() -> tuple[str, ...]:
    """The names of the roles that come with PaperDesk."""
    folder = files(__package__).joinpath("prompts")
    texts = {item.name.removesuffix(".md"): item.read_text(encoding="utf-8") for item in folder.iterdir()}
    return tuple(sorted(name for name, text in texts.items() if text.startswith(FENCE)))


@cache
def title_of(agent: str) -> str:
    """What a person calls a seat, whether its role is at hand or not."""
    if agent in built_in_roles():
        return str(front_matter(agent, {})[1]["title"])
    return agent.replace("_", " ").capitalize()


def prompts_hash(seated: Iterable[Seated]) -> str:
    """Hash of all roles and prompts in use; part of what determines a session."""
    others = [prompt_of(name).texts() for name in (AUDITOR, PORTFOLIO_MANAGER)]
    return content_hash([[role.content() for role in seated], others])
