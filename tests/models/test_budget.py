"""A budget stops a session before it is exceeded, and counts what is on record."""

import math
from collections.abc import Callable
from typing import Any

import pytest

from paperdesk.agents.models.budget import Budget, BudgetError, BudgetExhausted, Meter, most
from paperdesk.agents.models.core import Answer, Question, Reply, Request, Usage
from paperdesk.agents.models.distribution import pooled

Ask = Callable[..., Request]


def reply(read: int, written: int) -> Reply:
    return Reply(answers=(Answer(ticker="T"),), usage=Usage(prompt_tokens=read, generated_tokens=written))


def test_tokens_and_money_are_counted_once_per_request() -> None:
    meter = Meter(Budget(price_prompt_per_million=2.0, price_generated_per_million=10.0))
    meter.count("a", reply(1_000, 100))
    meter.count("a", reply(1_000, 100))
    meter.count("b", reply(500, 50))
    spent = meter.spending()
    assert (spent.prompt_tokens, spent.generated_tokens) == (1_500, 150)
    assert spent.cost_usd == pytest.approx(0.003 + 0.0015)
    assert not spent.estimated


@pytest.mark.parametrize(
    ("budget", "told"),
    [
        (Budget(tokens=1_099), r"has spent 1,100 of 1,099 tokens: resume it with a larger budget\.$"),
        (Budget(None, 0.001, 1.0, 1.0), r"has spent 0\.0011 of 0\.0010 US dollars"),
    ],
)
def test_a_budget_that_is_exceeded_stops(budget: Budget, told: str) -> None:
    meter = Meter(budget)
    meter.count("a", reply(1_000, 99))
    if budget.tokens:
        meter.refuse_if_exceeded()
    meter.count("b", reply(1, 0))
    with pytest.raises(BudgetExhausted, match=told):
        meter.refuse_if_exceeded()


def test_a_request_is_refused_if_it_could_exceed_what_is_left(ask: Ask, claims_schema: Callable[..., Any]) -> None:
    request = ask("E1: up", schema=(claims_schema(),), content_free="N/A")
    need = most(request)
    enough = need.prompt_tokens + need.generated_tokens
    Meter(Budget(tokens=enough)).refuse_unless_affordable(request)
    with pytest.raises(BudgetExhausted, match=r"next request of technical, which could bring the session to .* tokens"):
        Meter(Budget(tokens=enough - 1)).refuse_unless_affordable(request)
    assert BudgetExhausted.exit_code == 1


def test_an_estimate_grows_with_everything_that_is_asked(ask: Ask, claims_schema: Callable[..., Any]) -> None:
    def total(request: Request, thinking: int = 0) -> int:
        usage = most(request, thinking)
        return usage.prompt_tokens + usage.generated_tokens

    one = ask("E1: up")
    assert total(ask("E1: up", "E1: up")) == 2 * total(one)
    reordered = ask(questions=(Question(ticker="T", text="E1: up", reorderings=("E1: up",)),))
    assert total(reordered) == 2 * total(one)
    assert total(ask("E1: up", content_free="E1: up")) == 2 * total(one)
    assert total(ask("E1: up", schema=(claims_schema(),))) > 2 * total(one)
    assert total(ask("E1: up", schema=(claims_schema(),), max_tokens=5_000)) > 5_000
    assert total(one, 1_000) == total(one) + 1_000
    assert total(ask("E1: up" * 100)) > total(one) + 250


@pytest.mark.parametrize(
    ("fields", "told"),
    [
        ({"tokens": 0}, "positive number"),
        ({"tokens": -5}, "positive number"),
        ({"money": math.nan, "price_prompt_per_million": 1.0, "price_generated_per_million": 1.0}, "positive number"),
        ({"money": math.inf, "price_prompt_per_million": 1.0, "price_generated_per_million": 1.0}, "positive number"),
        ({"money": 1.0}, "needs prices: give --price-prompt and --price-generated"),
        ({"money": 1.0, "price_prompt_per_million": 1.0}, "Only one of two prices"),
        ({"price_generated_per_million": 1.0}, "Only one of two prices"),
        ({"price_prompt_per_million": -1.0, "price_generated_per_million": 1.0}, "cannot be negative"),
        ({"price_prompt_per_million": math.nan, "price_generated_per_million": 1.0}, "cannot be negative"),
    ],
)
def test_an_impossible_budget_is_refused(fields: dict[str, Any], told: str) -> None:
    with pytest.raises(BudgetError, match=told):
        Budget(**fields)


def test_free_tokens_cost_nothing() -> None:
    assert Budget(None, 1.0, 0.0, 0.0).cost_usd(Usage(prompt_tokens=10**9)) == 0


def test_distributions_are_pooled_by_their_mean_and_their_divergence() -> None:
    one, other = {"a": 1.0, "b": 0.0}, {"a": 0.0, "b": 1.0}
    assert pooled([one]) == (one, 0.0)
    assert pooled([one, one]) == (one, 0.0)
    assert pooled([{"a": 1.0}, {"a": 1.0}]) == ({"a": 1.0}, 0.0)
    mean, sensitivity = pooled([one, other])
    assert mean == {"a": 0.5, "b": 0.5}
    assert sensitivity == pytest.approx(1.0)
    # by hand: H(0.7, 0.3) - (H(0.9, 0.1) + H(0.5, 0.5)) / 2, over log 2
    mean, sensitivity = pooled([{"a": 0.9, "b": 0.1}, {"a": 0.5, "b": 0.5}])
    assert mean == pytest.approx({"a": 0.7, "b": 0.3})
    assert sensitivity == pytest.approx(0.881291 - (0.468996 + 1.0) / 2, abs=1e-6)
