"""The rules in `rules.toml`, compiled."""

import re
import tomllib
from functools import cache
from importlib.resources import files
from itertools import count
from typing import Any, NamedTuple, get_args

from .records import EventKind, LinkKind

US, THEM, PART = "\ue000", "\ue001", "\ue002"
"""What stands in a sentence for the publisher's name, for another company's, and for a part of the publisher's."""
_PLACE = re.compile(r"@(\w+)@")


class EventRule(NamedTuple):
    """How one kind of event is said."""

    kind: EventKind
    triggers: frozenset[str]
    """One of these words, in small letters, stands in every sentence that says it."""
    patterns: tuple[re.Pattern[str], ...]
    allows: re.Pattern[str] | None
    """Words that are no negation here."""
    retold_too: bool
    """Whether a sentence that reminds of something says it all the same."""


class LinkRule(NamedTuple):
    """How one kind of link is said; groups `them1`, `them2`, ... hold the other companies."""

    kind: LinkKind
    patterns: tuple[re.Pattern[str], ...]


class Guards(NamedTuple):
    """What keeps a match from counting."""

    negation: re.Pattern[str]
    hypothetical: re.Pattern[str]
    intended: re.Pattern[str]
    boilerplate: re.Pattern[str]
    retold: re.Pattern[str]
    days_old: int
    """A sentence whose latest date lies so many days before the document tells of the past."""


class Rules(NamedTuple):
    """All of them."""

    events: tuple[EventRule, ...]
    items: dict[str, EventKind]
    """By number of an 8-K's item."""
    appointed: tuple[re.Pattern[str], ...]
    departed: tuple[re.Pattern[str], ...]
    holder: tuple[re.Pattern[str], ...]
    people_triggers: frozenset[str]
    links: tuple[LinkRule, ...]
    guards: Guards
    names: dict[str, tuple[str, ...]]
    """Other names of companies, by ticker."""
    parts: dict[str, tuple[str, ...]]
    """Names of a company's own businesses, by ticker."""


def source() -> bytes:
    """The file, as it is part of what the findings are kept under."""
    return files(__package__).joinpath("rules.toml").read_bytes()


@cache
def rules() -> Rules:
    """What `rules.toml` says."""
    table = tomllib.loads(source().decode())
    words: dict[str, str] = table["words"]

    def compiled(pattern: str) -> re.Pattern[str]:
        while _PLACE.search(pattern):
            pattern = _PLACE.sub(lambda match: words[match.group(1)], pattern)
        number = count(1)  # a group's name may stand once, and the others of a pattern may stand in two places
        return re.compile(re.sub(r"\(\?P<them>", lambda match: f"(?P<them{next(number)}>", pattern))

    def several(patterns: list[str]) -> tuple[re.Pattern[str], ...]:
        return tuple(compiled(pattern) for pattern in patterns)

    def of_parts(patterns: list[str]) -> tuple[re.Pattern[str], ...]:
        """What a part of the publisher's does, the publisher does."""
        whole = tuple(compiled(pattern).pattern.replace(r"\ue000", r"[\ue000\ue002]") for pattern in patterns)
        return tuple(re.compile(pattern) for pattern in whole)

    events = tuple(
        EventRule(
            kind=_known(row["kind"], EventKind),
            triggers=frozenset(row["triggers"].split()),
            patterns=of_parts(row["patterns"]),
            allows=compiled(row["allows"]) if "allows" in row else None,
            retold_too=row.get("retold_too", False),
        )
        for row in table["events"]
    )
    guards, people = table["guards"], table["people"]
    return Rules(
        events=events,
        items={number: _known(kind, EventKind) for number, kind in table["items"].items()},
        appointed=several(people["appointed"]),
        departed=several(people["departed"]),
        holder=several(people["holder"]),
        people_triggers=frozenset(people["triggers"].split()),
        links=tuple(
            LinkRule(_known(row["kind"], LinkKind), of_parts(row["patterns"])) for row in table["links"]["rules"]
        ),
        guards=Guards(
            negation=re.compile(guards["negation"], re.IGNORECASE),
            hypothetical=re.compile(guards["hypothetical"], re.IGNORECASE),
            intended=re.compile(guards["intended"], re.IGNORECASE),
            boilerplate=re.compile(guards["boilerplate"]),
            retold=re.compile(guards["retold"]),
            days_old=guards["days_old"],
        ),
        names={ticker: tuple(names) for ticker, names in table["names"].items()},
        parts={ticker: tuple(names) for ticker, names in table["parts"].items()},
    )


def _known(name: Any, kinds: object) -> Any:
    if name not in get_args(kinds):
        raise ValueError(f"rules.toml names the kind {name!r}, which is none of relations.records")
    return name
