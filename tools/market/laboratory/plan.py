"""What can be asked of the laboratory: how many companies and years, and which edges are planted how strongly."""

from dataclasses import dataclass
from typing import Annotated, Literal

from pydantic import Field

from ...frozen import Frozen

EdgeName = Literal["post_earnings_drift", "momentum", "tone_drift", "value"]
"""What can be planted."""


@dataclass(frozen=True)
class Edge:
    """One thing that foretells returns, at strength 1."""

    size: float
    """Log return over `horizon_sessions` per unit of `cause`, beyond what market and sector explain."""
    horizon_sessions: int
    cause: str
    """What it is proportional to: standard normal, or clipped to two of its units."""


EDGES: dict[EdgeName, Edge] = {
    "post_earnings_drift": Edge(
        0.006,
        40,
        "surprise of the quarter in standard deviations, over the sessions after the one that reacts to the release",
    ),
    "momentum": Edge(
        0.004,
        21,
        "return of the 12 months without the last one, beyond market and sector, over its usual size; within +-2",
    ),
    "tone_drift": Edge(
        0.008,
        40,
        "tone of the release's outlook, in five steps of unit variance, over the sessions after the one that reacts",
    ),
    "value": Edge(
        0.004,
        21,
        "(12-month net income as filed over market value - 6.5 %) / 3 %; within +-2",
    ),
}
"""At strength 1; a plan multiplies `size`."""

Share = Annotated[float, Field(ge=0.0, le=1.0)]


class LaboratoryPlan(Frozen):
    """What to make; equal plans make equal markets.

    More companies leave the ones before as they are, and so does every switch that does not concern them: each
    purpose of each company has a stream of random numbers of its own.
    """

    name: str = Field(default="laboratory", min_length=1)
    companies: int = Field(default=100, ge=2, le=500)
    sectors: int = Field(default=10, ge=1, le=11)
    """Companies are dealt to them in turn."""
    first_year: int = Field(default=2014, ge=1980, le=2100)
    """The market opens with its first session."""
    years: int = Field(default=10, ge=2, le=30)
    seed: int = Field(default=7, ge=0)
    edges: dict[EdgeName, Annotated[float, Field(ge=0.0, le=10.0)]] = Field(default_factory=dict)
    """Strength by name; 1 is the size in `EDGES`; absent or 0: not planted."""
    hostile: Share = 0.0
    """Share of the texts that carry a sentence which addresses the reader as an instruction."""
    links: Share = 0.0
    """Share of the earnings releases that name another company as supplier, customer, partner or competitor."""
    distractors: float = Field(default=6.0, ge=0.0, le=24.0)
    """Releases without content, per company and year."""
    near_duplicates: Share = 0.02
    """Share of the earnings releases that are sent again, corrected in a detail, within days."""
    late_copies: Share = 0.03
    """Share of the earnings releases that another source carries days later."""
    restatements: Share = 0.01
    """Share of the quarters whose revenue is restated by an amended filing."""
    late_listings: Share = 0.1
    """Share of the companies that are listed after the market opens."""
    delistings: Share = 0.01
    """Chance of a company to leave the exchange in a year."""

    def strength(self, edge: EdgeName) -> float:
        """How strongly an edge is planted; 0: not at all."""
        return self.edges.get(edge, 0.0)
