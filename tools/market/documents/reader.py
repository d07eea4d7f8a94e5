"""From evidence back to the page: the passage that a claim rests on, marked in its surroundings."""

import re

from pydantic import AwareDatetime

from ...errors import InputError, LookAheadError
from ...evidence import Evidence, Span
from ...frozen import Frozen
from ..records import Document
from ..view import MarketView
from .passages import Piece, excerpts, passages, whole_sentences
from .screening import screen

SURROUNDINGS = 400
"""Characters shown before and after a passage, unless asked otherwise."""
_EVIDENCE = re.compile(r"^[^/]+/(?:passage|(?:related_)?event/\w+)/")
_START_AND_END = re.compile(r"(?P<document>.+):(?P<start>\d+)(?:-(?P<end>\d+))?")


class Passage(Frozen):
    """A passage in its document: `before + text + after` is a stretch of the document as it was published."""

    document: str
    """Its id."""
    ticker: str
    headline: str
    source: str
    """Who published it."""
    published_at: AwareDatetime
    """UTC."""
    start: int
    """Of the passage in the document's text, in characters."""
    end: int
    text: str
    """`document.text[start:end]`."""
    before: str
    """What stands before it, from the beginning of a word."""
    after: str
    """What follows, to the end of a word."""
    sentence_start: int
    """Of the whole sentences or table lines that the passage lies in; never later than `start`."""
    sentence_end: int
    sentence: str
    """`document.text[sentence_start:sentence_end]`."""

    def marked(self, opening: str = "»", closing: str = "«") -> str:
        """The stretch with the passage between two marks."""
        return f"{self.before}{opening}{self.text}{closing}{self.after}"


def open_passage(view: MarketView, where: Evidence | Span, surroundings: int = SURROUNDINGS) -> Passage:
    """The passage that evidence rests on, in the words of its document.

    Args:
        view: what is known.
        where: evidence with a span, or a span.
        surroundings: characters to show on each side at least, to the border of a word.

    Raises:
        LookAheadError: the document was published after the view's time.
        InputError: the evidence names no passage, its text is not what stands there, or there is no such document or
            place in it.
    """
    span = where if isinstance(where, Span) else where.span
    if span is None:
        raise InputError(f"{where.id} is a figure, not a passage; open evidence of kind passage")  # type: ignore[union-attr]
    document = _known(view, span.document)
    text = document.text
    if not 0 <= span.start < span.end <= len(text):
        raise InputError(
            f"{span.document} has {len(text)} characters, no place {span.start} to {span.end}; give one within them"
        )
    # an event is worded by code, not quoted
    if isinstance(where, Evidence) and where.kind == "passage" and where.text != text[span.start : span.end]:
        raise InputError(f"{where.id} does not quote {span.document} as this market has it; open the session's market")
    sentence = whole_sentences(text, Piece(span.start, span.end))
    first = _word_start(text, min(max(0, span.start - surroundings), sentence.start))
    last = _word_end(text, max(min(len(text), span.end + surroundings), sentence.end))
    return Passage(
        document=document.id,
        ticker=document.ticker,
        headline=document.headline,
        source=document.source,
        published_at=document.published_at,
        start=span.start,
        end=span.end,
        text=text[span.start : span.end],
        before=text[first : span.start],
        after=text[span.end : last],
        sentence_start=sentence.start,
        sentence_end=sentence.end,
        sentence=text[sentence.start : sentence.end],
    )


def span_named(view: MarketView, name: str) -> Span:
    """The span that a person means by `DOCUMENT:START-END`, or by the id of a passage's evidence.

    Args:
        view: what is known.
        name: `<document>:<start>-<end>`, or `<ticker>/passage/<document>:<start>` as journals and reports have it, or
            the id of an event.

    Raises:
        LookAheadError: the document was published after the view's time.
        InputError: the name has another form, or there is no such document or excerpt.
    """
    parts = _START_AND_END.fullmatch(name)
    if parts is None:
        raise InputError(f"{name!r} names no passage; write DOCUMENT:START-END or the id of a passage's evidence")
    start, end = int(parts["start"]), parts["end"]
    if end is not None:
        return Span(document=_known(view, parts["document"]).id, start=start, end=int(end))
    document = _known(view, _EVIDENCE.sub("", parts["document"]))
    for passage in passages(document.text):
        for excerpt in excerpts(document.text, passage):
            if excerpt.start == start:
                return Span(document=document.id, start=start, end=excerpt.end)
    raise InputError(f"no excerpt of {document.id} begins at character {start}; write DOCUMENT:START-END")


def _known(view: MarketView, name: str) -> Document:
    # screened alone: the index and the other documents take seconds to open and are not needed
    found = (document for document in view._market.dataset.documents if document.id == name)
    document = next(iter(screen(tuple(found), view._market.companies).documents), None)
    if document is None:
        raise InputError(f"there is no document {name!r} in {view.name}; take its id from a piece of evidence")
    if document.published_at > view.as_of:
        raise LookAheadError(
            f"{name} was published at {document.published_at.isoformat()}, after {view.as_of.isoformat()}; "
            "open it with a later time"
        )
    return document


def _word_start(text: str, at: int) -> int:
    while at > 0 and not text[at - 1].isspace():
        at -= 1
    return at


def _word_end(text: str, at: int) -> int:
    while at < len(text) and not text[at].isspace():
        at += 1
    return at
