"""What the auditor has in front of it for one round of signals."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from ...tools.evidence import Evidence
from ...tools.market.documents.screening import SetAside
from ..evidence_text import alias_of
from ..signals import Signal
from .register import Register

Seat = tuple[str, str]
"""(agent, ticker)."""


@dataclass(frozen=True)
class Case:
    """Evidence by id, and what each analyst was given of it."""

    evidence: Mapping[str, Evidence]
    """Everything that was gathered for this decision."""
    shown: Mapping[Seat, tuple[Evidence, ...]] = field(default_factory=dict)
    """What each analyst was given, in the order of its aliases; a seat that is not in here is not checked for that."""
    set_aside: Mapping[Seat, tuple[SetAside, ...]] = field(default_factory=dict)
    """What was taken out of the documents that an analyst was given."""
    register: Register = field(default_factory=Register)

    def aliases(self, signal: Signal) -> dict[str, Evidence]:
        """The evidence that a text of this signal may name, by alias."""
        given = self.shown.get((signal.agent, signal.ticker), ())
        named = {alias_of(i): evidence for i, evidence in enumerate(given)}
        for claim in (*signal.claims, *signal.against):
            if claim.evidence in self.evidence:
                named[claim.alias] = self.evidence[claim.evidence]
        return named

    def given(self, signal: Signal) -> frozenset[str] | None:
        """Ids of what the signal's analyst was given; None where that is not known."""
        items = self.shown.get((signal.agent, signal.ticker))
        return None if items is None else frozenset([item.id for item in items])
