"""Who sits on the desk: one row per role, one prompt file per row, with words of its own for each state of the market.

An analyst is a row with an evidence plan: the tools that run for every ticker whatever the model says. The auditor and
the portfolio manager are rows as well: each has a mind that scores a question of its own.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cache
from importlib.resources import files
from string import Template
from typing import get_args

from ..tools.errors import InputError
from ..tools.evidence import Evidence
from ..tools.frozen import content_hash
from ..tools.regime import Drift, Regime, RegimeName


@dataclass(frozen=True)
class Role:
    """One seat."""

    name: str
    title: str
    plan: tuple[str, ...] = ()
    """Tools whose evidence the role always gets, in this order (names in `tools.toolbox`)."""
    shows: tuple[str, ...] = ()
    """Measures that its mind gets to see, in this order, which are also the only ones that it can cite; the rest of the
    plan's evidence stays on record. A small mind keeps few figures apart, and every line costs time."""
    needs: str = ""
    """Evidence kind without which the role abstains, empty for none."""
    horizon_days: int = 21
    """Exchange sessions over which its views are meant."""

    def sees(self, found: Iterable[Evidence]) -> tuple[Evidence, ...]:
        """What its mind gets to see of the evidence that its plan has brought, in the order of `shows`."""
        order = {measure: place for place, measure in enumerate(self.shows)}
        return tuple(sorted((e for e in found if e.measure in order), key=lambda e: order[e.measure]))


FUNDAMENTAL_ANALYST = Role(
    name="fundamental_analyst",
    title="Fundamental analyst",
    plan=("filing_ratios", "release_tone", "document_search"),
    shows=(
        "revenue_growth_yoy",
        "earnings_growth_yoy",
        "margin_change_yoy",
        "liabilities_to_assets",
        "earnings_yield",
        "tone",
        "passage",
    ),
    needs="ratio",
    horizon_days=63,
)
TECHNICAL_ANALYST = Role(
    name="technical_analyst",
    title="Technical analyst",
    plan=("price_indicators",),
    shows=(
        "return_1m",
        "momentum_3m",
        "momentum_12_1",
        "distance_sma_200",
        "rsi_14",
    ),
    needs="indicator",
)
AUDITOR = Role(name="auditor", title="Auditor")
PORTFOLIO_MANAGER = Role(name="portfolio_manager", title="Portfolio manager")

ANALYSTS: tuple[Role, ...] = (FUNDAMENTAL_ANALYST, TECHNICAL_ANALYST)
ROLES: dict[str, Role] = {role.name: role for role in (*ANALYSTS, AUDITOR, PORTFOLIO_MANAGER)}


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


_STATES = {*get_args(RegimeName), *(f"{name} {drift}" for name in get_args(RegimeName) for drift in get_args(Drift))}


@cache
def prompt_of(role: str) -> Prompt:
    """The prompt of a role, read from `prompts/<role>.md`.

    The file holds three parts, each under a line `=== system`, `=== prefix`, `=== question`, and may hold guidance for
    states of the market, under lines such as `=== regime turbulent` or `=== regime calm rising`.

    Raises:
        InputError: the file has a part of another name, or lacks one of the three.
    """
    return read_prompt(role, files(__package__).joinpath("prompts", f"{role}.md").read_text(encoding="utf-8"))


def read_prompt(role: str, text: str) -> Prompt:
    """The prompt that a prompt file's text says; see `prompt_of`."""
    parts: dict[str, list[str]] = {}
    for line in text.splitlines():
        if line.startswith("=== "):
            parts[line[4:].strip()] = current = []
        else:
            current.append(line)
    whole = {name: "\n".join(lines).strip() for name, lines in parts.items()}
    guidance = {name[7:]: whole.pop(name) for name in parts if name.startswith("regime ")}
    names = ("system", "prefix", "question")
    if set(whole) != set(names) or not _STATES.issuperset(guidance):
        raise InputError(
            f"the prompt of {role} has the parts {', '.join(parts)}; give it {', '.join(names)}, and for states of the "
            "market only parts such as 'regime turbulent' or 'regime calm rising'"
        )
    return Prompt(**{name: Template(whole[name]) for name in names}, guidance=guidance)


def prompts_hash() -> str:
    """Hash of all prompts in use; part of what determines a session."""
    return content_hash(
        {
            name: [p.template for p in (prompt.system, prompt.prefix, prompt.question)] + [dict(prompt.guidance)]
            for name in ROLES
            for prompt in [prompt_of(name)]
        }
    )
