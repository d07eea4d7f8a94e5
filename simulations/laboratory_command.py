"""`paperdesk markets make`: a laboratory market in a folder, with its truth beside it."""

from collections.abc import Sequence
from pathlib import Path
from typing import get_args

from pydantic import ValidationError

from ..tools.errors import InputError
from ..tools.market.laboratory import EDGES, EdgeName, LaboratoryPlan, make, write_laboratory
from .console import console

SHORT_NAMES: dict[str, EdgeName] = {"drift": "post_earnings_drift", "tone": "tone_drift"}
"""What may be typed instead of an edge's name."""


def make_market(
    out: Path,
    *,
    companies: int = 100,
    years: int = 10,
    first_year: int = 2014,
    seed: int = 7,
    edges: Sequence[str] = (),
    hostile: float = 0.0,
    name: str = "laboratory",
    quiet: bool = False,
) -> dict[str, object]:
    """Make a laboratory market and write it to a folder; progress goes to standard error.

    Args:
        out: the new folder.
        companies: how many.
        years: how many, from `first_year`.
        first_year: the market opens with its first session.
        seed: draws everything.
        edges: `name=strength` each, or a name alone for strength 1: `post_earnings_drift` (or `drift`), `momentum`,
            `tone_drift` (or `tone`), `value`.
        hostile: share of the texts that carry an instruction, 0 to 1.
        name: of the market.
        quiet: say nothing on the way.

    Returns:
        What was made, for `--json`: folder, name, fingerprint, and counts.

    Raises:
        InputError: an option cannot be, or the folder exists.
    """
    plan = _plan(
        name=name,
        companies=companies,
        years=years,
        first_year=first_year,
        seed=seed,
        edges=parse_edges(edges),
        hostile=hostile,
    )
    if out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise InputError(f"{out} exists already; name a new folder, or remove it first")
    with console(quiet=quiet) as screen:
        laboratory = make(plan, None if quiet else screen.say)
        if not quiet:
            screen.say(f"writing {out}")
        write_laboratory(laboratory, out)
    dataset = laboratory.dataset
    return {
        "folder": str(out),
        "name": dataset.name,
        "fingerprint": dataset.fingerprint,
        "companies": len(dataset.companies),
        "sessions": len(dataset.bars.sessions),
        "facts": len(dataset.facts),
        "documents": len(dataset.documents),
        "hostile": len(laboratory.truth.hostile),
        "edges": {edge: plan.strength(edge) for edge in EDGES},
    }


def parse_edges(texts: Sequence[str]) -> dict[EdgeName, float]:
    """Edges as typed, `momentum=0.5` or `momentum`.

    Raises:
        InputError: an unknown edge, one named twice, or a strength that is no number.
    """
    known: dict[str, EdgeName] = {name: name for name in get_args(EdgeName)} | SHORT_NAMES
    edges: dict[EdgeName, float] = {}
    for text in texts:
        typed, sign, strength = text.partition("=")
        if typed not in known:
            raise InputError(f"there is no edge {typed!r}; name one of {', '.join(EDGES)}")
        edge = known[typed]
        if edge in edges:
            raise InputError(f"the edge {edge} is named twice; keep one")
        try:
            edges[edge] = float(strength) if sign else 1.0
        except ValueError:
            raise InputError(
                f"the strength of {edge} is {strength!r}, which is no number; give one such as 1.0"
            ) from None
    return edges


def _plan(**values: object) -> LaboratoryPlan:
    try:
        return LaboratoryPlan.model_validate(values)
    except ValidationError as error:
        first = error.errors()[0]
        option = ".".join(str(part) for part in first["loc"])
        problem = first["msg"][0].lower() + first["msg"][1:]
        raise InputError(f"{option} is {first['input']!r}, but {problem}; choose another value") from None
