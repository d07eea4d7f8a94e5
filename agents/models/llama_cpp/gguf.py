"""The header of a GGUF file, read before llama.cpp sees it.

llama.cpp maps a file whose tail is missing and dies of it later, or aborts the process on a damaged header. This
reader walks the header with bounds, checks that the tensors lie behind one another inside the file, and says in a
sentence what is wrong. Format: GGUF versions 2 and 3, little-endian (ggml's specification, docs/gguf.md).
"""

import struct
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from math import prod
from pathlib import Path
from typing import BinaryIO, NamedTuple

from ..core import ModelInputError

_SCALARS = {0: "B", 1: "b", 2: "H", 3: "h", 4: "I", 5: "i", 6: "f", 7: "?", 10: "Q", 11: "q", 12: "d"}
_UINT32, _STRING, _ARRAY = 4, 8, 9


class Block(NamedTuple):
    """How ggml stores a kind of number."""

    name: str
    elements: int
    size: int
    """Bytes."""


_BLOCKS = {
    number: Block(name, elements, size)
    for number, name, elements, size in (
        (0, "F32", 1, 4), (1, "F16", 1, 2), (2, "Q4_0", 32, 18), (3, "Q4_1", 32, 20), (6, "Q5_0", 32, 22),
        (7, "Q5_1", 32, 24), (8, "Q8_0", 32, 34), (9, "Q8_1", 32, 36), (10, "Q2_K", 256, 84), (11, "Q3_K", 256, 110),
        (12, "Q4_K", 256, 144), (13, "Q5_K", 256, 176), (14, "Q6_K", 256, 210), (15, "Q8_K", 256, 292),
        (16, "IQ2_XXS", 256, 66), (17, "IQ2_XS", 256, 74), (18, "IQ3_XXS", 256, 98), (19, "IQ1_S", 256, 50),
        (20, "IQ4_NL", 32, 18), (21, "IQ3_S", 256, 110), (22, "IQ2_S", 256, 82), (23, "IQ4_XS", 256, 136),
        (24, "I8", 1, 1), (25, "I16", 1, 2), (26, "I32", 1, 4), (27, "I64", 1, 8), (28, "F64", 1, 8),
        (29, "IQ1_M", 256, 56), (30, "BF16", 1, 2), (34, "TQ1_0", 256, 54), (35, "TQ2_0", 256, 66),
        (39, "MXFP4", 32, 17),
    )
}  # fmt: skip
"""ggml's tensor types."""
_REMOVED = frozenset((4, 5, 31, 32, 33, 36, 37, 38))
"""Types that ggml knew once; it refuses them."""
_MOST = 1 << 24
"""No name, list or count in a real header comes near this; a damaged one would make us read for ever."""
_LONGEST_NAME = 63
"""ggml's `GGML_MAX_NAME`, less the terminator."""
_MOST_DIMENSIONS = 4
_MOST_NUMBERS = 1 << 48
_LAST_TYPE = 255
"""Far beyond ggml's newest type."""
_SHORT_LIST = 64
_LEAST_KEY, _LEAST_TENSOR = 13, 32
"""Bytes of the shortest key with its value, and of the shortest entry of the tensor table."""

Scalar = str | int | float | bool


class _Damaged(Exception):
    """The bytes are not a GGUF header; the text is a clause for the message."""


@dataclass(frozen=True)
class Header:
    """What a GGUF says about itself."""

    metadata: dict[str, Scalar]
    """Scalar and text keys."""
    tensors: int
    lists: dict[str, int] = field(default_factory=dict)
    """Length of each list (vocabulary, merges...)."""
    words: dict[str, tuple[str, ...]] = field(default_factory=dict)
    """The short lists of texts (languages, tags), whole."""
    marks: frozenset[str] = frozenset()
    """Tokens of the vocabulary that stand between angle brackets, as control tokens do."""
    parameters: int = 0
    """Numbers in all tensors together."""
    types: Mapping[str, int] = field(default_factory=dict)
    """How many numbers are stored as each type: `Q4_1`, `F32`..."""
    table_start: int = 0
    """Where the table of tensors begins, bytes into the file."""
    data_start: int = 0
    """Where the tensors' data begin, likewise."""

    @property
    def architecture(self) -> str:
        """`llama`, `qwen2`...; empty where the file does not say."""
        return str(self.metadata.get("general.architecture", ""))


def read_header(path: Path) -> Header:
    """The header of a complete GGUF file: a model's or an adapter's.

    Raises:
        ModelInputError: no such file, not a GGUF, or a part of it is missing or impossible.
    """
    try:
        size = path.stat().st_size
        with path.open("rb") as file:
            return _Reader(file, size).header()
    except OSError as error:
        why = error.strerror or type(error).__name__
        raise ModelInputError(f"The model file {path} cannot be read ({why}): check the path.") from error
    except _Damaged as error:
        raise ModelInputError(f"The model file {path} cannot be used: {error}; get the file again.") from error


def require_model(path: Path, header: Header) -> None:
    """Refuse a well-formed file that is no language model: one without architecture or vocabulary.

    Raises:
        ModelInputError: something that every language model has is missing.
    """
    lists = header.lists
    vocabulary = lists.get("tokenizer.ggml.tokens", 0)
    if not header.architecture:
        fault = "its header does not name an architecture"
    elif header.metadata.get("general.type", "model") != "model":
        fault = f"it is of the type {header.metadata['general.type']}, not a model"
    elif not header.tensors:
        fault = "it holds no tensors"
    elif not vocabulary or not header.metadata.get("tokenizer.ggml.model"):
        fault = "it has no vocabulary"
    elif any(lists.get(f"tokenizer.ggml.{name}", vocabulary) != vocabulary for name in ("scores", "token_type")):
        # llama.cpp reads these lists as far as the vocabulary goes, whatever their length
        fault = "the lists of its vocabulary differ in length"
    else:
        return
    raise ModelInputError(f"The model file {path} cannot be used: {fault}; get a GGUF of a language model.")


class _Tensor(NamedTuple):
    """An entry of the tensor table."""

    name: str
    type: str
    numbers: int
    offset: int
    """Bytes from the start of the data."""
    size: int | None
    """Bytes; None for a type newer than our table."""


class _Reader:
    """Walks one header."""

    def __init__(self, file: BinaryIO, size: int) -> None:
        self._file = file
        self._size = size
        self._metadata: dict[str, Scalar] = {}
        self._lists: dict[str, int] = {}
        self._words: dict[str, tuple[str, ...]] = {}
        self._marks: frozenset[str] = frozenset()

    def header(self) -> Header:
        if self._take(4) != b"GGUF":
            raise _Damaged("it is not a GGUF file")
        version, tensors, keys = self._unpack("<IQQ")
        if version not in (2, 3):
            raise _Damaged(f"it is GGUF version {version}, and only versions 2 and 3 are read")
        if max(tensors, keys) > _MOST:
            raise _Damaged(f"its header is damaged: it announces {tensors} tensors and {keys} keys")
        if keys * _LEAST_KEY + tensors * _LEAST_TENSOR > self._size:
            raise _Damaged(f"it is too short for the {tensors} tensors and {keys} keys that it announces")
        for _ in range(keys):
            self._key()
        align = self._metadata.get("general.alignment", 32)
        if not isinstance(align, int) or not 0 < align <= 1 << 20 or align & (align - 1):
            raise _Damaged(f"its alignment is {align}")
        return self._with_tensors(tensors, align)

    def _with_tensors(self, tensors: int, align: int) -> Header:
        table = self._file.tell()
        names: set[str] = set()
        numbers: Counter[str] = Counter()
        end, known = 0, True
        for _ in range(tensors):
            tensor = self._tensor()
            if tensor.name in names:
                raise _Damaged(f"it holds two tensors called {tensor.name!r}")
            names.add(tensor.name)
            numbers[tensor.type] += tensor.numbers
            # ggml wants them one behind the other; behind a type newer than our table we cannot tell where
            expected = -(-end // align) * align
            if tensor.offset % align or tensor.offset < expected or (known and tensor.offset != expected):
                raise _Damaged(f"the tensor {tensor.name!r} lies at {tensor.offset}, not behind the one before it")
            end, known = tensor.offset + (tensor.size or 0), tensor.size is not None
        start = -(-self._file.tell() // align) * align
        if start + end > self._size:
            raise _Damaged(f"it is cut off ({self._size:,} bytes of {start + end:,} are there)")
        return Header(
            metadata=self._metadata,
            tensors=tensors,
            lists=self._lists,
            words=self._words,
            marks=self._marks,
            parameters=sum(numbers.values()),
            types=dict(numbers),
            table_start=table,
            data_start=start,
        )

    def _take(self, count: int) -> bytes:
        if count > _MOST:
            raise _Damaged(f"its header is damaged: a part of it would take {count} bytes")
        data = self._file.read(count)
        if len(data) != count:
            raise _Damaged("it ends inside its header")
        return data

    def _unpack(self, layout: str) -> tuple[int, ...]:
        return struct.unpack(layout, self._take(struct.calcsize(layout)))

    def _bytes(self) -> bytes:
        (length,) = self._unpack("<Q")
        return self._take(length)

    def _name(self, what: str) -> str:
        raw = self._bytes()
        if not raw or any(byte < 0x21 or byte > 0x7E for byte in raw):
            raise _Damaged(f"its header is damaged: the name of a {what} is {raw[:20]!r}")
        return raw.decode("ascii")

    def _key(self) -> None:
        name = self._name("key")
        if name in self._metadata or name in self._lists:
            raise _Damaged(f"its header has the key {name!r} twice")
        (kind,) = self._unpack("<I")
        if name == "general.alignment" and kind != _UINT32:
            raise _Damaged("its alignment is no number")
        if kind == _ARRAY:
            self._list(name)
        elif kind == _STRING:
            self._metadata[name] = self._bytes().decode("utf-8", errors="replace")
        elif kind in _SCALARS:
            self._metadata[name] = self._unpack("<" + _SCALARS[kind])[0]
        else:
            raise _Damaged(f"its header has a value of unknown type {kind}")

    def _list(self, name: str) -> None:
        inner, count = self._unpack("<IQ")
        if count > _MOST:
            raise _Damaged(f"its header is damaged: the list {name!r} would have {count} entries")
        if inner in _SCALARS:
            self._take(count * struct.calcsize("<" + _SCALARS[inner]))
        elif inner == _STRING:
            texts = (self._bytes() for _ in range(count))
            if name == "tokenizer.ggml.tokens":
                found = (text for text in texts if text[:1] == b"<" and text[-1:] == b">")
                self._marks = frozenset(text.decode("utf-8", errors="replace") for text in found)
            elif count <= _SHORT_LIST:
                self._words[name] = tuple(text.decode("utf-8", errors="replace") for text in texts)
            else:
                for _ in texts:
                    pass
        else:
            raise _Damaged(f"its header has a list of unknown type {inner}")
        self._lists[name] = count

    def _tensor(self) -> _Tensor:
        name = self._name("tensor")
        if len(name) > _LONGEST_NAME:
            raise _Damaged(f"the name of a tensor has {len(name)} letters")
        (dimensions,) = self._unpack("<I")
        if not 0 < dimensions <= _MOST_DIMENSIONS:
            raise _Damaged(f"the tensor {name!r} has {dimensions} dimensions")
        *shape, kind, offset = self._unpack(f"<{dimensions}QIQ")
        numbers = prod(shape)
        if not 0 < numbers < _MOST_NUMBERS:
            raise _Damaged(f"the tensor {name!r} has the shape {'x'.join(map(str, shape))}")
        if kind in _REMOVED or kind > _LAST_TYPE:
            raise _Damaged(f"the tensor {name!r} is of the unknown type {kind}")
        block = _BLOCKS.get(kind)
        if block is None:
            return _Tensor(name, f"type {kind}", numbers, offset, None)
        if shape[0] % block.elements:
            raise _Damaged(f"the tensor {name!r} has rows of {shape[0]} numbers, and {block.name} needs whole blocks")
        return _Tensor(name, block.name, numbers, offset, numbers // block.elements * block.size)
