"""Sentences in a document that speak to a machine instead of to investors.

A sentence is read after invisible characters, look-alike letters and spaced-out words have been undone. It counts as an
instruction when it holds a mark that no release needs (`[INST]`, `<|im_start|>`, `SYSTEM:`), or when it does one of the
things that only a message to a model does (the rules in `instructions.toml`): it orders the reader to put rules or
sources aside, it gives him a role, it asks for one of the desk's own answers, it claims powers over the desk's audit,
limits or orders, or it addresses a model and tells it what to do. Talk *about* models, assistants and prompts, of which
releases are full, is none of these.

Patterns find what somebody has thought of. `benchmarks/hostile_documents.py` measures what they miss.
"""

import re
import tomllib
import unicodedata
from collections.abc import Callable
from functools import cache, lru_cache
from importlib.resources import files
from typing import NamedTuple

from .passages import Piece, parts, trimmed

_INVISIBLE = re.compile("[\u00ad\u200b-\u200f\u202a-\u202e\u2060-\u2064\ufeff]|[\U000e0000-\U000e007f]")
_SPACED = re.compile(r"\b(?:[A-Za-z] ){4,}[A-Za-z]\b")
# Cyrillic and Greek letters that look like Latin ones
_LOOKALIKES = str.maketrans(
    "\u0430\u0435\u043e\u0440\u0441\u0443\u0445\u0456\u0455\u0501\u04cf\u0391\u0392\u0395\u0397\u0399\u039a\u039c\u039d"
    "\u039f\u03a1\u03a4\u03a7\u03bf\u0410\u0412\u0415\u041a\u041c\u041d\u041e\u0420\u0421\u0422\u0425\u0406",
    "aeopcyxisdlABEHIKMNOPTXoABEKMHOPCTXI",
)
_DIGITS = re.compile(r"(?<=[A-Za-z])[013457]+(?=[A-Za-z])|\b[013457](?=[A-Za-z]{2})")
_LETTERS = str.maketrans("013457", "oieast")

_MARKS = re.compile(
    r"<\|?/?\s?(?:im_(?:start|end)|system|user|assistant|endoftext|eot_id|start_header_id|instructions?|prompt|evidence"
    r"|tool\w*)\b[^>]{0,20}\|?>|</?(?:s|sys|inst)>|\[/?(?:inst|sys|system|assistant|instructions?)\]|<<<|>>>|<</?sys>>"
    r"|^\W{0,4}(?:system|assistant|developer|human|user)\s?(?:message|prompt|override|note|update)?\W{0,2}:"
    r"|^\W{0,4}\#{2,}\s*(?:new |updated |system |end of )?(?:instruction|prompt|system|task|response|input)"
    r"|\{\s*\"(?:role|claims|stance|system|instructions?|supports|tool|function)\"\s*:"
    r"|\b(?:begin|end|start) (?:of )?(?:system|prompt|instructions?|hidden|override|user input|evidence|quotation"
    r"|document)\b.{0,10}(?:$|[-=\]#.:])"
    r"|/\*|<!--|\bsystem_override\b"
    r"|\bjailbr[eo]\w+|\bprompt injection\b|\bDAN\b.{0,20}\b(?:mode|now)\b|\bsudo\b|\brm -rf\b",
    re.I | re.M,
)
_CASED = re.compile(r"\b(?:output|respond|reply|answer|return|print|say|rate)\b.{0,40}\b(?:BUY|STRONG BUY|SELL|HOLD)\b")
_ENCODED = re.compile(
    r"(?<![\w/=+.:-])(?=[A-Za-z0-9+/]*[a-z])(?=[A-Za-z0-9+/]*[A-Z])[A-Za-z0-9+/]{40,}={0,2}(?![\w/.])"
    r"|(?:%[0-9A-Fa-f]{2}){12,}|(?:\\x[0-9a-f]{2}){8,}"
)
_WORDS = re.compile(r"[a-z_]+")
_ODD = re.compile(
    "[\u00ad\u200b-\u200f\u202a-\u202e\u2060-\u2064\ufeff\u0370-\u04ff\u3040-\u30ff\u4e00-\u9fff\uff00-\uffef]"
    "|[\U000e0000-\U000e007f]|(?:\\b[A-Za-z] ){4}|[A-Za-z][013457][a-z]|<[|<]|>>|\\[/?[A-Za-z]{3}|##|[A-Za-z0-9+/]{40}"
    "|E\\d|=|(?:%[0-9A-Fa-f]{2}){4}|\\\\x|/\\*|<!"
)
"""Characters that disguise, or that a release has no use for."""

_EDGE = re.compile(
    r"(?:[.!?](?<!\bInc\.)(?<!\bCorp\.)(?<!\bCo\.)(?<!\bLtd\.)|(?<!>>)>|\]|\}|\*/|\)(?=\s+[A-Z])|%[0-9A-Fa-f]{2}|\bPROMPT)\s+"
    r"|\u3002\s*|strong_(?:buy|sell)\s+(?=[A-Z])"
)
"""Where a sentence may end that the cutting into sentences has missed."""

WINDOW, SHORT = 5, 30
"""So many pieces of so few characters are read as one sentence: an instruction may be broken into lines."""


class _Rules(NamedTuple):
    triggers: frozenset[str]
    """Without any of these words, and without odd characters, a sentence is no instruction and is not read further."""
    patterns: tuple[re.Pattern[str], ...]


@cache
def _rules() -> _Rules:
    """What `instructions.toml` says."""
    table = tomllib.loads(files(__package__).joinpath("instructions.toml").read_text(encoding="utf-8"))

    def whole(pattern: str) -> str:
        for name, words in table["words"].items():
            pattern = pattern.replace(f"@{name}@", words)
        return pattern

    patterns = (whole(pattern) for family in table["rules"].values() for pattern in family)
    return _Rules(frozenset(table["triggers"].split()), tuple(re.compile(p, re.I | re.S) for p in patterns))


def plain(text: str) -> str:
    """The text as a reader sees it: invisible characters gone, look-alike letters and spaced-out words undone."""
    seen = _INVISIBLE.sub("", unicodedata.normalize("NFKC", text)).translate(_LOOKALIKES)
    return _SPACED.sub(lambda match: match.group(0).replace(" ", ""), seen)


def may_instruct(text: str) -> bool:
    """Whether a text holds a word or a character without which none of its sentences is an instruction."""
    return not _rules().triggers.isdisjoint(_WORDS.findall(text.lower())) or _ODD.search(text) is not None


@lru_cache(maxsize=65536)
def is_instruction(sentence: str) -> bool:
    """Whether a sentence speaks to a machine."""
    if not may_instruct(sentence):
        return False
    seen = " ".join(plain(sentence).split())
    if _ENCODED.search(seen) or _MARKS.search(seen) or _CASED.search(seen):
        return True
    unmasked = _DIGITS.sub(lambda match: match.group(0).translate(_LETTERS), seen)
    readings = (seen,) if unmasked == seen else (seen, unmasked)
    return any(pattern.search(reading) for pattern in _rules().patterns for reading in readings)


def instructions_in(text: str) -> tuple[Piece, ...]:
    """Where the sentences stand that speak to a machine, in the order of the text."""
    if not may_instruct(text):
        return ()
    found = [piece for part in parts(text, Piece(0, len(text))) if (piece := trimmed(text, part)).end > piece.start]
    hit = [is_instruction(text[piece.start : piece.end]) for piece in found]
    for first in range(len(found) - 1):
        window = found[first : first + WINDOW]
        together = not any(hit[first : first + WINDOW]) and all(end - start <= SHORT for start, end in window)
        if together and is_instruction(" ".join(text[start:end] for start, end in window)):
            hit[first : first + WINDOW] = [True] * len(window)
    return tuple(narrowed(text, piece, is_instruction) for piece, told in zip(found, hit, strict=True) if told)


def narrowed(text: str, piece: Piece, tells: Callable[[str], bool]) -> Piece:
    """What tells in a piece, without the sentences that only stand beside it: marks hide the ends of sentences."""
    start, end = piece
    edges = [start + match.end() for match in _EDGE.finditer(text[start:end])]
    for edge in edges:
        if tells(text[start:edge].strip()) or not tells(text[edge:end].strip()):
            break
        start = edge
    for edge in reversed([edge for edge in edges if edge > start]):
        if tells(text[edge:end].strip()) or not tells(text[start:edge].strip()):
            break
        end = edge
    return trimmed(text, Piece(start, end))
