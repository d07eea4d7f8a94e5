"""A filing as EDGAR keeps it: one text with a header and all documents, in SGML."""

import re
from datetime import UTC, datetime
from typing import NamedTuple
from zoneinfo import ZoneInfo

from ..errors import VendorSchemaError

_EASTERN = ZoneInfo("America/New_York")
_ACCEPTED = re.compile(r"<ACCEPTANCE-DATETIME>\s*(\d{14})")
_ITEM = re.compile(r"^ITEM INFORMATION:\s*(.+?)\s*$", re.MULTILINE)
_DOCUMENT = re.compile(r"<DOCUMENT>(.*?)</DOCUMENT>", re.DOTALL)
_TYPE = re.compile(r"<TYPE>([^\r\n<]+)")
_TEXT = re.compile(r"<TEXT>(.*)</TEXT>", re.DOTALL)


class Part(NamedTuple):
    """One document of a filing."""

    type: str
    """`8-K`, `EX-99.1`, `GRAPHIC`, ..."""
    content: str


class Submission(NamedTuple):
    """A whole filing."""

    accepted_at: datetime
    """When EDGAR accepted it, UTC."""
    items: tuple[str, ...]
    """Names of the items of an 8-K."""
    parts: tuple[Part, ...]


def parse_submission(text: str, accession: str) -> Submission:
    """The filing in `<accession>.txt`.

    The header's time is the clock of New York without a zone. In the hour that autumn repeats, the later reading is
    taken: late is safe, early is not.

    Raises:
        VendorSchemaError: there is no time of acceptance or no document in it.
    """
    stamp = _ACCEPTED.search(text)
    documents = _DOCUMENT.findall(text)
    if stamp is None or not documents:
        missing = "time of acceptance" if stamp is None else "document"
        raise VendorSchemaError(f"the filing {accession} has no {missing}; pull again, or report the change")
    try:
        local = datetime.strptime(stamp.group(1), "%Y%m%d%H%M%S").replace(tzinfo=_EASTERN, fold=1)
    except ValueError as error:
        raise VendorSchemaError(f"the filing {accession} was accepted at an impossible time ({error})") from error
    header = text[: text.find("<DOCUMENT>")]
    return Submission(
        accepted_at=local.astimezone(UTC),
        items=tuple(_ITEM.findall(header)),
        parts=tuple(_part(document) for document in documents),
    )


def _part(document: str) -> Part:
    kind, text = _TYPE.search(document), _TEXT.search(document)
    return Part(kind.group(1).strip() if kind else "", text.group(1) if text else "")
