"""The base of every value that crosses a border: immutable, closed, finite; and the one JSON text of such a value.

A decision writes a thousand values down, each into a hash. `Frozen.canonical` therefore goes through the fields of a
class in the order of their names and joins what each is written as; only what it has no short way for is turned into
plain JSON and sorted. What comes out is `canonical_json` of the dumped model, to the letter.
"""

import hashlib
import json
import marshal
from collections.abc import Callable
from datetime import UTC, date, datetime
from functools import lru_cache
from json.encoder import encode_basestring as _quoted
from math import isfinite
from types import NoneType, UnionType
from typing import Annotated, Any, Literal, NamedTuple, Union, get_args, get_origin

from pydantic import AwareDatetime, BaseModel, ConfigDict
from pydantic_core import to_jsonable_python

from .written import Written


class Frozen(BaseModel):
    """A pydantic model that cannot change, refuses unknown fields, and refuses NaN and infinities."""

    # "constants": a NaN inside an untyped field would otherwise be written as null; this way canonical_json refuses it
    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False, ser_json_inf_nan="constants")

    def canonical(self) -> str:
        """`canonical_json` of the model as JSON, its fields under their aliases.

        Raises:
            ValueError: it holds a NaN or an infinity, or something that JSON cannot say.
        """
        fields, values = _fields(type(self)), self.__dict__
        if not fields:
            return _canonical(self.model_dump(mode="json", by_alias=True))
        return "{" + ",".join([label + write(values[name]) for label, name, write in fields]) + "}"


_canonical = json.JSONEncoder(sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False).encode


def canonical_json(value: Any) -> str:
    """The one JSON text of a value: sorted keys, no spaces, UTF-8 kept, floats in shortest round-trip form.

    Raises:
        ValueError: the value holds a NaN or an infinity, which JSON cannot say.
    """
    return _canonical(value)


def content_hash(value: Any) -> str:
    """sha256 (hex) of the canonical JSON of `value`."""
    return hashlib.sha256(canonical_json(value).encode()).hexdigest()


def time_text(moment: datetime) -> str:
    """A time as pydantic writes it to JSON, without quotation marks."""
    # only UTC's own object is remembered: equal times of different zones are equal keys, but are written differently
    return _utc_text(moment) if moment.tzinfo is UTC else str(to_jsonable_python(moment))


@lru_cache(maxsize=4096)
def _utc_text(moment: datetime) -> str:
    return f"{moment.replace(tzinfo=None).isoformat()}Z"


Writer = Callable[[Any], str]
"""Writes a value of one type."""


class _Field(NamedTuple):
    label: str
    """Its quoted name and the colon."""
    name: str
    write: Writer


@lru_cache(maxsize=1024)
def _fields(model: type[Frozen]) -> tuple[_Field, ...]:
    """The fields of a model in the order of their names in JSON; none where it does not say just what they hold."""
    own = model.__pydantic_decorators__
    dressed_up = own.field_serializers or own.model_serializers or own.computed_fields
    if dressed_up or any(field.exclude or field.exclude_if for field in model.model_fields.values()):
        return ()
    found = {
        field.serialization_alias or name: (name, _writer(field.annotation))
        for name, field in model.model_fields.items()
    }
    return tuple(_Field(f"{_quoted(label)}:", *found[label]) for label in sorted(found))


def _writer(hint: Any) -> Writer:
    """How values with this type hint are written; every way falls back to `_any` for a value of another type."""
    origin, inner = get_origin(hint), get_args(hint)
    if origin is Annotated:
        return _writer(inner[0])
    if origin is Literal and all(type(one) is str for one in inner):
        return _text
    if origin in (Union, UnionType) and len(inner) == 2 and NoneType in inner:
        return _optional(_writer(next(one for one in inner if one is not NoneType)))
    if origin is list or (origin is tuple and inner[1:] == (Ellipsis,)):
        each = _writer(inner[0])
        return _documents if each is _any else _listed(each)
    if origin is dict:
        each = _writer(inner[1])
        return _general if _writer(inner[0]) is not _text else _any if each is _any else _mapped(each)
    if isinstance(hint, type) and issubclass(hint, Frozen):
        return _model(hint)
    return _OF_TYPE.get(hint, _any)


def _any(value: Any) -> str:
    """Whatever JSON can say: what is JSON already is sorted and written as it is."""
    if type(value) is Written:
        return value.text
    try:
        return _canonical(value)
    except TypeError:  # a model, a date, a set somewhere in it
        return _general(value)


def _general(value: Any) -> str:
    return _canonical(to_jsonable_python(value, inf_nan_mode="constants"))


def _text(value: Any) -> str:
    return _quoted(value) if type(value) is str else _any(value)


def _number(value: Any) -> str:
    return float.__repr__(value) if type(value) is float and isfinite(value) else _any(value)


def _integer(value: Any) -> str:
    return int.__repr__(value) if type(value) is int else _any(value)


def _truth(value: Any) -> str:
    return "true" if value is True else "false" if value is False else _any(value)


def _time(value: Any) -> str:
    return f'"{time_text(value)}"' if type(value) is datetime else _any(value)


def _day(value: Any) -> str:
    return f'"{value.isoformat()}"' if type(value) is date else _any(value)


def _optional(write: Writer) -> Writer:
    return lambda value: "null" if value is None else write(value)


def _listed(write: Writer) -> Writer:
    return lambda values: "[" + ",".join(map(write, values)) + "]"


def _mapped(write: Writer) -> Writer:
    def writer(value: Any) -> str:
        if type(value) is not dict or not set(map(type, value)) <= _TEXT:
            return _any(value)
        return "{" + ",".join([f"{_quoted(key)}:{write(value[key])}" for key in sorted(value)]) + "}"

    return writer


def _documents(values: Any) -> str:
    """Documents of which many are alike, such as one schema per question: what is the same is written once."""
    texts: dict[bytes, str] = {}
    written = []
    for value in values:
        try:
            same = marshal.dumps(value, 2)  # tells 1 from 1.0 and True, which are equal
        except ValueError:
            written.append(_any(value))
            continue
        if same not in texts:
            texts[same] = _any(value)
        written.append(texts[same])
    return "[" + ",".join(written) + "]"


def _model(kind: type[Frozen]) -> Writer:
    own = kind.canonical
    return lambda value: own(value) if type(value) is kind else _any(value)


_TEXT = {str}
_OF_TYPE: dict[Any, Writer] = {
    str: _text,
    float: _number,
    int: _integer,
    bool: _truth,
    datetime: _time,
    AwareDatetime: _time,
    date: _day,
}
