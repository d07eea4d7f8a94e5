"""Company names in a text: those of the market's own list, and whatever is written like a company's name."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

from .records import Company

_SUFFIX = re.compile(
    r"[,\s]+(?:inc|incorporated|corp|corporation|co|company|companies|ltd|limited|plc|llc|lp|n\.?v|s\.?a|ag|se|holdings?|group"
    r"|& co|com inc|\.com|the|class [abc]|trust|industries|systems|technologies|platforms|international)\.?$",
    re.I,
)
_LEGAL = re.compile(
    r"\b((?:[A-Z][\w&'.-]*\s+){1,4})(?:Inc|Corp|Corporation|Ltd|Limited|PLC|plc|LLC|N\.V|S\.A|AG|SE|Holdings)\b\.?"
)
_SYMBOL = re.compile(r"\$([A-Z]{1,5})\b|\b(?:NASDAQ|NYSE|Nasdaq)\s?:\s?([A-Z.]{1,6})\b|\(([A-Z]{2,5})\)")
_ORDINARY = frozenset(
    """
    A I IT ALL ON SO AN AT BE BY GO ARE FOR HAS CAN OR US USA AI CEO CFO EPS RSI MACD GAAP FY TTM LTM YOY QOQ ETF SEC
    """.split()  # noqa: SIM905
)
"""Capitals that are no ticker by themselves."""
_CAPITAL = re.compile(r"(?<![\w.])[A-Z0-9]\w*")
_RUN = re.compile(r"\w+")
_SHORTEST = 4
"""Letters of a name's first word that stands for the company by itself."""


@dataclass(frozen=True)
class Named:
    """A company that a text names."""

    text: str
    ticker: str
    """Of the market's list; empty for a company that is not on it."""


class Place(NamedTuple):
    """Where a text names a company of the list."""

    start: int
    end: int
    tickers: frozenset[str]
    """More than one where several companies share the name."""


@dataclass(frozen=True)
class Directory:
    """The companies of a market, to be found in texts."""

    companies: Mapping[str, Company]

    @cached_property
    def _owners(self) -> dict[str, frozenset[str]]:
        """Tickers by a name in small letters; a name shared by several belongs to all of them."""
        owners: dict[str, set[str]] = {}
        for ticker, company in self.companies.items():
            for name in (*names_of(company), ticker):
                owners.setdefault(name.lower(), set()).add(ticker)
        return {name: frozenset(tickers) for name, tickers in owners.items()}

    @cached_property
    def _patterns(self) -> dict[str, re.Pattern[str]]:
        """What to look for at a word, by the word in small letters; the longest name first, names before tickers."""
        names = {name for company in self.companies.values() for name in names_of(company)}
        parts = [  # `Apple`, `APPLE`, not `apple`
            (name, rf"(?=[A-Z])(?i:{re.escape(name)})") for name in sorted(names, key=lambda name: (-len(name), name))
        ]
        tickers = sorted(t for t in self.companies if len(t) > 1 and t not in _ORDINARY)
        parts += [(ticker, re.escape(ticker)) for ticker in tickers]
        by_word: dict[str, list[str]] = {}
        for name, pattern in parts:
            word = _RUN.match(name)
            if word is not None:
                by_word.setdefault(word[0].lower(), []).append(pattern)
        return {word: re.compile(rf"(?:{'|'.join(some)})(?!\w)") for word, some in by_word.items()}

    def places(self, text: str) -> Iterator[Place]:
        """Where a text names companies of the list, by name, short name, alias or ticker, in order."""
        last = 0
        for word in _CAPITAL.finditer(text):
            pattern = self._patterns.get(word[0].lower()) if word.start() >= last else None
            match = pattern.match(text, word.start()) if pattern is not None else None
            if match is not None:
                last = match.end()
                yield Place(match.start(), last, self._owners.get(match[0].lower(), frozenset()))

    def named_in(self, text: str) -> tuple[Named, ...]:
        """The companies that a text names: those of the list by name, short name or ticker, others by their form."""
        found: dict[str, Named] = {}
        known = ""
        for place in self.places(text):
            name = text[place.start : place.end]
            known += f" {name.lower()}"
            for ticker in place.tickers:
                found[ticker] = Named(name, ticker)
        for match in _LEGAL.finditer(text):
            name = match.group(1).strip()
            if not any(word.lower().strip(".,") in known for word in name.split()):
                found.setdefault(match.group(0), Named(match.group(0), ""))
        for match in _SYMBOL.finditer(text):
            symbol = next(group for group in match.groups() if group)
            if symbol in self.companies or symbol in _ORDINARY:
                continue
            found.setdefault(symbol, Named(symbol, ""))
        return tuple(found.values())


def names_of(company: Company) -> tuple[str, ...]:
    """What a company is called in texts: its name, the name without its form, the first word if it is telling."""
    whole = company.name.strip()
    short = short_name(whole)
    first = short.split()[0] if short.split() else ""
    names = [whole, short, *company.aliases]
    if len(first) >= _SHORTEST and first.lower() not in _COMMON:
        names.append(first)
    return tuple(dict.fromkeys(name for name in names if len(name) >= 2))


def short_name(name: str) -> str:
    """A company's name without its legal form and what else such names end with."""
    short = name.strip()
    while (cut := _SUFFIX.sub("", short).strip(" ,&")) != short and cut:
        short = cut
    return short


_COMMON = frozenset(
    """
    first american general united national international advanced applied global bank best home great north south east
    west new universal standard public royal central southern northern western eastern pacific atlantic digital data
    energy health capital financial insurance water electric power texas california york simply delta target gap ross
    dollar dominion progressive travelers waters ball match block square snap zoom unity
    """.split()  # noqa: SIM905
)
"""First words that are no name by themselves."""
