"""The news and documents files: one JSON object a line."""

import json
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from ...errors import DataError
from ..records import Document
from .cells import HALF_CHARACTER, utc
from .defects import Findings
from .tables import read_text


@dataclass(frozen=True)
class _Line:
    """One JSON object of a file."""

    file: str
    number: int
    content: dict[str, Any]
    findings: Findings

    def text(self, field: str, *, default: str | None = None) -> str | None:
        """A text field, not blank unless a default is given; None if it is defective."""
        value = self.content.get(field, default)
        if isinstance(value, str) and (default is not None or value.strip()):
            half = HALF_CHARACTER.search(value)
            if half is None:
                return value
            message = f"character {half.start() + 1} is half a character (a lone surrogate); write the text anew"
        else:
            message = f"{value!r} is no text; each line needs a text here"
        self.findings.error("not_a_text", self.file, message, self.number, field)
        return None

    def moment(self, field: str) -> datetime | None:
        """A time with its zone, in UTC; None if it is defective."""
        text = self.text(field)
        if text is None:
            return None
        moment, kind, message = utc(text)
        if moment is None:
            self.findings.error(kind, self.file, message, self.number, field)
        return moment

    def document(self) -> Document | None:
        """The document of this line; None if it has a defect."""
        fields = {
            "id": self.text("id"),
            "ticker": self.text("ticker"),
            "source": self.text("source", default=""),
            "headline": self.text("headline"),
            "body": self.text("body", default=""),
        }
        published_at = self.moment("published_at")
        texts = {name: text for name, text in fields.items() if text is not None}
        if published_at is None or len(texts) < len(fields):
            return None
        return Document(published_at=published_at, **texts)


@dataclass(frozen=True)
class DocumentRows:
    """The documents of one file with the line of each."""

    file: str
    documents: tuple[Document, ...]
    lines: tuple[int, ...]
    findings: Findings


def read_documents(path: Path, taken: set[str], findings: Findings) -> DocumentRows | None:
    """Read and check a JSON-lines file, blank lines passed over; None if it cannot be read at all.

    Args:
        path: the file.
        taken: ids of the documents read before; those of this file are added.
        findings: where defects are recorded.
    """
    try:
        text = read_text(path).decode()
    except DataError as error:
        findings.error("unreadable_file", path.name, str(error))
        return None
    documents, lines, count = [], [], 0
    for number, line in enumerate(text.split("\n"), start=1):
        if not line.strip():
            continue
        count += 1
        try:
            content = json.loads(line)
        except ValueError:
            content = None
        if not isinstance(content, dict):
            message = "is no JSON object; write one object a line"
            findings.error("unreadable_file", path.name, message, number)
            continue
        document = _Line(path.name, number, content, findings).document()
        identity = content.get("id")
        if isinstance(identity, str) and identity in taken:
            message = f"{identity} is used twice; give each document its own"
            findings.error("duplicate_document", path.name, message, number, "id")
        elif document is not None:
            taken.add(document.id)
            documents.append(document)
            lines.append(number)
    findings.files[path.name] = count
    return DocumentRows(path.name, tuple(documents), tuple(lines), findings)
