"""The seats beside the analysts: debaters, who argue about the signals, and the risk officer, who reads the proposal.

Each is one prompt file, as an analyst is, whose front matter names the seat:

    +++
    title = "Bull"
    seat = "debater"
    side = "buy"                      # what it argues for
    +++

    +++
    title = "Risk officer"
    seat = "risk_officer"
    +++
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, TypeVar

from pydantic import Field

from ..tools.frozen import Frozen
from .roles import Prompt, front_matter, read_prompt, refuse_places, row_of

Side = Literal["buy", "sell"]
"""What a debater argues for."""


class DebaterRow(Frozen):
    """The front matter of a debater's file."""

    seat: Literal["debater"]
    title: str = Field(min_length=1)
    side: Side


class OfficerRow(Frozen):
    """The front matter of a risk officer's file."""

    seat: Literal["risk_officer"]
    title: str = Field(min_length=1)


@dataclass(frozen=True)
class Debater:
    """One side of the debate."""

    name: str
    title: str
    side: Side
    rounds: int
    """How often it speaks on each ticker, at most."""
    prompt: Prompt

    def content(self) -> list[object]:
        """All that decides what it says, its mind apart."""
        return [self.name, self.side, self.rounds, self.prompt.texts()]


@dataclass(frozen=True)
class RiskOfficer:
    """Who reads the proposal's risk."""

    name: str
    title: str
    prompt: Prompt

    def content(self) -> list[object]:
        """All that decides what it says, its mind apart."""
        return [self.name, self.prompt.texts()]


def read_debater(name: str, sources: Mapping[str, str], rounds: int) -> Debater:
    """The debater of a name; `sources` are the texts of role files, `rounds` how often it speaks.

    Raises:
        InputError: there is no such role, it sits elsewhere, or its file has a fault.
    """
    row, prompt = _read(name, sources, DebaterRow, frozenset({"name", "ticker", "claims", "evidence"}))
    return Debater(name, row.title, row.side, rounds, prompt)


def read_risk_officer(name: str, sources: Mapping[str, str]) -> RiskOfficer:
    """The risk officer of a name; `sources` are the texts of role files.

    Raises:
        InputError: there is no such role, it sits elsewhere, or its file has a fault.
    """
    row, prompt = _read(name, sources, OfficerRow, frozenset({"evidence"}))
    return RiskOfficer(name, row.title, prompt)


R = TypeVar("R", bound=Frozen)


def _read(name: str, sources: Mapping[str, str], row: type[R], places: frozenset[str]) -> tuple[R, Prompt]:
    text, table = front_matter(name, sources)
    read = row_of(name, row, table)
    prompt = read_prompt(name, text)
    refuse_places(name, prompt, places)
    return read, prompt
