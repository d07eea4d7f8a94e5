"""What came back, read strictly: an answer is taken as it is or not at all, and nothing is ever repaired."""

import json
import re
from collections.abc import Mapping
from typing import Any, NoReturn, TypeGuard

from ..budget import tokens_at_most
from ..core import Failure, FailureKind, Usage

FILTERED = frozenset(("content_filter", "safety", "refusal"))
"""Reasons to finish that mean a refusal."""
_FENCE = re.compile(r"```(?:json)?[ \t]*\n(?P<inside>.*)\n```", re.DOTALL)


class Unusable(Exception):
    """An answer that cannot be used.

    Args:
        clause: what is wrong with it, for people; holds nothing that the server wrote.
        kind: of the failure that it comes to.
    """

    def __init__(self, clause: str, kind: FailureKind = "invalid") -> None:
        super().__init__(clause)
        self.clause = clause
        self.kind = kind

    def failure(self) -> Failure:
        """As an abstention."""
        return Failure(kind=self.kind, reason=f"The server's answer is not usable: {self.clause}.")


def strict_json(text: str) -> Any:
    """The value of a JSON text by the letter of RFC 8259.

    Raises:
        Unusable: it is none, names a key twice, or holds NaN, an infinity or half a character.
    """

    def once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        if len({name for name, _ in pairs}) < len(pairs):
            raise Unusable("it names a key twice")
        return dict(pairs)

    def no_number(word: str) -> NoReturn:
        raise Unusable(f"it holds {word}, which is no number")

    def finite(digits: str) -> float:
        number = float(digits)
        return number if abs(number) != float("inf") else no_number("an infinity")

    try:
        value = json.loads(text, object_pairs_hook=once, parse_constant=no_number, parse_float=finite)
        json.dumps(value, ensure_ascii=False).encode()
    except UnicodeEncodeError:
        raise Unusable("it holds half a character") from None
    except (ValueError, RecursionError):
        raise Unusable("it is not JSON") from None
    return value


def first_choice(document: Any) -> dict[str, Any]:
    """The first choice of a completion.

    Raises:
        Unusable: there is none.
    """
    choices = document.get("choices") if isinstance(document, dict) else None
    if not isinstance(choices, list) or not choices or not isinstance(choices[0], dict):
        raise Unusable("it has no choices")
    choice: dict[str, Any] = choices[0]
    return choice


def content_of(choice: Mapping[str, Any]) -> str:
    """The text of a choice.

    Raises:
        Unusable: it was cut off, filtered or refused, or there is no text.
    """
    message = choice.get("message")
    message = message if isinstance(message, dict) else {}
    if choice.get("finish_reason") in FILTERED or message.get("refusal"):
        raise Unusable("the server refused to answer", "refused")
    if choice.get("finish_reason") == "length":
        raise Unusable("it was cut off at its token budget", "unfinished")
    content = message.get("content")
    if not isinstance(content, str):
        raise Unusable("it has no text")
    if any("\ud800" <= character <= "\udfff" for character in content):
        raise Unusable("it holds half a character")
    return content


def without_fence(text: str) -> str:
    """The text inside a markdown fence that encloses all of it; any other text unchanged.

    Only for servers that can hold an answer to nothing: a model without such a hold fences what it writes, and the
    fence is markup around the answer, not a part of it.
    """
    found = _FENCE.fullmatch(text.strip())
    return found["inside"] if found else text


def usage_of(document: Any, sent: str, written: str) -> Usage:
    """The tokens of one completion as the server counts them; what it does not tell is counted by characters."""
    usage = document.get("usage") if isinstance(document, dict) else None
    told = usage if isinstance(usage, dict) else {}
    prompt, generated = told.get("prompt_tokens"), told.get("completion_tokens")
    return Usage(
        prompt_tokens=prompt if _is_count(prompt) else tokens_at_most(sent),
        generated_tokens=generated if _is_count(generated) else tokens_at_most(written),
    )


def reports_usage(document: Any) -> bool:
    """Whether a server counts tokens for us."""
    usage = document.get("usage") if isinstance(document, dict) else None
    return (
        isinstance(usage, dict) and _is_count(usage.get("prompt_tokens")) and _is_count(usage.get("completion_tokens"))
    )


def _is_count(value: Any) -> TypeGuard[int]:
    return isinstance(value, int) and not isinstance(value, bool) and value >= 0
