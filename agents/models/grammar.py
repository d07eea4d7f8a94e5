"""The automaton that holds decoding to a bounded schema.

A shape is compiled to the JSON texts that fit it (no spaces, fields in order, UTF-8), and a `Grammar` walks through
those texts byte by byte. It knows which bytes may follow, which text is forced (nothing is asked of the model there),
and when the text is complete. It has no opinion on tokens: a token may be written if all its bytes may follow one
another. Free strings are held to printable ASCII without quote and backslash, so that nothing ever needs an escape;
a `wide` grammar also admits the characters beyond ASCII in strings without a pattern.
"""

import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import NamedTuple

from .core import ModelInputError
from .numerals import Fork, Part, Run, numerals
from .schemas import PLAIN_TEXT, Either, Form, List, Map, Number, Record, Row, Shape, Text, Words

VERSION = "bytes-1"
"""Part of a fingerprint: the same model under another grammar answers otherwise."""
_PLAIN = frozenset(range(0x20, 0x7F)) - frozenset(b'"\\')


@dataclass(frozen=True)
class _Chars:
    """`minimum` to `maximum` bytes of a set."""

    allowed: frozenset[int]
    minimum: int
    maximum: int


@dataclass(frozen=True)
class _Choice:
    """One of several sequences."""

    branches: tuple[tuple["_Node", ...], ...]


@dataclass(frozen=True)
class _Many:
    """`minimum` to `maximum` times a sequence that is never empty; unrolled as it is written."""

    item: tuple["_Node", ...]
    minimum: int
    maximum: int


_Node = bytes | _Chars | _Choice | _Many


def _bytes(*ranges: tuple[int, int]) -> tuple[_Chars, ...]:
    """One byte of each range."""
    return tuple(_Chars(frozenset(range(low, high + 1)), 1, 1) for low, high in ranges)


_REST = (0x80, 0xBF)
_WIDE = _Choice(
    (
        (_Chars(_PLAIN, 1, 1),),
        _bytes((0xC2, 0xDF), _REST),
        _bytes((0xE0, 0xE0), (0xA0, 0xBF), _REST),
        _bytes((0xE1, 0xEC), _REST, _REST),
        _bytes((0xED, 0xED), (0x80, 0x9F), _REST),
        _bytes((0xEE, 0xEF), _REST, _REST),
        _bytes((0xF0, 0xF0), (0x90, 0xBF), _REST, _REST),
        _bytes((0xF1, 0xF3), _REST, _REST, _REST),
        _bytes((0xF4, 0xF4), (0x80, 0x8F), _REST, _REST),
    )
)
"""One character in UTF-8: the well-formed sequences of the Unicode Standard, table 3-7."""


class _Stack(NamedTuple):
    """What is still to be written: a node, then the rest."""

    head: _Node
    rest: "_Stack | None"


_States = frozenset[_Stack | None]
"""All that could still be to be written; None: nothing, the text may end here."""


class Grammar:
    """A position in the texts of a shape. Immutable: `after` returns the next position."""

    def __init__(self, states: _States) -> None:
        self._states = states

    @classmethod
    def of(cls, shape: Shape, *, wide: bool = False) -> "Grammar":
        """The beginning of the texts of a shape.

        Args:
            shape: what is written.
            wide: whether a string without a pattern may hold characters beyond ASCII.

        Raises:
            ModelInputError: a pattern allows no plain character.
        """
        return cls(_expand(_push(_compile(shape, wide), None)))

    @property
    def complete(self) -> bool:
        """Whether the text may end here."""
        return None in self._states

    def next_bytes(self) -> frozenset[int]:
        """The bytes that may follow."""
        found: set[int] = set()
        for stack in self._states:
            if stack is not None:
                found |= {stack.head[0]} if isinstance(stack.head, bytes) else _set_of(stack.head)
        return frozenset(found)

    def after(self, text: bytes) -> "Grammar | None":
        """The position after `text`, or None where it cannot follow."""
        states = self._states
        for byte in text:
            states = _step(states, byte)
            if not states:
                return None
        return Grammar(states)

    def forced(self) -> tuple[bytes, "Grammar"]:
        """The text that must follow whatever the model thinks, and the position after it."""
        written = bytearray()
        grammar = self
        while not grammar.complete:
            only = grammar.next_bytes()
            if len(only) != 1:
                break
            written += bytes(only)
            grammar = Grammar(_step(grammar._states, next(iter(only))))
        # words that differ inside a character share its first bytes: stop before it, so that the text can be tokenised
        whole = bytes(written).decode(errors="ignore").encode()
        rest = self.after(whole)
        return (bytes(written), grammar) if rest is None or len(whole) == len(written) else (whole, rest)


def longest(shape: Shape, literal: Callable[[bytes], int] = len) -> int:
    """The most tokens that a text of a shape can take: no token is shorter than a byte.

    Args:
        shape: what is written.
        literal: tokens of a forced text, which is never chosen byte by byte; by default its bytes.
    """
    match shape:
        case Words((value,)):
            return literal(_json(value))
        case Words(values):
            return max(len(_json(value)) for value in values)
        case Text(_, high, _):
            return high + 2
        case Number(low, high, places):
            return max(len(str(int(low))), len(str(int(high)))) + 1 + (places + 1 if places else 0)
        case Form(parts):
            return sum(max(len(_form(one)) for one in part.split("|")) for part in parts) + 2
        case List(item, _, high):
            return 2 + high * longest(item, literal) + max(high - 1, 0)
        case Row(items):
            return 1 + sum(longest(item, literal) + 1 for item in items)
        case Record(fields):
            return 1 + sum(literal(_json(name)) + 2 + longest(sub, literal) for name, sub in fields)
        case Map(name, value, _, high):
            return 2 + high * (longest(name) + 2 + longest(value, literal))
        case Either(shapes):
            return max(longest(one, literal) for one in shapes)


def _json(value: object) -> bytes:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()


def _compile(shape: Shape, wide: bool) -> tuple[_Node, ...]:
    match shape:
        case Words(values):
            return (_Choice(tuple((_json(value),) for value in values)),)
        case Text(low, high, characters):
            if wide and characters == PLAIN_TEXT:
                return (b'"', _Many((_WIDE,), low, high), b'"')
            return (b'"', _Chars(_allowed(characters), low, high), b'"')
        case Number(low, high, places):
            return (_part(numerals(low, high, places)),)
        case Form(parts):
            return (b'"', *(_Choice(tuple(_form(one) for one in part.split("|"))) for part in parts), b'"')
        case List(item, low, high):
            return (b"[", *_items(_compile(item, wide), low, high), b"]")
        case Row(items):
            rest = (node for item in items[1:] for node in (b",", *_compile(item, wide)))
            return (b"[", *_compile(items[0], wide), *rest, b"]")
        case Record(fields):
            nodes: list[_Node] = []
            for i, (name, sub) in enumerate(fields):
                nodes += [(b"," if i else b"{") + _json(name) + b":", *_compile(sub, wide)]
            return (*nodes, b"}")
        case Map(name, value, low, high):
            field = (*_compile(name, wide), b":", *_compile(value, wide))
            return (b"{", *_items(field, low, high), b"}")
        case Either(shapes):
            return (_Choice(tuple(_compile(one, wide) for one in shapes)),)


def _items(item: tuple[_Node, ...], low: int, high: int) -> tuple[_Node, ...]:
    """`low` to `high` items with commas between."""
    if high == 0:
        return ()
    some = (*item, _Many((b",", *item), max(low - 1, 0), high - 1))
    return some if low else (_Choice(((), some)),)


def _part(part: Part) -> _Node:
    if isinstance(part, Run):
        return _Chars(frozenset(part.digits.encode()), part.minimum, part.maximum)
    if isinstance(part, Fork):
        return _Choice(tuple(tuple(_part(one) for one in branch) for branch in part.branches))
    return part.encode()


def _form(run: str) -> tuple[_Node, ...]:
    """A run of characters and classes with a count, like `4[0-9a-f]{3}`, one node for each character."""
    nodes: list[_Node] = []
    for characters, count in re.findall(r"(\[[^\]]+\]|.)(?:\{(\d+)\})?", run):
        nodes += [_Chars(_allowed(characters), 1, 1)] * int(count or 1)
    return tuple(nodes)


@cache
def _allowed(characters: str) -> frozenset[int]:
    allowed = frozenset(byte for byte in _PLAIN if re.fullmatch(characters, chr(byte)))
    if not allowed:
        raise ModelInputError(f"A model cannot be held to the pattern {characters!r}: it allows no plain character.")
    return allowed


def _push(nodes: tuple[_Node, ...], rest: _Stack | None) -> _Stack | None:
    for node in reversed(nodes):
        rest = _Stack(node, rest)
    return rest


def _set_of(head: _Node) -> frozenset[int]:
    """The bytes that an expanded node may begin with."""
    if isinstance(head, _Chars):
        return head.allowed
    raise AssertionError("a choice is resolved when it comes to the top of a stack")


def _expand(stack: _Stack | None) -> _States:
    """All ways to go on, each with bytes or characters at its head."""
    if stack is None:
        return frozenset((None,))
    head, rest = stack
    if isinstance(head, _Choice):
        return frozenset().union(*(_expand(_push(branch, rest)) for branch in head.branches))
    if isinstance(head, _Many):
        once = _Stack(_Many(head.item, max(head.minimum - 1, 0), head.maximum - 1), rest)
        again = _expand(_push(head.item, once)) if head.maximum else frozenset()
        return again | (_expand(rest) if head.minimum == 0 else frozenset())
    if isinstance(head, _Chars):
        more: _States = frozenset((stack,)) if head.maximum else frozenset()
        return more | (_expand(rest) if head.minimum == 0 else frozenset())
    return frozenset((stack,))


def _step(states: _States, byte: int) -> _States:
    found: set[_Stack | None] = set()
    for stack in states:
        if stack is None:
            continue
        head, rest = stack
        if isinstance(head, bytes):
            if head[0] == byte:
                found |= _expand(_Stack(head[1:], rest) if len(head) > 1 else rest)
        elif isinstance(head, _Chars) and byte in head.allowed:
            found |= _expand(_Stack(_Chars(head.allowed, max(head.minimum - 1, 0), head.maximum - 1), rest))
    return frozenset(found)
