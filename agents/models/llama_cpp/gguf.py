"""The header of a GGUF file, read before llama.cpp sees it.

llama.cpp maps a file whose tail is missing and dies of it later, or aborts the process on a damaged header. This reader
walks the header with bounds, checks that the last tensor ends inside the file, and says in a sentence what is wrong.
Format: GGUF versions 2 and 3, little-endian (ggml's specification, docs/gguf.md).
"""

import struct
from dataclasses import dataclass
from math import prod
from pathlib import Path
from typing import BinaryIO

from ..core import ModelInputError

_SCALARS = {0: "B", 1: "b", 2: "H", 3: "h", 4: "I", 5: "i", 6: "f", 7: "?", 10: "Q", 11: "q", 12: "d"}
_STRING, _ARRAY = 8, 9
_BLOCKS: dict[int, tuple[int, int]] = {
    0: (1, 4), 1: (1, 2), 2: (32, 18), 3: (32, 20), 6: (32, 22), 7: (32, 24), 8: (32, 34), 9: (32, 36),
    10: (256, 84), 11: (256, 110), 12: (256, 144), 13: (256, 176), 14: (256, 210), 15: (256, 292),
    16: (256, 66), 17: (256, 74), 18: (256, 98), 19: (256, 50), 20: (32, 18), 21: (256, 110), 22: (256, 82),
    23: (256, 136), 24: (1, 1), 25: (1, 2), 26: (1, 4), 27: (1, 8), 28: (1, 8), 29: (256, 56), 30: (1, 2),
    34: (256, 54), 35: (256, 66), 39: (32, 17),
}  # fmt: skip
"""ggml's tensor types: elements and bytes of a block."""
_MOST = 1 << 24
"""No name, list or count in a real header comes near this; a damaged one would make us read for ever."""


class _Damaged(Exception):
    """The bytes are not a GGUF header; the text is a clause for the message."""


@dataclass(frozen=True)
class Header:
    """What a GGUF says about itself."""

    metadata: dict[str, str | int | float | bool]
    """Scalar and text keys; arrays (vocabulary, merges) are skipped."""
    tensors: int

    @property
    def architecture(self) -> str:
        """`llama`, `qwen2`...; empty where the file does not say."""
        return str(self.metadata.get("general.architecture", ""))


def read_header(path: Path) -> Header:
    """The header of a complete GGUF file.

    Raises:
        ModelInputError: no such file, not a GGUF, or a part of it is missing.
    """
    try:
        size = path.stat().st_size
        with path.open("rb") as file:
            return _read(file, size)
    except OSError as error:
        why = error.strerror or type(error).__name__
        raise ModelInputError(f"The model file {path} cannot be read ({why}): check the path.") from error
    except (_Damaged, struct.error, UnicodeDecodeError) as error:
        clause = str(error) if isinstance(error, _Damaged) else "its header is damaged"
        raise ModelInputError(f"The model file {path} cannot be used: {clause}; get the file again.") from error


def _read(file: BinaryIO, size: int) -> Header:
    if _take(file, 4) != b"GGUF":
        raise _Damaged("it is not a GGUF file")
    version, tensors, keys = _unpack(file, "<IQQ")
    if version not in (2, 3):
        raise _Damaged(f"it is GGUF version {version}, and only versions 2 and 3 are read")
    if tensors > _MOST or keys > _MOST:
        raise _Damaged("its header is damaged")
    metadata: dict[str, str | int | float | bool] = {}
    for _ in range(keys):
        name = _string(file)
        (kind,) = _unpack(file, "<I")
        value = _value(file, kind)
        if value is not None:
            metadata[name] = value
    end = max((_tensor_end(file) for _ in range(tensors)), default=0)
    align = metadata.get("general.alignment", 32)
    if not isinstance(align, int) or not 0 < align <= 1 << 20 or align & (align - 1):
        raise _Damaged(f"its alignment is {align}")
    start = -(-file.tell() // align) * align
    if start + end > size:
        raise _Damaged(f"it is cut off ({size:,} bytes of {start + end:,} are there)")
    return Header(metadata, tensors)


def _take(file: BinaryIO, count: int) -> bytes:
    if count > _MOST:
        raise _Damaged("its header is damaged")
    data = file.read(count)
    if len(data) != count:
        raise _Damaged("it ends inside its header")
    return data


def _unpack(file: BinaryIO, layout: str) -> tuple[int, ...]:
    return struct.unpack(layout, _take(file, struct.calcsize(layout)))


def _string(file: BinaryIO) -> str:
    (length,) = _unpack(file, "<Q")
    return _take(file, length).decode("utf-8", errors="replace")


def _value(file: BinaryIO, kind: int) -> str | int | float | bool | None:
    """A metadata value; None for an array, which is skipped."""
    if kind == _STRING:
        return _string(file)
    if kind == _ARRAY:
        inner, count = _unpack(file, "<IQ")
        if count > _MOST:
            raise _Damaged("its header is damaged")
        if inner in _SCALARS:
            _take(file, count * struct.calcsize("<" + _SCALARS[inner]))
        elif inner == _STRING:
            for _ in range(count):
                (length,) = _unpack(file, "<Q")
                _take(file, length)
        else:
            raise _Damaged(f"its header has an array of unknown type {inner}")
        return None
    if kind not in _SCALARS:
        raise _Damaged(f"its header has a value of unknown type {kind}")
    return _unpack(file, "<" + _SCALARS[kind])[0]


def _tensor_end(file: BinaryIO) -> int:
    """Where a tensor's data end, in bytes from the start of the data."""
    name = _string(file)
    (dimensions,) = _unpack(file, "<I")
    if not 0 < dimensions <= 8:
        raise _Damaged(f"the tensor {name!r} has {dimensions} dimensions")
    *shape, kind, offset = _unpack(file, f"<{dimensions}QIQ")
    # a type newer than this table still has its beginning checked
    elements, size = _BLOCKS.get(kind, (1, 0))
    return offset + prod(shape) // elements * size
