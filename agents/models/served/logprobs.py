"""A distribution over options from a server's token log-probabilities.

The server wrote `{"answer": "<chosen>"}`, or the chosen option alone, and lists, for each token it wrote, its most
probable alternatives. Where the text written so far is a beginning of the answer, an alternative that can only lead to
one option gives its probability to that option; one that leads to several off the written path is shared out equally
among them (the server says nothing about what would have followed); the written token hands its probability on to the
next position. Only what can lead to an option counts, because servers list alternatives that their grammar forbids.

Tokens are compared as bytes: vocabularies cut words and even characters anywhere.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import fsum
from typing import Any

CHOSEN = 0.8
"""Probability of the chosen option where the server tells no log-probabilities; the others share the rest equally."""
FLOOR = 1e-6
"""No option gets less before normalising: a list of alternatives is cut somewhere, and absent is not impossible."""
_MARKS = (("\u0120", " "), ("\u010a", "\n"), ("\u2581", " "))
"""How byte-level and SentencePiece vocabularies write spaces and line breaks, where a server passes that on."""


def smoothed(options: Sequence[str], chosen: str) -> dict[str, float]:
    """`CHOSEN` for the chosen option, the rest shared equally; 1 where there is only one option."""
    if len(options) == 1:
        return {chosen: 1.0}
    other = (1.0 - CHOSEN) / (len(options) - 1)
    return {option: CHOSEN if option == chosen else other for option in options}


def distribution(logprobs: Any, options: Sequence[str], chosen: str, *, quoted: bool = True) -> dict[str, float] | None:
    """Probabilities over the options, or None where the log-probabilities are absent or do not show the answer.

    Args:
        logprobs: of a choice, as the server sent it; anything.
        options: all different.
        chosen: the one that was written.
        quoted: whether it stands in a JSON object; else it is the whole text.
    """
    tokens = logprobs.get("content") if isinstance(logprobs, dict) else None
    if not isinstance(tokens, list):
        return None
    for marked in (False, True):
        try:
            steps = [_Step.of(token, marked=marked) for token in tokens]
        except (AttributeError, KeyError, TypeError, ValueError, OverflowError):
            return None
        text = b"".join(step.written for step in steps)
        begin = _begin(text, chosen.encode(), quoted)
        if begin is not None:
            return _read(steps, begin, _Goals(tuple(options), chosen, quoted))
    return None


@dataclass(frozen=True)
class _Step:
    """One written token, and the probabilities of all that are listed for its place, itself among them."""

    written: bytes
    listed: Mapping[bytes, float]

    @classmethod
    def of(cls, token: Mapping[str, Any], *, marked: bool) -> "_Step":
        written = _bytes(token, marked)
        listed: dict[bytes, float] = {}
        for one in token.get("top_logprobs") or ():
            # several tokens may have the same bytes
            listed[_bytes(one, marked)] = listed.get(_bytes(one, marked), 0.0) + math.exp(float(one["logprob"]))
        listed.setdefault(written, math.exp(float(token["logprob"])))
        return cls(written, listed)


@dataclass(frozen=True)
class _Goals:
    """What an answer can be."""

    options: tuple[str, ...]
    chosen: str
    quoted: bool

    def led_to(self, so_far: bytes) -> list[str]:
        """The options that a beginning of an answer can still become."""
        if self.quoted:
            ended = [(one, one.encode() + b'"') for one in self.options]
            return [one for one, whole in ended if whole.startswith(so_far) or so_far.startswith(whole)]
        plain = so_far.lstrip()
        return [
            one for one in self.options if plain and (one.encode().startswith(plain) or plain.rstrip() == one.encode())
        ]


def _read(steps: Sequence[_Step], begin: int, goals: _Goals) -> dict[str, float] | None:
    """The distribution; `begin` is where the answer begins in the text."""
    chosen = goals.chosen.encode()
    text = b"".join(step.written for step in steps)
    found = dict.fromkeys(goals.options, FLOOR)
    mass, position, told = 1.0, 0, False
    for step in steps:
        end = position + len(step.written)
        # from the token that ends where the answer begins (an alternative may reach into it) to the one that ends it
        if end >= begin and position <= begin + len(chosen):
            # a token may hold text before the answer: alternatives must begin with the same
            head, before = text[position:begin], text[begin:position]
            mass = _share(step, head, before, goals, mass, found)
            told = told or end > begin
        position = end
    found[goals.chosen] += mass
    total = fsum(found.values())
    return {option: value / total for option, value in found.items()} if told and math.isfinite(total) else None


def _share(step: _Step, head: bytes, before: bytes, goals: _Goals, mass: float, found: dict[str, float]) -> float:
    """Give each alternative's probability to the options it leads to; returns what the written token hands on."""
    usable = {step.written: [goals.chosen]}
    for token in step.listed:
        if token != step.written and token.startswith(head) and len(token) > len(head):
            leads = goals.led_to(before + token[len(head) :])
            if leads:
                usable[token] = leads
    total = fsum(step.listed[token] for token in usable)
    if total <= 0.0:
        return mass
    for token, leads in usable.items():
        if token != step.written:
            for one in leads:
                found[one] += mass * step.listed[token] / total / len(leads)
    return mass * step.listed[step.written] / total


def _begin(text: bytes, chosen: bytes, quoted: bool) -> int | None:
    """Where the answer begins in the text; None where it does not show."""
    if quoted:
        place = text.rfind(b'"' + chosen + b'"')
        return place + 1 if place >= 0 else None
    place = len(text) - len(text.lstrip())
    return place if text[place:].startswith(chosen) else None


def _bytes(token: Mapping[str, Any], marked: bool) -> bytes:
    """The bytes of a token: as the server lists them, else of its text."""
    listed = token.get("bytes")
    if isinstance(listed, list) and listed:
        return bytes(listed)
    text = str(token["token"])
    for mark, meant in _MARKS if marked else ():
        text = text.replace(mark, meant)
    return text.encode(errors="replace")
