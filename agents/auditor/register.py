"""What the auditor knows beside the evidence: who the companies are, and which splits there have been."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date

from ...tools.market.names import Directory


@dataclass(frozen=True)
class Split:
    """A split as known at the decision."""

    day: date
    """First session in the new shares."""
    ratio: float
    """New shares per old one."""


@dataclass(frozen=True)
class Register:
    """Companies and splits of a market; empty where an auditor has no market."""

    directory: Directory = field(default_factory=lambda: Directory({}))
    splits: Mapping[str, tuple[Split, ...]] = field(default_factory=dict)
    """By ticker; only those of which the first session in the new shares has come."""

    def ratio_since(self, ticker: str, day: date) -> float:
        """New shares per share of `day`."""
        ratio = 1.0
        for split in self.splits.get(ticker, ()):
            if split.day > day:
                ratio *= split.ratio
        return ratio
