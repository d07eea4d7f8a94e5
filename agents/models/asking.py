"""The two questions that people ask a mind from Python: how likely is each answer, and write me an object.

Both are one `Request` under the surface, so they are batched, correct their bias, abstain and can be journaled as the
desk's own requests are:

    score(mind, ["E1 revenue growth +21%", "E1 revenue growth -9%"], ("sell", "hold", "buy"), content_free="E1 N/A")
    generate(mind, ["Name a colour of the sea."], Colour)
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Generic, Protocol, TypeVar

from pydantic import BaseModel, ValidationError

from .core import Answer, Failure, Question, Reply, Request

T = TypeVar("T", bound=BaseModel)


class Asked(Protocol):
    """Whoever answers requests: a mind, or one that keeps a journal."""

    def answer(self, request: Request) -> Reply:
        """The answers to a request, in the order of its questions."""
        ...


@dataclass(frozen=True)
class Scored:
    """A distribution over the options; either it or `failure` is there."""

    probabilities: dict[str, float]
    raw: dict[str, float]
    """Before the correction by the content-free prompt."""
    order_sensitivity: float
    """How far the orders of the evidence disagree, in [0, 1]; see `core.Answer`."""
    failure: Failure | None = None


@dataclass(frozen=True)
class Written(Generic[T]):
    """An object of the schema; either it or `failure` is there."""

    object: T | None
    completion: str
    """The text as written, to the letter."""
    failure: Failure | None = None


def score(
    mind: Asked,
    prompts: Sequence[str],
    options: Sequence[str],
    *,
    system: str = "",
    prefix: str = "",
    content_free: str | None = None,
    reorderings: Sequence[Sequence[str]] = (),
    seed: int = 0,
) -> tuple[Scored, ...]:
    """The probability of each option after each prompt, from one forward pass per prompt.

    Args:
        mind: who is asked.
        prompts: what follows the prefix, one per question.
        options: the possible answers, of any number of tokens, all different.
        system: the system message.
        prefix: the beginning that all prompts share; evaluated once.
        content_free: a prompt without content, whose distribution is divided out (Zhao et al. 2021).
        reorderings: for each prompt, the same with its evidence in other orders; the distribution is the mean.
        seed: of the request.

    Returns:
        One per prompt, in order; a prompt that cannot be answered has a `failure`, never a default.

    Raises:
        ModelError: the mind broke.
        ModelInputError: options that this mind cannot score.
    """
    orders = reorderings or [()] * len(prompts)
    questions = tuple(
        Question(ticker=str(i), text=text, reorderings=tuple(others))
        for i, (text, others) in enumerate(zip(prompts, orders, strict=True))
    )
    request = Request(
        role="user",
        task="score",
        system=system,
        prefix=prefix,
        questions=questions,
        options=tuple(options),
        content_free=content_free,
        seed=seed,
    )
    return tuple(
        Scored(answer.probabilities, answer.raw, answer.order_sensitivity, answer.failure)
        for answer in mind.answer(request).answers
    )


def generate(
    mind: Asked,
    prompts: Sequence[str],
    schema: type[T],
    *,
    system: str = "",
    prefix: str = "",
    temperature: float = 0.0,
    seed: int = 0,
) -> tuple[Written[T], ...]:
    """One object per prompt, decoded under the grammar of a pydantic model.

    The token budget follows from the schema, so that no object is cut; a schema without bounds is refused.

    Args:
        mind: who is asked.
        prompts: what follows the prefix, one per object.
        schema: a pydantic model whose strings, lists and numbers are bounded (docs/models.md).
        system: the system message.
        prefix: the beginning that all prompts share; evaluated once.
        temperature: 0 takes the most probable token each time.
        seed: of what is drawn at a temperature.

    Returns:
        One per prompt, in order; what could not be written has a `failure`, never a default.

    Raises:
        ModelError: the mind broke.
        ModelInputError: the schema has no bounds.
    """
    document: dict[str, Any] = schema.model_json_schema()
    request = Request.model_validate(
        {
            "role": "user",
            "task": "generate",
            "system": system,
            "prefix": prefix,
            "questions": tuple(Question(ticker=str(i), text=text) for i, text in enumerate(prompts)),
            "schema": (document,) * len(prompts),
            "temperature": temperature,
            "seed": seed,
        }
    )
    return tuple(_written(answer, schema) for answer in mind.answer(request).answers)


def _written(answer: Answer, schema: type[T]) -> Written[T]:
    if answer.failure:
        return Written(None, answer.completion, answer.failure)
    try:
        return Written(schema.model_validate_json(json.dumps(answer.object)), answer.completion)
    except ValidationError as error:
        # a validator of the user's own asks for more than the JSON schema can say
        reason = f"The object breaks a rule that its JSON schema does not state: {error.errors()[0]['msg']}."
        return Written(None, answer.completion, Failure(kind="invalid", reason=reason))
