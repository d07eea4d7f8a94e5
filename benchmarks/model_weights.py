"""What copies of the bundled model in floats gain: the same request on each and on the file as stored, in turn."""

import statistics
import time
from typing import Any

from paperdesk.agents.models.core import Question, Request
from paperdesk.agents.models.llama_cpp import LlamaCpp, shared
from paperdesk.agents.models.open import bundled_model

REPEATS = 5
TICKERS = 7


def request() -> Request:
    """A batch like an analyst's: a shared prefix and seven questions with figures."""
    lines = "\n".join(f"E{i} quarter {3.7 * i - 12:+.0f}%" for i in range(1, 9))
    questions = tuple(Question(ticker=f"T{i}", text=f"Company {i}\n{lines}\nStance:") for i in range(TICKERS))
    return Request(
        role="technical_analyst",
        task="stance",
        system="You are the technical analyst of a trading desk. Answer with a stance.",
        prefix="Market: calm.\n" * 20,
        questions=questions,
        options=("strong_sell", "sell", "hold", "buy", "strong_buy"),
        content_free="Company\nE1 N/A\nStance:",
    )


def measure() -> list[dict[str, Any]]:
    """A row per kind of weights: median seconds per request and prompt tokens a second."""
    asked, seconds, tokens = request(), {"f32": [], "f16": [], "as_stored": []}, 0
    choose = shared.choose
    for _ in range(REPEATS):
        for kind in seconds:
            shared.choose = lambda path, header, kind=kind: kind
            mind = LlamaCpp(bundled_model())
            began = time.perf_counter()
            tokens = mind.answer(asked).usage.prompt_tokens
            seconds[kind].append(time.perf_counter() - began)
            mind.close()
    shared.choose = choose
    medians = {kind: statistics.median(times) for kind, times in seconds.items()}
    return [
        {
            "weights": kind,
            "median_s": round(median, 2),
            "prompt_tokens_per_s": round(tokens / median),
            "times_as_fast": round(medians["as_stored"] / median, 2),
        }
        for kind, median in medians.items()
    ]
