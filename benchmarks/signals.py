"""Signals per minute against the naive way, and whether sharing changes a stance.

The naive way asks llama-cpp-python's `Llama.create_chat_completion` with a JSON schema as `response_format`, once per
ticker and role, with the same messages, in the two orders a loop can have. `Llama` itself reuses the beginning that two
prompts in a row share: role by role that is the role's whole introduction, ticker by ticker (as the desks go that visit
one company after the other) next to nothing. It runs on the file as a user has it, and once more on the same 32-bit
copy that PaperDesk makes.
"""

import gc
import json
import statistics
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from llama_cpp import Llama

from paperdesk.agents.analyst import claims_schema
from paperdesk.agents.models.core import Request
from paperdesk.agents.models.distribution import best, calibrate, softmax
from paperdesk.agents.models.llama_cpp import LlamaCpp
from paperdesk.agents.models.llama_cpp.scoring import log_softmax_at
from paperdesk.agents.models.open import bundled_model
from paperdesk.agents.models.scorecard import Scorecard
from paperdesk.agents.models.template import CHATML, Turn
from paperdesk.agents.signals import STANCES

from .desk_requests import analyst_requests, single, stance_only

THREADS = 2
NAIVE_REQUESTS = 4
"""Of twelve, two of each role; the naive way takes minutes."""
REFERENCE_REQUESTS = 2
ALONE_REQUESTS = 4


def measure() -> list[dict[str, Any]]:
    """Rows: each way with its signals per minute, then the comparison of stances."""
    requests = analyst_requests()
    mind = LlamaCpp(bundled_model(), threads=THREADS)
    floats = _floats(mind)
    mind.answer(requests[0])  # the vocabulary is read at the first object
    rows = [
        _paperdesk(mind, "stance", [stance_only(request) for request in requests]),
        _paperdesk(mind, "stance with claims", requests),
        _paperdesk(mind, "stance in two orders of the evidence, with claims", analyst_requests(repeats=1)),
        _warm(mind, requests),
    ]
    rows += [_scorecard("stance", list(map(stance_only, requests))), _scorecard("stance with claims", requests)]
    same_alone = _alone(mind, requests[:ALONE_REQUESTS])
    shared = [mind.answer(stance_only(request)) for request in requests[:REFERENCE_REQUESTS]]
    mind.close()
    naive = []
    for name, path in (("as stored", bundled_model()), ("32-bit copy", floats)):
        naive += _naive(name, path, requests[:NAIVE_REQUESTS])
    gc.collect()
    by_what = {row["what"]: row["signals_per_minute"] for row in rows if row["way"] == "paperdesk" and "valid" in row}
    rows += naive
    for row in naive:
        ratio = by_what[row["what"]] / row["signals_per_minute"]
        rows.append({"compared": row["what"], "against": row["way"], "times_as_many": round(ratio, 1)})
    rows.append(same_alone)
    rows.append(_reference(floats, requests[:REFERENCE_REQUESTS], [reply.answers for reply in shared]))
    return rows


def _floats(mind: LlamaCpp) -> Path:
    from paperdesk.agents.models.llama_cpp.weights import expanded

    return expanded(bundled_model(), mind.fingerprint.digest, "f32")


def _paperdesk(mind: LlamaCpp, what: str, requests: list[Request]) -> dict[str, Any]:
    seconds, valid = [], 0
    for request in requests:
        began = time.perf_counter()
        answers = mind.answer(request).answers
        seconds.append((time.perf_counter() - began) / len(answers))
        valid += sum(answer.failure is None for answer in answers)
    return _row("paperdesk", what, seconds, [len(request.questions) for request in requests], valid)


def _scorecard(what: str, requests: list[Request]) -> dict[str, Any]:
    """The mind without a model: microseconds per ticker, the median of twenty rounds."""
    mind, rounds = Scorecard(), []
    for _ in range(20):
        began = time.perf_counter()
        count = sum(len(mind.answer(request).answers) for request in requests)
        rounds.append((time.perf_counter() - began) / count)
    return {"way": "scorecard", "what": what, "median_us": round(1e6 * statistics.median(rounds))}


def _warm(mind: LlamaCpp, requests: list[Request]) -> dict[str, Any]:
    """A scored stance where the beginning and the content-free answer are in memory already."""
    seconds: dict[str, list[float]] = {}
    for request in map(stance_only, requests[:6]):
        mind.answer(single(request, request.questions[0], 0))
        began = time.perf_counter()
        answers = mind.answer(request).answers
        seconds.setdefault(request.role, []).append((time.perf_counter() - began) / len(answers))
    medians = {f"{role}_ms": round(1000 * statistics.median(times)) for role, times in seconds.items()}
    return {"way": "paperdesk", "what": "stance on a warm prefix, median per ticker"} | medians


def _naive(name: str, path: Path, requests: list[Request]) -> list[dict[str, Any]]:
    """Both orders in which a loop over tickers and roles can ask, decision by decision; the first call is not timed."""
    llama = Llama(str(path), n_ctx=4096, n_threads=THREADS, n_threads_batch=THREADS, verbose=False)
    by_role = [(request, question) for request in requests for question in request.questions]
    by_ticker = [
        (request, request.questions[place])
        for pair in zip(requests[::2], requests[1::2], strict=True)
        for place in range(len(pair[0].questions))
        for request in pair
    ]
    rows = []
    _ask(llama, requests[-1], requests[-1].prefix + requests[-1].questions[-1].text, _stance_schema(0))
    for order, asked in (("role by role", by_role), ("ticker by ticker", by_ticker)):
        for what, schema_of in (("stance", _stance_schema), ("stance with claims", _signal_schema)):
            seconds, valid = [], 0
            for request, question in asked:
                schema = schema_of(len(question.evidence))
                began = time.perf_counter()
                valid += _ask(llama, request, request.prefix + question.text, schema)
                seconds.append(time.perf_counter() - began)
            rows.append(_row(f"naive, {name}, {order}", what, seconds, [1] * len(asked), valid))
    llama.close()
    return rows


def _ask(llama: Llama, request: Request, text: str, schema: dict[str, Any]) -> bool:
    answer = llama.create_chat_completion(
        messages=[{"role": "system", "content": request.system}, {"role": "user", "content": text}],
        response_format={"type": "json_object", "schema": schema},
        temperature=0.0,
        max_tokens=200,
    )
    try:
        json.loads(answer["choices"][0]["message"]["content"])
    except ValueError:
        return False
    return True


def _stance_schema(_: int) -> dict[str, Any]:
    return _object({"stance": {"type": "string", "enum": list(STANCES)}})


def _signal_schema(evidence: int) -> dict[str, Any]:
    claims = claims_schema([f"E{i + 1}" for i in range(evidence)], ("buy", "sell", "hold"))["properties"]["claims"]
    return _object({"stance": {"type": "string", "enum": list(STANCES)}, "claims": claims})


def _object(properties: dict[str, Any]) -> dict[str, Any]:
    return {"type": "object", "properties": properties, "required": list(properties), "additionalProperties": False}


def _row(way: str, what: str, seconds: list[float], counts: list[int], valid: int) -> dict[str, Any]:
    total = sum(count * each for count, each in zip(counts, seconds, strict=True))
    return {
        "way": way,
        "what": what,
        "signals": sum(counts),
        "valid": valid,
        "median_ms": round(1000 * statistics.median(seconds)),
        "signals_per_minute": round(60 * sum(counts) / total, 1),
    }


def _alone(mind: LlamaCpp, requests: list[Request]) -> dict[str, Any]:
    """Every question in a batch and alone in an empty memory: equal to the bit?"""
    questions = equal = 0
    for request in map(stance_only, requests):
        together = mind.answer(request).answers
        for i, question in enumerate(request.questions):
            mind._loaded.stems.forget()
            mind._loaded.biases.clear()
            (alone,) = mind.answer(single(request, question, i)).answers
            questions += 1
            equal += alone == together[i]
    return {"compared": "in a batch and alone", "questions": questions, "equal_to_the_bit": equal}


def _reference(path: Path, requests: list[Request], shared: list[Any]) -> dict[str, Any]:
    """The same distributions from llama-cpp-python's own evaluation of each whole prompt with each option."""
    llama = Llama(str(path), n_ctx=1024, n_threads=THREADS, logits_all=True, verbose=False)
    questions = same = 0
    furthest = 0.0
    for request, answers in zip(requests, shared, strict=True):
        assert request.content_free is not None
        bias = _whole(llama, request, request.content_free)
        for question, answer in zip(request.questions, answers, strict=True):
            found = calibrate(_whole(llama, request, question.text), bias)
            questions += 1
            same += best(found) == best(answer.probabilities)
            furthest = max(furthest, *(abs(found[name] - answer.probabilities[name]) for name in found))
    llama.close()
    return {
        "compared": "with whole evaluations by llama-cpp-python",
        "questions": questions,
        "same_stance": same,
        "furthest_probability": round(furthest, 5),
    }


def _whole(llama: Llama, request: Request, text: str) -> dict[str, float]:
    tokenize: Callable[..., list[int]] = llama.tokenize
    prompt: list[int] = []
    for piece in CHATML.lay_out([Turn("system", request.system), Turn("user", request.prefix + text)]):
        prompt += tokenize(piece.text.encode(), add_bos=False, special=piece.markup)
    logs = []
    for option in request.options:
        tail = [*tokenize(option.encode(), add_bos=False), *tokenize(b"\n", add_bos=False)]
        llama.reset()
        llama.eval([*prompt, *tail])
        scores = np.asarray(llama.scores)
        logs.append(sum(log_softmax_at(scores[len(prompt) - 1 + i], [token])[0] for i, token in enumerate(tail)))
    return dict(zip(request.options, softmax(logs).tolist(), strict=True))
