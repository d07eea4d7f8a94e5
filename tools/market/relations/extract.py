"""What one document says: events, links to other companies, people in office; by rules, sentence by sentence.

Only what the publisher says about itself is taken. A match does not count where the clause before it or the match
itself denies or only supposes, where the sentence is boilerplate, or where it tells of the past again.
"""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date, timedelta

from ..documents.passages import Piece
from ..records import Company, Document
from .mentions import Named, Reader
from .records import Basis, Event, EventKind, Found, Holder, Link, by_time
from .rules import THEM, EventRule, Rules, rules
from .sentences import read

_ITEM = re.compile(r"^\W{0,3}Items?\s+(\d\.\d\d)\b[^\n]*", re.M)
_PEOPLE_ITEMS = frozenset({"5.02", "5.07", "9.01"})
"""Of an 8-K: officers and directors, votes, exhibits."""
_CLAUSE = 70
"""Characters before a match in which it can be denied."""
_LEAVES_BOARD = re.compile(r"\W*(?:(?:as|from) )?(?:a (?:member|director)|(?:the|our|its|\w+) Board)\b")
_OFFICE = re.compile(r"\b(?:Board|[Dd]irector|[Oo]fficer|CEO|CFO|President|the Company|position)\b")
_SEAT = re.compile(r"(?i)\b(?<!managing )director\b|\bboard\b(?! chair)|^member")
_BORDER = re.compile(r"[.;:\u2022\u2014]|, (?:and|but|while|which) ")
_WORD = re.compile(r"[a-z]+(?:-[a-z]+)*")
_DAY = re.compile(
    r"\b(?P<month>January|February|March|April|May|June|July|August|September|October|November|December)"
    r" (?:(?P<day>[1-9]\d?), )?(?P<year>(?:19|20)\d\d)\b"
)
_MONTHS = (
    "January February March April May June July August September October November December".split()  # noqa: SIM905
)
_YEAR = re.compile(r"\b(?:in|during|since|back in) ((?:19|20|21)\d\d)\b(?! (?:annual|outlook|guidance|results))", re.I)


def found_in(documents: Iterable[Document], companies: Mapping[str, Company]) -> Found:
    """Everything that documents say, each by itself.

    Args:
        documents: as they may be read, without near-repeats.
        companies: of the market, by ticker.
    """
    reader = Reader(companies)
    events: list[Event] = []
    links: list[Link] = []
    holders: list[Holder] = []
    for document in documents:
        if document.ticker not in companies:
            continue  # a fund's notices are about no company
        page = _Page(document, reader)
        page.read()
        events += page.events.values()
        links += page.links.values()
        holders += page.holders.values()
    return Found(
        tuple(sorted(events, key=by_time)), tuple(sorted(links, key=by_time)), tuple(sorted(holders, key=by_time))
    )


class _Page:
    """What one document says; each thing once, by the first sentence that says it."""

    def __init__(self, document: Document, reader: Reader) -> None:
        self.document = document
        self.events: dict[tuple[str, str], Event] = {}
        self.links: dict[tuple[str, str], Link] = {}
        self.holders: dict[str, Holder] = {}
        self.only_people = False
        """Whether it is a filing about officers and directors alone, in which all else is told again."""
        self._reader = reader
        self._rules: Rules = rules()

    def read(self) -> None:
        text = self.document.text
        items = {match.group(1) for match in _ITEM.finditer(text)}
        self.only_people = bool(items) and items <= _PEOPLE_ITEMS
        for match in _ITEM.finditer(text):
            kind = self._rules.items.get(match.group(1))
            if kind is not None:
                piece = Piece(match.start(), match.start() + len(match.group(0).rstrip()))
                self._event(kind, piece, basis="item")
        for piece in read(text):
            self._sentence(piece, text[piece.start : piece.end])
        if ("settlement", "") in self.events:
            self.events.pop(("litigation", ""), None)  # a settlement tells the whole case again

    def _sentence(self, piece: Piece, sentence: str) -> None:
        words = set(_WORD.findall(sentence.lower()))
        about = [rule for rule in self._rules.events if not rule.triggers.isdisjoint(words)]
        people = not self._rules.people_triggers.isdisjoint(words)
        named = self._reader.named(sentence, self.document.ticker)
        if not (about or people or named.others) or self._rules.guards.boilerplate.search(named.text):
            return
        old = self._old_times(named.text)
        retold = bool(old) or self._rules.guards.retold.search(named.text) is not None
        for rule in about:
            if not self.only_people and (rule.retold_too or not retold) and self._says(rule, named.text, old):
                self._event(rule.kind, piece)
        if people and not old:
            self._people(piece, named.text)
        if named.others and not old:
            self._links(piece, named)

    def _says(self, rule: EventRule, text: str, old: Sequence[int]) -> bool:
        """Whether a sentence says it, and not of a time long past: `old` is where such times stand."""
        matches = (match for pattern in rule.patterns for match in pattern.finditer(text))
        return any(
            not self._doubtful(text, match, rule.allows) and not any(at < match.start() for at in old)
            for match in matches
        )

    def _old_times(self, text: str) -> list[int]:
        """Where a sentence names a time long before its publication; nothing where it first names a recent one."""
        named = [(match.start(), _day(match)) for match in _DAY.finditer(text)]
        named += [(match.start(), date(int(match.group(1)), 12, 31)) for match in _YEAR.finditer(text)]
        oldest = self.document.published_at.date() - timedelta(days=self._rules.guards.days_old)
        return [at for at, day in named if day < oldest] if named and min(named)[1] < oldest else []

    def _doubtful(
        self, text: str, match: re.Match[str], allows: re.Pattern[str] | None = None, *, plans: bool = True
    ) -> bool:
        """Whether a match is denied, supposed or, unless `plans` are taken, only intended."""
        before = text[max(0, match.start() - _CLAUSE) : match.start()]
        before = _BORDER.split(before)[-1]
        clause, guards = before + match.group(0), self._rules.guards
        if allows is not None:
            clause = allows.sub(" ", clause)
        if guards.negation.search(clause) or guards.hypothetical.search(clause):
            return True
        return plans and guards.intended.search(before) is not None

    def _people(self, piece: Piece, text: str) -> None:
        for patterns, what in ((self._rules.appointed, "appointed"), (self._rules.departed, "departed")):
            for match in (match for pattern in patterns for match in pattern.finditer(text)):
                if self._doubtful(text, match, plans=False):
                    continue
                after = text[match.end() : match.end() + _CLAUSE]
                role = _role(match.groupdict().get("role") or "") or ("director" if _LEAVES_BOARD.match(after) else "")
                if what == "departed" and not role and _OFFICE.search(text) is None:
                    continue  # somebody retires somewhere
                body = "director" if _SEAT.search(role) else "officer"
                role = "director" if body == "director" else role
                kind: EventKind = f"{body}_{what}"  # type: ignore[assignment]
                self._event(kind, piece, person=_person(match["person"]), role=role)
        for match in (match for pattern in self._rules.holder for match in pattern.finditer(text)):
            person = _person(match["person"])
            self.holders.setdefault(
                person,
                Holder(
                    person=person, role=_role(match["role"]), ticker=self.document.ticker, document=self.document.id,
                    available_at=self.document.published_at, start=piece.start, end=piece.end,
                ),
            )  # fmt: skip

    def _links(self, piece: Piece, named: Named) -> None:
        for rule in self._rules.links:
            for match in (match for pattern in rule.patterns for match in pattern.finditer(named.text)):
                if self._doubtful(named.text, match):
                    continue
                for other in _others(named, match):
                    self.links.setdefault(
                        (rule.kind, other),
                        Link(
                            kind=rule.kind, ticker=self.document.ticker, other=other, basis="sentence",
                            available_at=self.document.published_at, document=self.document.id,
                            start=piece.start, end=piece.end,
                        ),
                    )  # fmt: skip

    def _event(
        self, kind: EventKind, piece: Piece, *, basis: Basis = "sentence", person: str = "", role: str = ""
    ) -> None:
        key = (kind, person.split()[-1] if person else "")  # Steve Hemsley is Stephen J. Hemsley
        if key not in self.events:
            self.events[key] = Event(
                kind=kind, ticker=self.document.ticker, available_at=self.document.published_at,
                document=self.document.id, start=piece.start, end=piece.end, basis=basis, person=person, role=role,
            )  # fmt: skip


def _others(named: Named, match: re.Match[str]) -> Iterator[str]:
    """Tickers of the companies that a match names as the others."""
    for group, value in match.groupdict().items():
        if group.startswith("them") and value:
            before = named.text.count(THEM, 0, match.start(group))
            yield from named.others[before : before + value.count(THEM)]


def _day(match: re.Match[str]) -> date:
    return date(int(match["year"]), _MONTHS.index(match["month"]) + 1, min(int(match["day"] or 28), 28))


def _person(text: str) -> str:
    return " ".join(text.removesuffix("'s").removesuffix("\u2019s").split())


def _role(text: str) -> str:
    return " ".join(text.split()).removeprefix("to ").strip(", ")


def sentences_of(found: Sequence[Event | Link | Holder], texts: Mapping[str, str]) -> list[str]:
    """The sentence of each, from the texts of documents by id; empty for what rests on no document."""
    return [" ".join(texts[item.document][item.start : item.end].split()) if item.document else "" for item in found]
