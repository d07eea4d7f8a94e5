"""A text cut into the parts that rest on one and the same evidence, with everything gone that is no statement."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from ...tools.evidence import Evidence
from ..evidence_text import squeezed

_SENTENCE = re.compile(r"(?<=[.;!?])\s+|\n+")
_GROUP = re.compile(r"\(\s*E\d{1,2}(?:\s*(?:,|;|and|&)\s*E\d{1,2})*\s*\)")
_ALIAS = re.compile(r"\bE\d{1,2}\b")
_ID = re.compile(r"\b[A-Z][A-Z0-9.]{0,9}/[a-z][a-z0-9_]*/[\w:.-]*\w")
_QUOTATION = re.compile(r"<<<(.*?)>>>", re.S)
_STANCE = re.compile(r"\bstrong[ _](?:buy|sell)\b|\bsupports? (?:a )?(?:buy|sell|hold)\b", re.I)


@dataclass(frozen=True)
class Segment:
    """A part of a text and what it rests on."""

    text: str
    """Without aliases, ids, quotations and the words of stances."""
    cited: tuple[Evidence, ...]
    unknown: tuple[str, ...] = ()
    """Aliases and ids in it that name nothing."""
    misquoted: tuple[str, ...] = ()
    """Quotations that none of the cited passages holds."""


def segments(
    text: str, aliases: Mapping[str, Evidence], ids: Mapping[str, Evidence], otherwise: Sequence[Evidence]
) -> Iterator[Segment]:
    """The parts of a text, in order.

    A bracket with aliases closes a part: `Debt is 31% (E2), growth 12% (E1)` has two. A part without any alias rests on
    all that the signal cites.

    Args:
        text: any.
        aliases: evidence by the name that the text may use for it.
        ids: evidence by id.
        otherwise: what a part rests on that names nothing.
    """
    for sentence in _SENTENCE.split(text):
        start = 0
        ends = [match.end() for match in _GROUP.finditer(sentence)]
        for end in [*ends, len(sentence)]:
            part = sentence[start:end]
            start = end
            if part.strip(" .;,"):
                yield _segment(part, aliases, ids, otherwise)


def _segment(
    part: str, aliases: Mapping[str, Evidence], ids: Mapping[str, Evidence], otherwise: Sequence[Evidence]
) -> Segment:
    quotations = [squeezed(match) for match in _QUOTATION.findall(part)]
    part = _QUOTATION.sub(" ", part)
    named = {match: ids.get(match) for match in _ID.findall(part)}
    part = _ID.sub(" ", part)
    named |= {match: aliases.get(match) for match in _ALIAS.findall(part)}
    known = tuple({evidence.id: evidence for evidence in named.values() if evidence is not None}.values())
    cited = known or tuple(otherwise)
    passages = [squeezed(evidence.text) for evidence in cited if evidence.text]
    return Segment(
        text=_STANCE.sub(" ", _ALIAS.sub(" ", _GROUP.sub(" ", part))),
        cited=cited,
        unknown=tuple(name for name, evidence in named.items() if evidence is None),
        misquoted=tuple(q for q in quotations if not any(q in passage for passage in passages)),
    )
