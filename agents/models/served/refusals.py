"""What a server means by refusing a request: the usual wordings of OpenAI, vLLM, llama-server, Ollama, LM Studio.

Nothing here guesses at numbers: where a message does not say by how much a prompt is too long, the excess stays
unknown.
"""

import json
import re
from collections.abc import Iterable, Mapping
from typing import Any

from ..core import Failure

REFUSALS = frozenset((400, 413, 422))
"""Statuses by which a server turns down one request without being broken."""
_CONTEXT = re.compile(
    r"context[ _](?:length|size|window)|maximum model length|max(?:imum)? (?:input|sequence) length|prompt is too long"
    r"|prompt too long|input length exceeds|reduce the length|maximum number of tokens allowed|exceeds? (?:the )?n_ctx",
    re.IGNORECASE,
)
_FILTER = re.compile(
    r"content[ _](?:filter|policy|management)|ResponsibleAI|\bmoderation\b|safety (?:system|filter)", re.IGNORECASE
)
_MISFIT = re.compile(r"json_validate_failed|failed to (?:generate|validate) (?:the )?json", re.IGNORECASE)
_QUOTA = re.compile(r"insufficient_quota|exceeded your current quota|billing|insufficient (?:credits|balance)", re.I)
_NUMBERS = tuple(
    re.compile(pattern, re.IGNORECASE | re.DOTALL)
    for pattern in (
        # llama-server's fields, and the sentence of its newer versions
        r'"n_prompt_tokens":\s*(?P<prompt>\d+).*"n_ctx":\s*(?P<limit>\d+)',
        r"request \((?P<prompt>\d+) tokens\) exceeds the available context size \((?P<limit>\d+) tokens\)",
        # newer vLLM
        r"is too large: (?P<more>\d+)\. This model's maximum context length is (?P<limit>\d+) tokens and your request "
        r"has (?P<prompt>\d+) input tokens",
        # OpenAI, older vLLM, llama_cpp.server
        r"maximum context length is (?P<limit>\d+) tokens[.,]? however,? (?:you requested|your messages resulted in) "
        r"(?:about )?(?P<prompt>\d+) tokens",
        r"Requested tokens \((?P<prompt>\d+)\) exceed context window of (?P<limit>\d+)",
        r"\(length (?P<prompt>\d+)\) is longer than the maximum model length of (?P<limit>\d+)",
        # Anthropic and Google through their compatible doors
        r"prompt is too long: (?P<prompt>\d+) tokens > (?P<limit>\d+) maximum",
        r"input token count \((?P<prompt>\d+)\) exceeds the maximum number of tokens allowed \((?P<limit>\d+)\)",
        # Mistral, LM Studio
        r"prompt contains (?P<prompt>\d+) tokens.*too large for model with (?P<limit>\d+) maximum",
        r"first (?P<prompt>\d+) tokens.*context length of only (?P<limit>\d+)",
    )
)
_EXCESS = re.compile(r"(?:context|prompt|input)[^.]*\bby (\d+) tokens", re.IGNORECASE)
_LONGEST_QUOTE = 200


def failure_of(status: int, text: str) -> Failure | None:
    """The abstention that a refused question comes to; None where the refusal has no meaning that we know.

    Args:
        status: of HTTP.
        text: the response's body, without any key.
    """
    if _FILTER.search(text):
        return Failure(kind="refused", reason="The server's content filter turned the question down.")
    if _MISFIT.search(text):
        return Failure(kind="invalid", reason="The server found that the model's answer does not fit its schema.")
    if status == 413 or _CONTEXT.search(text):
        excess = excess_tokens(text)
        by = f" by {excess} tokens" if excess else ""
        return Failure(kind="context", reason=f"The prompt is too long for the server{by}.", excess_tokens=excess)
    return None


def excess_tokens(text: str) -> int:
    """By how many tokens a prompt, with what may follow it, is too long; 0 where the message does not say."""
    for pattern in _NUMBERS:
        if found := pattern.search(text):
            numbers = {name: int(value) for name, value in found.groupdict().items()}
            return max(numbers["prompt"] + numbers.get("more", 0) - numbers["limit"], 0)
    found = _EXCESS.search(text)
    return int(found[1]) if found else 0


def is_about_quota(text: str) -> bool:
    """Whether an account has nothing left to spend, which no waiting mends."""
    return _QUOTA.search(text) is not None


def named_field(text: str, fields: Iterable[str]) -> str | None:
    """Which of the request's fields an error is about, so far as it says so.

    First by what the error says for programs (OpenAI's `param`, FastAPI's `loc`), then by the first name in its text.
    """
    wanted = tuple(fields)
    for name in _machine_words(text):
        if name in wanted:
            return name
    places = [(found.start(), name) for name in wanted if (found := re.search(rf"(?<![a-z_]){name}(?![a-z_])", text))]
    return min(places)[1] if places else None


def quoted(text: str) -> str:
    """What a server says, as a short clause of one line."""
    document = _parsed(text)
    error = document.get("error", document.get("detail", document)) if isinstance(document, dict) else text
    message = error.get("message", text) if isinstance(error, dict) else error
    line = " ".join(str(message).split())
    printable = "".join(character if character.isprintable() else "?" for character in line)
    return printable[:_LONGEST_QUOTE] + ("..." if len(printable) > _LONGEST_QUOTE else "") or "it says nothing more"


def _machine_words(text: str) -> list[str]:
    document = _parsed(text)
    if not isinstance(document, dict):
        return []
    words: list[str] = []
    error = document.get("error")
    if isinstance(error, Mapping) and isinstance(error.get("param"), str):
        words.append(error["param"].partition(".")[0])
    details = document.get("detail")
    for detail in details if isinstance(details, list) else []:
        place = detail.get("loc") if isinstance(detail, Mapping) else None
        words += [str(part) for part in place] if isinstance(place, list) else []
    return words


def _parsed(text: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return None
