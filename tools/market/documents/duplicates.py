"""Near-repeats among documents: the same story about a company, told again, collapses to the earliest.

Who tells it again does not matter: a copy by another source about the same company is a repeat, and a copy that comes
late changes nothing about when the first was known. A story about two companies is no repeat: each keeps its own.
"""

import heapq
import math
import re
from collections import defaultdict, deque
from collections.abc import Sequence
from datetime import datetime, timedelta
from functools import cached_property

from ..records import Document

DUPLICATE_SIMILARITY = 0.8
"""Jaccard similarity of word 5-shingles from which two texts tell the same story."""
DUPLICATE_DAYS = 14
"""A near-equal text later than this is a new event in an old form (a yearly notice), not a repeat."""
_SHINGLE = 5
_LENGTH_RATIO = 0.6
"""Shorter over longer text: below it 0.8 is out of reach in practice, and most pairs need no shingles."""
_WORD = re.compile(r"\w+")
_TOKEN = re.compile(r"[^\W\d_][\w'-]*|\d[\d.,]*")
_FORM_WORDS = 4
"""Words that a text without its names needs to be told by them."""

Shingles = frozenset[tuple[str, ...]]


def collapse(documents: Sequence[Document]) -> tuple[Document, ...]:
    """The documents without near-repeats: of the same story about a company, the earliest stays.

    What is kept at a time depends on earlier documents only: each is compared with those kept in the `DUPLICATE_DAYS`
    before it, about the same company.

    Args:
        documents: ordered by published_at.
    """
    recent: defaultdict[str, _Recent] = defaultdict(_Recent)
    return tuple(document for document in documents if recent[document.ticker].is_new(document))


def similarity(text: str, other: str) -> float:
    """Jaccard similarity of the sets of word 5-shingles, 0..1 (Broder 1997); of short texts the sets of words.

    Texts of very different length are not compared further and count as 0.
    """
    return _jaccard(_shingles(text), _shingles(other)) if _comparable(text, other) else 0.0


def near_repeats(texts: Sequence[str], of: Sequence[str]) -> dict[int, int]:
    """Texts that tell again what another set of texts tells, whenever and by whomever.

    A text repeats another where their similarity is `DUPLICATE_SIMILARITY` at least, or where both are equal but for
    names and figures (`form`): a template filled in twice teaches the answer to its second filling.

    Args:
        texts: that may repeat.
        of: what they may repeat.

    Returns:
        For the place of each repeat among `texts`, the place of one that it repeats among `of`.
    """
    stories = [_Story(text) for text in of]
    forms = {form(text): place for place, text in enumerate(of)}
    holding: defaultdict[tuple[str, ...], list[int]] = defaultdict(list)
    for place, story in enumerate(stories):
        for shingle in story.prefix:
            holding[shingle].append(place)
    found: dict[int, int] = {}
    for place, text in enumerate(texts):
        if (same := forms.get(form(text))) is not None:
            found[place] = same
            continue
        story = _Story(text)
        candidates = sorted({other for shingle in story.prefix for other in holding.get(shingle, ())})
        if (told := next((other for other in candidates if story.repeats(stories[other])), None)) is not None:
            found[place] = told
    return found


def form(text: str) -> str:
    """A text without names (capitalised words) and with every figure a 0; the whole text where little is left."""
    left = ["0" if token[0].isdigit() else token for token in _TOKEN.findall(text) if not token[0].isupper()]
    return " ".join(left) if sum(token != "0" for token in left) >= _FORM_WORDS else text.lower()


class _Story:
    """A text whose shingles are made when they are first asked for."""

    def __init__(self, text: str) -> None:
        self.text = text

    @cached_property
    def shingles(self) -> Shingles:
        return _shingles(self.text)

    @cached_property
    def prefix(self) -> list[tuple[str, ...]]:
        """So many shingles, first in an order common to all texts, that a similar text's must hold one of them.

        Sets of similarity s share at least s |A| members, so they cannot miss each other in the first
        |A| - ceil(s |A|) + 1 of each (the prefix filter; Chaudhuri, Ganti and Kaushik 2006). The order is that of the
        hashes, which differs between processes, as the candidates do; what is found among them does not.
        """
        size = len(self.shingles)
        if size == 0:
            return [()]
        return heapq.nsmallest(size - math.ceil(DUPLICATE_SIMILARITY * size - 1e-9) + 1, self.shingles, key=hash)

    def repeats(self, other: "_Story") -> bool:
        """Whether both texts tell the same story."""
        return _comparable(self.text, other.text) and _jaccard(self.shingles, other.shingles) >= DUPLICATE_SIMILARITY


class _Dated(_Story):
    """That of a document."""

    def __init__(self, document: Document) -> None:
        super().__init__(document.text)
        self.published_at = document.published_at


class _Recent:
    """The stories kept about one company in the last days, found by the beginnings of their shingles."""

    def __init__(self) -> None:
        self._unindexed: deque[_Dated] = deque()
        self._indexed: deque[_Dated] = deque()
        self._holding: defaultdict[tuple[str, ...], deque[_Dated]] = defaultdict(deque)

    def is_new(self, document: Document) -> bool:
        """Whether no recent story is told again; a new one is kept."""
        self._forget(document.published_at - timedelta(days=DUPLICATE_DAYS))
        story = _Dated(document)
        if self._repeats(story):
            return False
        self._unindexed.append(story)
        return True

    def _repeats(self, story: _Story) -> bool:
        # most companies publish seldom: a story alone in its window needs no shingles
        while self._unindexed:
            other = self._unindexed.popleft()
            for shingle in other.prefix:
                self._holding[shingle].append(other)
            self._indexed.append(other)
        if not self._indexed:
            return False
        candidates = {other for shingle in story.prefix for other in self._holding.get(shingle, ())}
        return any(story.repeats(other) for other in candidates)

    def _forget(self, oldest: datetime) -> None:
        while self._indexed and self._indexed[0].published_at < oldest:
            for shingle in self._indexed.popleft().prefix:
                # the oldest of those indexed is the oldest of those that hold any of its shingles
                self._holding[shingle].popleft()
                if not self._holding[shingle]:
                    del self._holding[shingle]
        while self._unindexed and self._unindexed[0].published_at < oldest:
            self._unindexed.popleft()


def _comparable(text: str, other: str) -> bool:
    return min(len(text), len(other)) >= _LENGTH_RATIO * max(len(text), len(other))


def _jaccard(a: Shingles, b: Shingles) -> float:
    common = len(a & b)
    return common / (len(a) + len(b) - common) if a or b else 1.0


def _shingles(text: str) -> Shingles:
    words = _WORD.findall(text.lower())
    if len(words) < _SHINGLE:
        return frozenset((word,) for word in words)
    return frozenset(zip(*(words[i:] for i in range(_SHINGLE)), strict=False))
