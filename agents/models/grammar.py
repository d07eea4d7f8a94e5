"""The automaton that holds decoding to a bounded schema.

A shape is compiled to the JSON texts that fit it (no spaces, fields in order, UTF-8), and a `Grammar` walks through
those texts byte by byte. It knows which bytes may follow, which text is forced (nothing is asked of the model there),
and when the text is complete. It has no opinion on tokens: a token may be written if all its bytes may follow one
another. Free strings are held to printable ASCII without quote and backslash, so that nothing ever needs an escape.
"""

import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import NamedTuple

from .core import ModelInputError
from .schemas import Either, List, Record, Shape, Text, Words

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


_Node = bytes | _Chars | _Choice


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
    def of(cls, shape: Shape) -> "Grammar":
        """The beginning of the texts of a shape.

        Raises:
            ModelInputError: a pattern allows no plain character.
        """
        return cls(_expand(_push(_compile(shape), None)))

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
        case List(item, _, high):
            return 2 + high * longest(item, literal) + max(high - 1, 0)
        case Record(fields):
            return 1 + sum(literal(_json(name)) + 2 + longest(sub, literal) for name, sub in fields)
        case Either(shapes):
            return max(longest(one, literal) for one in shapes)


def _json(value: object) -> bytes:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()


def _compile(shape: Shape) -> tuple[_Node, ...]:
    match shape:
        case Words(values):
            return (_Choice(tuple((_json(value),) for value in values)),)
        case Text(low, high, characters):
            return (b'"', _Chars(_allowed(characters), low, high), b'"')
        case List(item, low, high):
            return (b"[", *_items(_compile(item), low, high), b"]")
        case Record(fields):
            nodes: list[_Node] = []
            for i, (name, sub) in enumerate(fields):
                nodes += [(b"," if i else b"{") + _json(name) + b":", *_compile(sub)]
            return (*nodes, b"}")
        case Either(shapes):
            return (_Choice(tuple(_compile(one) for one in shapes)),)


def _items(item: tuple[_Node, ...], low: int, high: int) -> tuple[_Node, ...]:
    """`low` to `high` items with commas between; built from the last to the first, each optional beyond `low`."""
    tail: tuple[_Node, ...] = ()
    for i in range(high, 0, -1):
        one = ((b",", *item) if i > 1 else item) + tail
        tail = one if i <= low else (_Choice(((), one)),)
    return tail


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
