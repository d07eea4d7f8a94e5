"""What a server can do, found out once by small requests.

Servers that speak the same protocol honour different parts of it, and many ignore what they do not know. So nothing is
believed that an answer does not show: a schema is honoured if the answer keeps to words that no prompt hinted at;
log-probabilities are there if they come. What a server refuses is dropped, one field at a time (the one that its error
names, where it names one), and never sent again.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from itertools import combinations
from typing import Any, Literal

from ..budget import COUNTED
from ..core import ModelError
from ..schemas import shape_of, violation
from .reading import Unusable, content_of, first_choice, reports_usage, strict_json
from .refusals import named_field, quoted
from .wire import Refused, Wire

Hold = Literal["json_schema", "json_object_schema", "json_object", "text"]
"""How an answer is held to its form, the strongest first.

- `json_schema`: `response_format` with a schema, as OpenAI defines it; llama-server, vLLM, Ollama, LM Studio.
- `json_object_schema`: the schema beside the type `json_object`; llama_cpp.server.
- `json_object`: some JSON object; the schema stands in the prompt.
- `text`: nothing is held; the form is asked for in the prompt.
"""
HOLDS: tuple[Hold, ...] = ("json_schema", "json_object_schema", "json_object", "text")
TOP_LOGPROBS = (20, 5)
"""How many alternatives to ask for: OpenAI's limit, then what most others allow."""
THINKING_TOKENS = 8192
"""Added to each budget of a model that thinks before it answers, because its thoughts count."""
_HELLO_TOKENS = 16
_FORM_TOKENS = 160
_WORDS = ("zebra-47", "quartz-12")
PROBE_SCHEMA: dict[str, Any] = {
    "type": "object",
    "properties": {
        "word": {"type": "string", "enum": list(_WORDS)},
        "list": {"type": "array", "items": {"type": "string", "enum": list(_WORDS)}, "minItems": 1, "maxItems": 2},
    },
    "required": ["word", "list"],
    "additionalProperties": False,
}
"""Has the parts that the desk's schemas have; its words are ones that no model would say by chance."""
_HELLO = "Say hello."
_HELLO_JSON = 'Say hello in a JSON object with the single key "greeting". Write nothing else.'


@dataclass(frozen=True)
class Capabilities:
    """What a server takes and does; the same for the same server each time."""

    hold: Hold = "json_schema"
    logprobs: int = TOP_LOGPROBS[0]
    """Alternatives to ask for at each token; 0: the server tells none."""
    temperature: bool = True
    """Whether a temperature may be given."""
    seed: bool = True
    budget_field: Literal["max_tokens", "max_completion_tokens"] = "max_tokens"
    thinking_tokens: int = 0
    """Beyond the answer's own, for a model that thinks first."""
    usage: bool = True
    """Whether the server counts tokens; else they are counted by characters."""

    def settings(self) -> dict[str, str | int | float | bool]:
        """As part of a fingerprint."""
        return {
            "answers": self.hold,
            "top_logprobs": self.logprobs,
            "distribution": "log-probabilities, else the chosen option smoothed" if self.logprobs else "chosen option",
            "temperature": self.temperature,
            "seed": self.seed,
            "budget_field": self.budget_field,
            "thinking_tokens": self.thinking_tokens,
            "usage": "as the server counts" if self.usage else COUNTED,
        }

    def body(self, model: str, *, max_tokens: int, temperature: float, seed: int) -> dict[str, Any]:
        """The fields of a completion request that have nothing to do with its question."""
        fields: dict[str, Any] = {"model": model, self.budget_field: max_tokens + self.thinking_tokens}
        if self.temperature:
            fields["temperature"] = temperature
        if self.seed:
            fields["seed"] = seed
        return fields

    def form(self, schema: Mapping[str, Any]) -> dict[str, Any]:
        """The field that holds an answer to a schema, so far as the server can."""
        match self.hold:
            case "json_schema":
                named = {"name": "answer", "strict": True, "schema": schema}
                return {"response_format": {"type": "json_schema", "json_schema": named}}
            case "json_object_schema":
                return {"response_format": {"type": "json_object", "schema": schema}}
            case "json_object":
                return {"response_format": {"type": "json_object"}}
            case "text":
                return {}

    def alternatives(self) -> dict[str, Any]:
        """The fields that ask for log-probabilities, where there are any."""
        return {"logprobs": True, "top_logprobs": self.logprobs} if self.logprobs else {}


async def discover(wire: Wire, model: str) -> Capabilities:
    """Ask until it is clear what a server can do: between three and about a dozen requests of a few tokens.

    Raises:
        ModelError: the server takes no request at all, or broke.
    """
    prober = _Prober(wire, model)
    able = await prober.plain(Capabilities(hold="text", logprobs=0))
    able = await prober.alternatives(able)
    return await prober.hold(able)


class _Prober:
    """The requests of a discovery."""

    def __init__(self, wire: Wire, model: str) -> None:
        self._wire = wire
        self._model = model

    async def plain(self, able: Capabilities) -> Capabilities:
        """A request without any form: which of the plain fields are taken, and whether the model thinks first."""
        why = ""
        named: set[str] = set()
        tried: set[frozenset[str]] = set()
        while True:
            # the smallest set of changes that has not been tried and makes all those that errors asked for
            changes = next((one for one in _CHANGES if named <= one and one not in tried), None)
            if changes is None:
                raise ModelError(
                    f"The model server at {self._wire.url} takes no plain question ({why}): check the model's name and "
                    "the server's log."
                )
            tried.add(changes)
            changed = _changed(able, changes)
            try:
                document = await self._ask(changed, _HELLO, {})
                if _thinks(document):
                    changed = replace(changed, thinking_tokens=THINKING_TOKENS)
                    document = await self._ask(changed, _HELLO, {})
            except Refused as refused:
                why = f"status {refused.status}: {quoted(refused.text)}"
                name = named_field(refused.text, _PLAIN_FIELDS)
                # "use max_completion_tokens instead" names what to send
                named |= {"max_tokens" if name == "max_completion_tokens" else name} if name else set()
                continue
            return replace(changed, usage=reports_usage(document))

    async def alternatives(self, able: Capabilities) -> Capabilities:
        """How many log-probabilities come."""
        for number in TOP_LOGPROBS:
            tried = replace(able, logprobs=number)
            try:
                document = await self._ask(tried, _HELLO, tried.alternatives())
            except Refused:
                continue
            # taken, so fewer would not be told either if these are not
            return tried if _tells_alternatives(document) else able
        return able

    async def hold(self, able: Capabilities) -> Capabilities:
        """The strongest form that is honoured; log-probabilities are given up where they stand in its way."""
        for hold in HOLDS[:-1]:
            tried = replace(able, hold=hold)
            if await self._honours(tried):
                return tried
            if able.logprobs and await self._honours(replace(tried, logprobs=0)):
                return replace(tried, logprobs=0)
        return able

    async def _honours(self, able: Capabilities) -> bool:
        text = _HELLO_JSON if able.hold == "json_object" else _HELLO
        try:
            document = await self._ask(able, text, able.form(PROBE_SCHEMA) | able.alternatives())
            value = strict_json(content_of(first_choice(document)))
        except (Refused, Unusable):
            return False
        if able.hold == "json_object":
            return isinstance(value, dict)
        return violation(shape_of(PROBE_SCHEMA), value) is None

    async def _ask(self, able: Capabilities, text: str, more: Mapping[str, Any]) -> Any:
        budget = _HELLO_TOKENS if able.hold == "text" else _FORM_TOKENS
        body = able.body(self._model, max_tokens=budget, temperature=0, seed=0)
        body |= {"messages": [{"role": "user", "content": text}], **more}
        doubtful = tuple(name for name in (*_PLAIN_FIELDS, *more) if name in body)
        response = await self._wire.post("/chat/completions", body, doubtful)
        try:
            return strict_json(response.text)
        except Unusable as error:
            raise ModelError(
                f"What answers at {self._wire.url} is no model server ({error.clause}): give its address up to /v1."
            ) from None


_PLAIN_FIELDS = ("max_completion_tokens", "max_tokens", "temperature", "seed")
_CHANGEABLE = ("seed", "temperature", "max_tokens")
_CHANGES = [frozenset(some) for size in range(len(_CHANGEABLE) + 1) for some in combinations(_CHANGEABLE, size)]
"""Which fields to drop or rename, the fewest first."""


def _changed(able: Capabilities, changes: frozenset[str]) -> Capabilities:
    return replace(
        able,
        seed="seed" not in changes,
        temperature="temperature" not in changes,
        budget_field="max_completion_tokens" if "max_tokens" in changes else "max_tokens",
    )


def _thinks(document: Any) -> bool:
    """Whether a model spent tokens on thoughts before (or in place of) its answer."""
    usage = document.get("usage") if isinstance(document, dict) else None
    details = usage.get("completion_tokens_details") if isinstance(usage, dict) else None
    if isinstance(details, dict) and details.get("reasoning_tokens"):
        return True
    try:
        choice = first_choice(document)
    except Unusable:
        return False
    message = choice.get("message")
    message = message if isinstance(message, dict) else {}
    silent = not message.get("content") and choice.get("finish_reason") == "length"
    return bool(silent or message.get("reasoning_content") or message.get("reasoning"))


def _tells_alternatives(document: Any) -> bool:
    try:
        logprobs = first_choice(document).get("logprobs")
    except Unusable:
        return False
    tokens = logprobs.get("content") if isinstance(logprobs, dict) else None
    if not isinstance(tokens, list) or not tokens or not isinstance(tokens[0], dict):
        return False
    listed = tokens[0].get("top_logprobs")
    return isinstance(listed, list) and len(listed) > 1
