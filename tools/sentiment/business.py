"""Which sentences of a release decide its tone: those that say something about a business.

A release can praise anything: the share, the reader, itself. Words of tone count only where their sentence has a
subject of business (sales, customers, a quarter, `we`) or an amount. So a sentence that was planted to move the tone
has to state something about the business, and then it is a statement like any other. On generated texts nothing
changes by it; of the sentences with such words in real releases one in eleven says nothing about a business, above all
safe harbours and the names of lawsuits.
"""

import re
from collections.abc import Callable

from ..market.documents.passages import Piece, parts

_SUBJECTS = """
we our us company companies business businesses firm group subsidiary subsidiaries quarter quarters quarterly year
years yearly annual annually month months fiscal period revenue revenues sales income earnings profit profits loss
losses margin margins cash cost costs expense expenses spending operating dividend dividends debt assets volumes
volume prices pricing demand supply orders order customer customers clients client consumers consumer members
patients users subscribers product products service services market markets industry region regions segment segments
team teams employees people colleagues plants stores technology platform platforms cloud data software devices chip
chips infrastructure energy health care network computing commerce advertising content offerings capabilities
innovation growth guidance outlook plan plans expectations strategy investment investments capacity production
shipments inventory management organisation organization board currency exchange loans deposits credit conditions
economy economic economies requirements engagement efficiency productivity
"""
SUBJECTS = frozenset(_SUBJECTS.split())
"""Words of which a sentence about a business holds one."""
_AMOUNT = re.compile(r"[$\u20ac\u00a3]\s?\d|\d[\d.,]*\s?(?:%|per ?cent|million|billion|thousand|basis points)", re.I)
_WORD = re.compile(r"[a-z]+")


def is_about_business(sentence: str, name: str = "") -> bool:
    """Whether a sentence has a subject of business, or an amount.

    Args:
        sentence: of a release.
        name: of the company; its own words (Zephlor Software) are no subject.
    """
    found = SUBJECTS.intersection(_WORD.findall(sentence.lower())).difference(_WORD.findall(name.lower()))
    return bool(found) or _AMOUNT.search(sentence) is not None


def without_idle_tone(text: str, name: str, has_tone: Callable[[str], bool]) -> str:
    """A text without the sentences that have a tone and say nothing about a business; table lines stay.

    Args:
        text: of a release.
        name: of the company.
        has_tone: whether a sentence holds words of praise or complaint.
    """
    kept, last = [], 0
    for piece in _idle(text, name, has_tone):
        kept.append(text[last : piece.start])
        last = piece.end
    return "".join([*kept, text[last:]]) if last else text


def _idle(text: str, name: str, has_tone: Callable[[str], bool]) -> list[Piece]:
    return [
        part
        for part in parts(text, Piece(0, len(text)))
        if "|" not in (said := text[part.start : part.end]) and not is_about_business(said, name) and has_tone(said)
    ]
