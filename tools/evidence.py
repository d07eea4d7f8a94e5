"""Evidence: the only kind of fact that an agent may rest a claim on.

An `Evidence` says what was measured, for whom, over which period, when it became known, and where it came from.
Its id is stable and readable (`AURX/momentum_3m/2031-03-28`), so that a reader of the journal can find it again.
"""

from typing import Any, Literal, Self

from pydantic import AwareDatetime, model_validator

from .frozen import Frozen, content_hash

EvidenceKind = Literal["indicator", "ratio", "passage", "regime"]
"""Where a piece of evidence belongs: price-based, from filings, from a document, of the whole market."""


class Span(Frozen):
    """Where a passage stands in its document: `document.text[start:end]`, in characters."""

    document: str
    start: int
    end: int


class Evidence(Frozen):
    """One fact known at `as_of`: a figure (`value` in `unit`) or a passage (`text`), never both.

    Build with `Evidence.of`, which computes `hash` over all other fields; the validator refuses a wrong one.
    """

    id: str
    """Stable and readable: `<ticker>/<measure>/<period or document passage>`."""
    kind: EvidenceKind
    measure: str
    """Name of the row in `tools.measures.MEASURES` that says how to read and print the value."""
    ticker: str
    as_of: AwareDatetime
    """The decision time at which it was gathered (UTC)."""
    available_at: AwareDatetime
    """When it became known (UTC); never later than `as_of`."""
    period: str
    """What it is about, for people: `63 sessions to 2031-03-28`, `12 months to 2030-12-31`."""
    value: float | None = None
    text: str | None = None
    unit: str = ""
    source: str
    """`prices`, the accession of a filing, or the id of a document."""
    span: Span | None = None
    hash: str

    @classmethod
    def of(cls, **fields: Any) -> Self:
        """The evidence with these fields, its hash computed."""
        draft = cls.model_construct(hash="", **fields)
        return cls(hash=content_hash(draft.model_dump(mode="json", exclude={"hash"})), **fields)

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        if self.available_at > self.as_of:
            raise ValueError(f"evidence {self.id} became known at {self.available_at}, after {self.as_of}")
        if (self.value is None) == (self.text is None):
            raise ValueError(f"evidence {self.id} must hold either a value or a text")
        if self.hash != content_hash(self.model_dump(mode="json", exclude={"hash"})):
            raise ValueError(f"evidence {self.id} does not match its hash")
        return self
