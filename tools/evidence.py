"""Evidence: the only kind of fact that an agent may rest a claim on.

An `Evidence` says what was measured, for whom, over which period, when it became known, and where it came from.
Its id is stable and readable (`AURX/momentum_3m/2031-03-28`), so that a reader of the journal can find it again.
"""

from collections.abc import Iterable
from datetime import UTC, datetime
from hashlib import sha256
from json.encoder import encode_basestring as _quoted
from math import isfinite
from typing import Any, Literal, NamedTuple, Self, get_args

from pydantic import AwareDatetime, BaseModel, ValidationInfo, model_validator

from .frozen import Frozen, time_text

EvidenceKind = Literal["indicator", "ratio", "passage", "regime", "event", "portfolio", "lesson"]
"""Where a piece of evidence belongs: price-based, from filings, from a document, of the whole market, of the graph, of
the desk, from what followed an earlier signal."""

_SEAL = object()
"""Validation context of `Evidence.of` alone: the hash is written instead of compared."""


class Span(Frozen):
    """Where a passage stands in its document: `document.text[start:end]`, in characters."""

    document: str
    start: int
    end: int


class FigureRow(NamedTuple):
    """What figures of one kind on one company do not share; see `Evidence`."""

    id: str
    measure: str
    available_at: datetime
    period: str
    value: float
    unit: str
    source: str


class Evidence(Frozen):
    """One fact known at `as_of`: a figure (`value` in `unit`) or a passage (`text`), never both.

    Build with `Evidence.of`, which computes `hash` over all other fields; the validator refuses a wrong one. An object
    whose hash was checked once remembers its text: it is written into several hashes. A copy remembers nothing.
    """

    __slots__ = ("_sealed",)

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
        """The evidence with these fields, its hash computed over their validated values.

        A decision makes thousands of these. Fields that are plainly right are taken as they are, in two thirds of the
        time of pydantic's pass over them; all others take that way, and are converted or refused there.
        """
        if not _is_plain(fields):
            # what `model_validate` calls; its own arguments take as long as the validation
            validated: Self = cls.__pydantic_validator__.validate_python({"hash": "", **fields}, context=_SEAL)
            return validated
        values = _ABSENT | fields
        return cls._made(values, {"hash", *fields}, *_canonical(values))

    @classmethod
    def figures(cls, kind: EvidenceKind, ticker: str, as_of: datetime, rows: Iterable[FigureRow]) -> list[Self]:
        """`of` for the figures that a tool has on one company."""
        made = []
        # `_canonical` of a figure: what all rows have in common is written once
        start, quoted_kind, quoted_ticker = _until_available(as_of), _quoted(kind), _quoted(ticker)
        for row in rows:
            id_, measure, available_at, period, value, unit, source = row
            plain = type(value) is float and isfinite(value) and available_at.tzinfo is UTC is as_of.tzinfo
            if not plain or available_at > as_of:
                made.append(cls.of(kind=kind, ticker=ticker, as_of=as_of, **row._asdict()))
                continue
            values: dict[str, Any] = {
                "value": value,
                "text": None,
                "unit": unit,
                "span": None,
                "id": id_,
                "kind": kind,
                "measure": measure,
                "ticker": ticker,
                "as_of": as_of,
                "available_at": available_at,
                "period": period,
                "source": source,
            }
            tail = (
                f'"id":{_quoted(id_)},"kind":{quoted_kind},"measure":{_quoted(measure)},"period":{_quoted(period)},'
                f'"source":{_quoted(source)},"span":null,"text":null,"ticker":{quoted_ticker},"unit":{_quoted(unit)},'
                f'"value":{value!r}}}'
            )
            made.append(cls._made(values, _OF_FIGURES, f'{start}{time_text(available_at)}",', tail))
        return made

    def at(self, as_of: datetime) -> Self:
        """The same fact, gathered at another time: a tool keeps what only a filing or a release changes.

        Raises:
            ValidationError: it became known only after `as_of`.
        """
        text: str | None = getattr(self, "_sealed", None)
        values = self.__dict__ | {"as_of": as_of}
        if text is None or as_of.tzinfo is not UTC or self.available_at > as_of:
            return self.of(**{name: values[name] for name in self.__pydantic_fields_set__})
        begin, end = text.index(_AVAILABLE) + len(_AVAILABLE), text.index(_HASH)
        head, tail = f"{_until_available(as_of)}{text[begin:end]}", text[end + _HASH_LENGTH :]
        return self._made(values, self.__pydantic_fields_set__, head, tail)

    @classmethod
    def _made(cls, values: dict[str, Any], given: set[str], head: str, tail: str) -> Self:
        """The evidence with these values, which are right, and its text but for the hash, which `values` then holds."""
        values["hash"] = digest = sha256(f"{head}{tail}".encode()).hexdigest()
        made = object.__new__(cls)
        _seal(made, f'{head}"hash":"{digest}",{tail}')
        _set_values(made, values)
        _set_given(made, given)
        _set_extra(made, None)
        _set_private(made, None)
        return made

    def canonical(self) -> str:
        """`canonical_json` of all fields."""
        try:
            return self._sealed  # type: ignore[attr-defined, no-any-return]
        except AttributeError:
            pass
        head, tail = _canonical(self.__dict__)
        return f'{head}"hash":{_quoted(self.hash)},{tail}'

    @model_validator(mode="after")
    def _consistent(self, info: ValidationInfo) -> Self:
        if hasattr(self, "_sealed"):
            return self  # it only passes from one model into another
        # in UTC: two times of one zone are compared by their clocks, and a clock is put back once a year
        if self.available_at.astimezone(UTC) > self.as_of.astimezone(UTC):
            raise ValueError(f"evidence {self.id} became known at {self.available_at}, after {self.as_of}")
        if (self.value is None) == (self.text is None):
            raise ValueError(f"evidence {self.id} must hold either a value or a text")
        head, tail = _canonical(self.__dict__)
        computed = sha256((head + tail).encode()).hexdigest()
        if info.context is _SEAL:
            self.__dict__["hash"] = computed  # the class is frozen for everybody else
        elif self.hash != computed:
            raise ValueError(f"evidence {self.id} does not match its hash")
        _seal(self, f'{head}"hash":"{computed}",{tail}')
        return self


_set_values, _set_given, _set_extra, _set_private = (
    BaseModel.__dict__[name].__set__
    for name in ("__dict__", "__pydantic_fields_set__", "__pydantic_extra__", "__pydantic_private__")
)
"""What pydantic's own constructor fills; `object.__setattr__` would look each of them up again."""
_seal = Evidence._sealed.__set__  # type: ignore[attr-defined]
"""Remembers the text of an object whose hash is right."""


_KINDS = frozenset(get_args(EvidenceKind))
_TEXT = {str}
_WORDS = ("id", "measure", "ticker", "period", "source")
_ABSENT: dict[str, Any] = {"value": None, "text": None, "unit": "", "span": None}
_NAMES = frozenset(Evidence.model_fields) - {"hash"}


_OF_FIGURES = {"hash", *_NAMES} - {"text", "span"}
_AVAILABLE, _HASH = '"available_at":"', '"hash":"'
"""What stands in the text of evidence for the first time after `as_of`, and after `available_at`."""
_HASH_LENGTH = len(_HASH) + 64 + len('",')


def _is_plain(fields: dict[str, Any]) -> bool:
    """Whether fields have the very types of the model and are consistent: nothing to convert, nothing to refuse."""
    get = fields.get
    as_of, available_at, value, text, span = get("as_of"), get("available_at"), get("value"), get("text"), get("span")
    return (
        type(as_of) is datetime
        and type(available_at) is datetime
        and as_of.tzinfo is UTC
        and available_at.tzinfo is UTC
        and available_at <= as_of
        and (type(value) is float and isfinite(value) if text is None else type(text) is str and value is None)
        and get("kind") in _KINDS
        and type(get("unit", "")) is str
        and (span is None or type(span) is Span)
        and {type(get(name)) for name in _WORDS} == _TEXT
        and fields.keys() <= _NAMES
    )


def _canonical(fields: dict[str, Any]) -> tuple[str, str]:
    """`frozen.canonical_json` of all fields but the hash, written out, in two parts: the hash belongs between them.

    A decision hashes thousands of these. The general way (dump the model, sort, encode) takes five times as long; a
    test holds the two equal.
    """
    value, text, span = fields["value"], fields["text"], fields["span"]
    return (
        f'{_until_available(fields["as_of"])}{time_text(fields["available_at"])}",',
        f'"id":{_quoted(fields["id"])},"kind":"{fields["kind"]}","measure":{_quoted(fields["measure"])},'
        f'"period":{_quoted(fields["period"])},"source":{_quoted(fields["source"])},'
        f'"span":{"null" if span is None else span.canonical()},'
        f'"text":{"null" if text is None else _quoted(text)},"ticker":{_quoted(fields["ticker"])},'
        f'"unit":{_quoted(fields["unit"])},"value":{"null" if value is None else float.__repr__(value)}}}',
    )


def _until_available(as_of: datetime) -> str:
    return f'{{"as_of":"{time_text(as_of)}",{_AVAILABLE}'
