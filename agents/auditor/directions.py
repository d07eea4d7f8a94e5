"""Words that say which way something went, and which number of a text they go with."""

import re
from dataclasses import dataclass

_UP = (
    r"rose|rises?|risen|rising|grew|grows?|grown|growing|increas\w+|up|higher|gain(?:s|ed|ing)?|climb\w*|advanc(?:ed|es|ing)"
    r"|expand\w*|improv\w+|widen\w*|jump\w*|surg\w+|soar\w*|above|exceed\w*|add(?:s|ed)|accelerat\w+|rall(?:y|ied)|positive"
    r"|ahead of|more than doubled|doubled|tripled"
)
_DOWN = (
    r"fell|falls?|fallen|falling|declin\w+|decreas\w+|down|lower|drop(?:s|ped|ping)?|lost|loses?|losing|loss|losses|shr[aiu]nk\w*"
    r"|contract(?:ed|ing|s)|narrow\w*|slid|slides?|slipp?(?:ed|s|ing)?|weaken\w*|below|negative|deteriorat\w+|reduc\w+|plung\w+"
    r"|tumbl\w+|sank|sinks?|sunk|short of|under|minus|shed|halved"
)
_VERBS = re.compile(
    r"^(?:rose|ris|grew|grow|increas|gain|climb|advanc|expand|improv|widen|jump|surg|soar|add|accelerat|rall|fell|fall|declin"
    r"|decreas|drop|lost|los|shr|contract|narrow|slid|slip|weaken|deteriorat|reduc|plung|tumbl|sank|sink|sunk|doubled|tripled"
    r"|halved|more)"
)
_WORD = re.compile(rf"\b(?:(?P<up>{_UP})|(?P<down>{_DOWN}))\b", re.I)
_LEAN = re.compile(
    r"\b(?:(?P<bull>bullish|favou?rabl[ey]|strong(?:ly)?|strength|encouraging|cheap|attractive|healthy|robust|solid)"
    r"|(?P<bear>bearish|unfavou?rabl[ey]|weak(?:ly|ness)?|worrying|expensive|unattractive|poor|stretched|fragile))\b",
    re.I,
)
_NOT = re.compile(r"\b(?:not|no|never|without|hardly|n't|neither|nor|isn't|didn't|wasn't)\b[^.;,]{0,18}$", re.I)
_CLAUSE = re.compile(
    r"[,;:.]\s|\s(?:while|but|although|whereas|though|and|after|compared (?:with|to)|versus|from|than)\s", re.I
)
_BEFORE, _AFTER = 48, 24
"""Characters around a number in which its word is looked for."""


@dataclass(frozen=True)
class Turn:
    """A word for a direction."""

    text: str
    start: int
    sign: int
    """+1 up, -1 down, after any negation."""
    change: bool
    """Whether it tells of a change (`fell`), and not of a place (`below`)."""


def turns_in(text: str) -> tuple[Turn, ...]:
    """All words for directions, in order."""
    return tuple(
        Turn(
            text=match.group(0),
            start=match.start(),
            sign=(1 if match["up"] else -1) * (-1 if _NOT.search(text[: match.start()]) else 1),
            change=_VERBS.match(match.group(0).lower()) is not None,
        )
        for match in _WORD.finditer(text)
    )


def leans_in(text: str) -> tuple[tuple[str, int], ...]:
    """Words that call something good (+1) or bad (-1) for the price, with negations applied."""
    return tuple(
        (match.group(0), (1 if match["bull"] else -1) * (-1 if _NOT.search(text[: match.start()]) else 1))
        for match in _LEAN.finditer(text)
    )


def turn_of(text: str, start: int, end: int, turns: tuple[Turn, ...]) -> Turn | None:
    """The word that goes with a number: the nearest before it in its clause, else the nearest after it."""
    before = [t for t in turns if start - _BEFORE <= t.start < start and not _CLAUSE.search(text[t.start : start])]
    if before:
        return before[-1]
    after = [t for t in turns if end <= t.start <= end + _AFTER and not _CLAUSE.search(text[end : t.start])]
    return after[0] if after else None
