"""Distributions from token log-probabilities, however a vocabulary cuts the words."""

import math
from typing import Any

import pytest

from paperdesk.agents.models.served.logprobs import CHOSEN, FLOOR, distribution, smoothed

THREE = ("strong_sell", "buy", "strong_buy")


def step(text: str, others: dict[str, float]) -> dict[str, Any]:
    """A written token with the probabilities of what could have stood there."""
    listed = [{"token": name, "logprob": math.log(p), "bytes": None} for name, p in others.items()]
    return {"token": text, "bytes": None, "logprob": math.log(others.get(text, 1.0)), "top_logprobs": listed}


def token(text: str, **others: float) -> dict[str, Any]:
    return step(text, others)


def read(*tokens: dict[str, Any], options: tuple[str, ...] = THREE, chosen: str = "buy", quoted: bool = True) -> Any:
    return distribution({"content": list(tokens)}, options, chosen, quoted=quoted)


def test_they_are_read_where_the_options_part() -> None:
    # buy 0.6; "strong" 0.4 leads to two options, about which the server says nothing: half each
    found = read(token('{"answer": "'), token("buy", buy=0.6, strong=0.4), token('"}'))
    assert found == pytest.approx({"strong_sell": 0.2, "buy": 0.6, "strong_buy": 0.2}, abs=1e-5)


def test_they_follow_a_shared_beginning() -> None:
    found = read(
        token('{"answer":"'),
        token("strong", buy=0.2, strong=0.8),
        token("_sell", _sell=0.75, _buy=0.25),
        token('"}'),
        chosen="strong_sell",
    )
    assert found == pytest.approx({"strong_sell": 0.6, "buy": 0.2, "strong_buy": 0.2}, abs=1e-5)


def test_letters_one_by_one() -> None:
    letters = [token('{"answer": "'), token("s", s=0.5, b=0.5), *(token(c) for c in "trong_"), token("b", s=0.4, b=0.6)]
    found = read(*letters, token("u"), token("y"), token('"'), token("}"), chosen="strong_buy")
    assert found == pytest.approx({"strong_sell": 0.2, "buy": 0.5, "strong_buy": 0.3}, abs=1e-5)


def test_a_token_that_holds_text_before_the_answer() -> None:
    found = read(token('{"answer":'), step(' "buy', {' "buy': 0.7, ' "strong': 0.2, "buy": 0.1}), token('"}'))
    # the last alternative would end the object: a grammar forbids it, so it does not count
    assert found == pytest.approx({"strong_sell": 1 / 9, "buy": 7 / 9, "strong_buy": 1 / 9}, abs=1e-5)


def test_an_alternative_that_reaches_into_the_answer_from_before_it() -> None:
    found = read(
        step('{"answer":', {}), step(' "', {' "': 0.6, ' "strong_sell': 0.4}), token("buy", buy=1.0), token('"')
    )
    assert found == pytest.approx({"strong_sell": 0.4, "buy": 0.6, "strong_buy": 0.0}, abs=1e-5)


def test_a_token_that_holds_the_whole_object() -> None:
    found = read(step('{"answer":"buy"}', {'{"answer":"buy"}': 0.75, '{"answer":"strong_buy"}': 0.25}))
    assert found == pytest.approx({"strong_sell": 0.0, "buy": 0.75, "strong_buy": 0.25}, abs=1e-5)


def test_an_option_that_begins_another_is_told_apart_by_what_follows() -> None:
    found = read(
        token('{"answer": "'),
        token("buy", buy=0.9, wait=0.1),
        step('"}', {'"}': 0.5, "_more": 0.5}),
        options=("buy", "buy_more", "wait"),
    )
    assert found == pytest.approx({"buy": 0.45, "buy_more": 0.45, "wait": 0.1}, abs=1e-5)


@pytest.mark.parametrize("space", ["\u0120", "\u2581"])
def test_marks_of_vocabularies_are_understood(space: str) -> None:
    found = read(step('{"answer":', {}), step(f'{space}"', {}), token("buy", buy=0.6, strong=0.4), token('"}'))
    assert found["buy"] == pytest.approx(0.6, abs=1e-5)
    plain = read(step(f"{space}buy", {f"{space}buy": 0.6, f"{space}strong": 0.4}), quoted=False)
    assert plain["buy"] == pytest.approx(0.6, abs=1e-5)


def test_bytes_tell_where_texts_cannot() -> None:
    # an option outside ASCII, cut inside a character: both halves print as the same replacement character
    word = "h\u00e4lt".encode()
    cut = [
        token('{"answer": "'),
        {"token": "h\ufffd", "bytes": list(word[:2]), "logprob": math.log(0.7), "top_logprobs": [
            {"token": "h\ufffd", "bytes": list(word[:2]), "logprob": math.log(0.7)},
            {"token": "buy", "bytes": list(b"buy"), "logprob": math.log(0.3)},
        ]},
        {"token": "\ufffdlt", "bytes": list(word[2:]), "logprob": 0.0, "top_logprobs": []},
        token('"}'),
    ]  # fmt: skip
    found = read(*cut, options=("h\u00e4lt", "buy"), chosen="h\u00e4lt")
    assert found == pytest.approx({"h\u00e4lt": 0.7, "buy": 0.3}, abs=1e-5)


def test_a_bare_answer_ends_with_the_text() -> None:
    found = read(
        token("strong", strong=0.5, buy=0.5), token("_buy", _buy=0.6, _sell=0.4), chosen="strong_buy", quoted=False
    )
    assert found == pytest.approx({"strong_sell": 0.2, "buy": 0.5, "strong_buy": 0.3}, abs=1e-5)
    ended = [
        step(" buy", {" buy": 0.8, "Buy": 0.1, " buyer": 0.1}),
        step("<|im_end|>", {"<|im_end|>": 0.5, "_more": 0.5}),
    ]
    found = read(*ended, options=("buy", "buy_more"), quoted=False)
    assert found == pytest.approx({"buy": 0.5, "buy_more": 0.5}, abs=1e-5)


def test_an_option_that_is_not_listed_gets_the_floor() -> None:
    found = read(token('{"answer": "'), token("buy", buy=0.999), token('"}'))
    assert 0 < found["strong_sell"] == found["strong_buy"] == pytest.approx(FLOOR, rel=1e-3)
    assert sum(found.values()) == pytest.approx(1)


def test_impossible_alternatives_count_as_nothing() -> None:
    written = token("buy", buy=0.6)
    written["top_logprobs"].append({"token": "strong", "logprob": -9999.0})
    assert read(token('{"answer": "'), written, token('"}'))["buy"] == pytest.approx(1, abs=1e-5)


@pytest.mark.parametrize(
    "logprobs",
    [
        None,
        [],
        "many",
        {},
        {"content": None},
        {"content": []},
        {"content": ["buy"]},
        {"content": [{"token": "x"}]},
        {"content": [token("x")]},
        {"content": [token('{"answer": "'), {"token": "buy", "logprob": None}, token('"}')]},
        {"content": [token('{"answer": "'), {"token": "buy", "logprob": 1e9}, token('"}')]},
        {"content": [token('{"answer": "'), {"token": "buy", "logprob": 0, "top_logprobs": 5}, token('"}')]},
        {"content": [token('{"answer": "'), {"token": "buy", "logprob": 0, "bytes": [999]}, token('"}')]},
    ],
)
def test_without_usable_log_probabilities_there_is_no_distribution(logprobs: Any) -> None:
    assert distribution(logprobs, ("buy", "sell"), "buy") is None


def test_a_bare_choice_is_smoothed() -> None:
    assert smoothed(("a", "b", "c"), "b") == pytest.approx({"a": 0.1, "b": CHOSEN, "c": 0.1})
    assert smoothed(("a",), "a") == {"a": 1.0}
