"""A distribution over options from a server's token log-probabilities.

The server wrote `{"answer": "<chosen>"}` and lists, for each token it wrote, its most probable alternatives. Where
the text written so far is a beginning of the answer, an alternative that can only lead to one option gives its
probability to that option; one that leads to several off the written path is shared out equally among them (the
server says nothing about what would have followed); the written token hands its probability on to the next position.
"""

import math
from collections.abc import Mapping, Sequence
from math import fsum
from typing import Any

CHOSEN = 0.8
"""Probability of the chosen option where the server tells no log-probabilities; the others share the rest equally."""
FLOOR = 1e-6
"""No option gets less before normalising: a list of alternatives is cut somewhere, and absent is not impossible."""


def smoothed(options: Sequence[str], chosen: str) -> dict[str, float]:
    """`CHOSEN` for the chosen option, the rest shared equally; 1 where there is only one option."""
    if len(options) == 1:
        return {chosen: 1.0}
    other = (1.0 - CHOSEN) / (len(options) - 1)
    return {option: CHOSEN if option == chosen else other for option in options}


def distribution(logprobs: Any, options: Sequence[str], chosen: str) -> dict[str, float] | None:
    """Probabilities over the options, or None where the log-probabilities are absent or do not show the answer."""
    tokens = logprobs.get("content") if isinstance(logprobs, dict) else None
    if not isinstance(tokens, list):
        return None
    try:
        written = [str(token["token"]) for token in tokens]
        alternatives = [_alternatives(token) for token in tokens]
    except (KeyError, TypeError, ValueError, OverflowError):
        return None
    text = "".join(written)
    begin = text.rfind(f'"{chosen}"')
    if begin < 0:
        return None
    begin += 1
    found = dict.fromkeys(options, FLOOR)
    mass, position, told = 1.0, 0, False
    for token, others in zip(written, alternatives, strict=True):
        end = position + len(token)
        if end > begin and position < begin + len(chosen) + 1:
            before = text[begin:position] if position > begin else ""
            # a token may hold the quote before the answer: alternatives must begin with the same text
            head = text[position:begin] if position < begin else ""
            mass = _share(others, token, head, before, options, mass, found)
            told = True
        position = end
    found[chosen] += mass
    total = fsum(found.values())
    return {option: value / total for option, value in found.items()} if told and math.isfinite(total) else None


def _alternatives(token: Mapping[str, Any]) -> dict[str, float]:
    """Probabilities of the tokens that could have stood here, the written one among them."""
    listed = {str(one["token"]): math.exp(float(one["logprob"])) for one in token.get("top_logprobs") or ()}
    listed.setdefault(str(token["token"]), math.exp(float(token["logprob"])))
    return listed


def _share(
    others: Mapping[str, float],
    written: str,
    head: str,
    before: str,
    options: Sequence[str],
    mass: float,
    found: dict[str, float],
) -> float:
    """Give each alternative's probability to the options it leads to; returns what the written token hands on."""
    passed = 0.0
    usable: dict[str, list[str]] = {}
    for token in others:
        if token.startswith(head):
            so_far = before + token[len(head) :]
            leads = [one for one in options if f'{one}"'.startswith(so_far) or so_far.startswith(f'{one}"')]
            if leads and so_far != before:
                usable[token] = leads
    # only what can lead to an option counts: a server lists alternatives that its grammar forbids
    total = fsum(others[token] for token in usable)
    if total <= 0.0:
        return mass
    for token, leads in usable.items():
        share = mass * others[token] / total
        if token == written:
            passed = share
            continue
        for one in leads:
            found[one] += share / len(leads)
    return passed
