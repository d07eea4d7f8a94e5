from typing import Literal

import pytest
from pydantic import BaseModel, ConfigDict, Field, field_validator

from paperdesk.agents.models.asking import generate, score
from paperdesk.agents.models.core import ModelInputError
from paperdesk.agents.models.llama_cpp import LlamaCpp
from paperdesk.agents.models.scorecard import Scorecard


class Weather(BaseModel):
    model_config = ConfigDict(extra="forbid")

    sky: Literal["blue", "grey"]
    wind: int = Field(ge=0, le=12)
    words: list[Literal["calm", "wild"]] = Field(min_length=1, max_length=2)


class Stubborn(BaseModel):
    answer: Literal["yes", "no"]

    @field_validator("answer")
    @classmethod
    def _neither(cls, value: str) -> str:
        raise ValueError("never content")


class Unbounded(BaseModel):
    text: str


def test_scores_are_distributions_and_the_bias_is_divided_out(mind: LlamaCpp) -> None:
    texts = ("E1 revenue growth +40%\nStance:", "E1 revenue growth -40%\nStance:")
    plain = score(mind, texts, ("sell", "hold", "buy"))
    corrected = score(mind, texts, ("sell", "hold", "buy"), content_free="E1 N/A\nStance:")
    for one, other in zip(plain, corrected, strict=True):
        assert sum(one.probabilities.values()) == pytest.approx(1)
        assert one.probabilities == one.raw == other.raw
        assert other.probabilities != other.raw
        assert other.order_sensitivity == 0


def test_an_object_is_an_instance_of_the_model(mind: LlamaCpp) -> None:
    first, second = generate(mind, ["A storm at sea.", "A summer's day."], Weather, temperature=1.0, seed=3)
    assert isinstance(first.object, Weather)
    assert isinstance(second.object, Weather)
    assert Weather.model_validate_json(first.completion) == first.object


def test_a_prompt_that_does_not_fit_has_a_failure_beside_one_that_does(mind: LlamaCpp) -> None:
    long, short = generate(mind, ["word " * 3000, "x"], Weather)
    assert long.failure is not None
    assert long.failure.kind == "context"
    assert (long.object, short.failure) == (None, None)


def test_what_a_validator_of_the_user_refuses_is_a_failure(mind: LlamaCpp) -> None:
    (written,) = generate(mind, ["Well?"], Stubborn)
    assert written.object is None
    assert written.failure is not None
    assert "never content" in written.failure.reason


def test_what_a_mind_cannot_do_is_refused(mind: LlamaCpp) -> None:
    with pytest.raises(ModelInputError, match="maxLength"):
        generate(mind, ["x"], Unbounded)
    with pytest.raises(ModelInputError, match="no formula for 'score'"):
        score(Scorecard(), ["x"], ("buy", "sell"))
