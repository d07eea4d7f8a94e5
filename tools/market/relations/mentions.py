"""A sentence with the names of the market's companies replaced by signs, so that rules can be written about them."""

import re
from collections.abc import Mapping
from dataclasses import replace
from typing import NamedTuple

from ..names import Directory, names_of, short_name
from ..records import Company
from .rules import PART, THEM, US, rules

_LEGAL = (
    r"(?:Inc|Incorporated|Corp|Corporation|Company|Ltd|Limited|PLC|plc|LLC|L\.L\.C|LP|N\.V|S\.A|AG|SE|Holdings?|Group|Trust"
    r"|Partners|Capital|Bank|Bancorp|Insurance|Hospitality|REIT|Foundation|University|Institute|Ventures|Securities"
    r"|Airlines|Mining|Hospital|Records|School|River|Street|County)\b\.?"
)
_ANOTHER_AFTER = re.compile(rf"(?: [A-Z][\w&'-]*){{0,2}},? {_LEGAL}")
_ANOTHER_BEFORE = re.compile(
    r"\b(?!The\b|And\b|With\b|By\b|In\b|From\b|At\b|For\b|On\b|When\b|While\b|As\b)[A-Z][a-z]+ $"
)
_IN_OFFICE = re.compile(
    r",? (?:\d\d, )?(?:the |its |our )?(?:founder|chief|president|chair|head of|CEO|CFO|COO|CTO|Chief|President|Chair"
    r"|Senior|Executive|Vice)\b| (?:said|told)\b"
)
_SIGNS = re.compile("[\ue000-\ue002]")


class Named(NamedTuple):
    """A sentence with signs for names."""

    text: str
    others: tuple[str, ...]
    """Ticker of each sign for another company, in order."""


class Reader:
    """Finds the companies of a market in sentences, each by a name that is its alone.

    Args:
        companies: by ticker.
    """

    def __init__(self, companies: Mapping[str, Company]) -> None:
        names, parts = rules().names, rules().parts
        known = {
            ticker: replace(row, aliases=row.aliases + names.get(ticker, ()) + parts.get(ticker, ()))
            for ticker, row in companies.items()
        }
        self._directory = Directory(known)
        self._own = {
            ticker: frozenset(short_name(name).lower() for name in names_of(row)) for ticker, row in known.items()
        }
        self._people = frozenset(
            alias.lower() for row in companies.values() for alias in row.aliases if len(alias.split()) > 1
        )
        """Aliases that may be a person's name."""
        self._parts = {ticker: frozenset(name.lower() for name in found) for ticker, found in parts.items()}

    def named(self, sentence: str, ticker: str) -> Named:
        """The sentence with one sign for the publisher and another for every other company of the market.

        A name that several companies share, and a longer name in which a company's name is a part (Apple Hospitality
        REIT), stand as they are. Line breaks become spaces.
        """
        text = " ".join(_SIGNS.sub(" ", sentence).split())
        pieces, others, last = [], [], 0
        for place in self._directory.places(text):
            owner = next(iter(place.tickers), "")
            if len(place.tickers) != 1 or self._is_another(text, place.start, place.end, owner):
                continue
            part = text[place.start : place.end].lower() in self._parts.get(ticker, ())
            pieces += [text[last : place.start], (PART if part else US) if owner == ticker else THEM]
            last = place.end
            if owner != ticker:
                others.append(owner)
        return Named("".join([*pieces, text[last:]]), tuple(others))

    def _is_another(self, text: str, start: int, end: int, owner: str) -> bool:
        """Whether the name found is a person's, or part of a longer one, which is another company's."""
        if text[start:end].lower() in self._people and _IN_OFFICE.match(text, end):
            return True
        # `Apple Inc.` is Apple; `Apple Hospitality REIT, Inc.` and `Green Apple Inc.` are not
        after = _ANOTHER_AFTER.match(text, end)
        whole = text[start : after.end() if after else end]
        short = short_name(whole)
        if short.lower() not in self._own[owner]:
            return True
        return short != whole and _ANOTHER_BEFORE.search(text, max(0, start - 24), start) is not None
