"""The laboratory: markets of any size whose truth is known, to test whether a desk finds what is there, and only that.

`make` draws N invented companies from a seed: their returns (`factors`), their business (`business`), their filings
(`filings`) and their releases (`releases`), on the real sessions of XNYS; the dates are a calendar only. Without an
edge nothing in prices, filings or texts foretells a return beyond what market and sector bring to everybody. Four edges
can be planted, alone or together (`plan.EDGES`), and `Truth` says what they let one expect of every session.

The built-in market `generated` is another one: small, fixed, and as it is.
"""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from ..dataset import fingerprinted
from ..draft import new_folder
from ..records import Company, Dataset
from .filings import write_filings
from .names import INDEX_TICKER, Identity
from .plan import EDGES, Edge, EdgeName, LaboratoryPlan
from .quotes import draw_bars
from .releases import write_texts
from .truth import Truth, truth_of, write_truth
from .world import World, build_world

__all__ = [
    "EDGES",
    "INDEX_TICKER",
    "Edge",
    "EdgeName",
    "Laboratory",
    "LaboratoryPlan",
    "Truth",
    "World",
    "build_world",
    "make",
    "render",
    "write_laboratory",
]


@dataclass(frozen=True)
class Laboratory:
    """A market and its truth."""

    dataset: Dataset
    truth: Truth


def make(plan: LaboratoryPlan, progress: Callable[[str], None] | None = None) -> Laboratory:
    """Make a market.

    Args:
        plan: what to make; equal plans make equal markets.
        progress: told what is being done.

    Raises:
        InputError: the exchange calendar does not cover the plan's years.
    """
    tell = progress or (lambda step: None)
    tell(f"business and prices of {plan.companies} companies over {plan.years} years")
    return render(build_world(plan), progress)


def render(world: World, progress: Callable[[str], None] | None = None) -> Laboratory:
    """Write down what happened in a world: bars, filings and texts, and the truth about them."""
    tell = progress or (lambda step: None)
    plan = world.plan
    texts = write_texts(world, progress)
    tell("filings")
    facts = write_filings(world)
    tell("bars")
    bars = draw_bars(world)
    companies = sorted(world.cast.identities, key=lambda identity: identity.ticker)
    sessions = world.table.sessions
    dataset = Dataset(
        name=plan.name,
        note=_note(plan),
        generated=True,
        calendar="XNYS",
        bars=bars,
        companies={one.ticker: _company(one) for one in companies},
        facts=facts,
        documents=texts.documents,
        benchmark=INDEX_TICKER,
        window=(sessions[min(252, len(sessions) // 2)], sessions[-1]),
    )
    tell("fingerprint")
    return Laboratory(fingerprinted(dataset), truth_of(world, texts))


def write_laboratory(laboratory: Laboratory, folder: Path) -> None:
    """Write a market and its truth into a new folder: the market's tables, and the three files of the truth.

    The folder appears in one step, with everything in it.

    Raises:
        InputError: the folder exists and is not empty, or cannot be written.
    """
    from ..write import write_dataset

    with new_folder(folder) as draft:
        write_dataset(laboratory.dataset, draft)
        write_truth(laboratory.truth, draft)


def _company(identity: Identity) -> Company:
    # the first word of its name and its chief give a company away in its texts
    aliases = (identity.name.split()[0], identity.chief)
    return Company(identity.ticker, identity.name, identity.industry, identity.sector, aliases)


def _note(plan: LaboratoryPlan) -> str:
    planted = ", ".join(f"{name} {plan.strength(name):g}" for name in EDGES if plan.strength(name) > 0)
    return (
        f"Laboratory market: {plan.companies} invented companies and an index fund, {plan.first_year} to"
        f" {plan.first_year + plan.years - 1} by the calendar only, seed {plan.seed}; edges: {planted or 'none'}."
    )
