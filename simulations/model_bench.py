"""What a model can do for the desk on this machine: speed, memory, and how often its objects are valid.

It is asked what the analysts ask: their prompts, on the generated market's evidence. Each request is put twice, once
for the scores alone and once with the claims; what the second takes longer is the writing. Each begins with words of
its own, so that no mind can answer from what it still has in memory.
"""

import os
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import closing
from itertools import chain
from pathlib import Path

from langchain_core.tools import BaseTool

from ..agents.analyst import Brief, analyse
from ..agents.models.core import Answer, Failure, ModelCore, Reply, Request, Usage
from ..agents.roles import Role
from ..agents.rosters import roster
from ..orchestration.desk_nodes import describe
from ..tools.frozen import Frozen
from ..tools.market.view import Market, open_market
from ..tools.regime import regime
from ..tools.toolbox import call, research_tools

SESSIONS_APART = 21
"""About a month between the decisions that are asked about."""


class Bench(Frozen):
    """What was measured."""

    model: str
    backend: str
    threads: int
    load_seconds: float
    """From the word to the open mind; the first time, a small model's 16-bit copy is made in it."""
    requests: int
    """With claims; as many again without."""
    asked: int
    """Signals asked for, with claims."""
    valid: int
    """That came with an object of the schema."""
    failures: dict[str, int]
    """Abstentions by kind."""
    prompt_tokens: int
    """Per request, on average."""
    prompt_tokens_per_second: float | None
    """While scoring; None for a mind that counts no tokens."""
    generated_tokens_per_second: float | None
    """None where nothing was written, or it took too short a time to tell."""
    signals_per_minute: float
    """Asked for, with claims."""
    validity_rate: float
    """valid / asked."""
    memory_bytes: int | None
    """Resident memory that the model added to this process; None for a server."""


class _Catcher:
    """A mind that keeps the question and says nothing."""

    key = "bench"

    def __init__(self) -> None:
        self.caught: list[Request] = []

    def answer(self, request: Request) -> Reply:
        self.caught.append(request)
        silence = Failure(kind="refused", reason="only the question was wanted")
        return Reply(answers=tuple(Answer(ticker=q.ticker, failure=silence) for q in request.questions))


def analyst_requests(market: Market, decisions: int, seed: int = 0) -> list[Request]:
    """What the analysts would ask at the last `decisions` monthly decisions of a market, in order of time."""
    sessions = market.dataset.bars.sessions
    catcher = _Catcher()
    for back in reversed(range(decisions)):
        view = market.view(market.calendar.close_of(sessions[-1 - SESSIONS_APART * back]))
        found = regime(view, seed=seed)
        tools = research_tools(view)
        for role in roster().analysts:
            briefs = [_brief(role, ticker, company.name, tools) for ticker, company in market.companies.items()]
            analyse(
                role,
                briefs,
                mind=catcher,
                as_of=view.as_of,
                regime=describe(found),
                seed=seed,
                market=found,
            )
    return catcher.caught


def bench_model(
    name: str,
    opened: Callable[[], ModelCore],
    requests: Sequence[Request],
    *,
    threads: int,
    clock: Callable[[], float],
    say: Callable[[str], None] = lambda text: None,
) -> Bench:
    """Measure a model.

    Args:
        name: what it was called by.
        opened: opens it.
        requests: with options and schemas, from `analyst_requests`.
        threads: that it was opened with, for the record.
        clock: seconds, monotonic.
        say: told what is being done.

    Raises:
        ModelInputError: it cannot be opened.
        ModelError: it broke while it answered.
    """
    before = _resident()
    say(f"opening {name}")
    began = clock()
    with closing(opened()) as mind:
        load_seconds = clock() - began
        say("warming up")
        mind.answer(_alone(requests[0].model_copy(update={"questions": requests[0].questions[:1]}), "Warm-up."))
        reading, writing = _Spent(), _Spent()
        answers: list[Answer] = []
        for i, request in enumerate(requests, 1):
            say(f"request {i} of {len(requests)}")
            reading.take(mind, _alone(request, f"Reading {i}."), clock)
            answers += writing.take(mind, _opened_by(request, f"Writing {i}."), clock)
        after = _resident()
        backend = mind.fingerprint.backend
    valid = sum(answer.object is not None and answer.failure is None for answer in answers)
    more = writing.usage.generated_tokens - reading.usage.generated_tokens
    longer = writing.seconds - reading.seconds
    return Bench(
        model=name,
        backend=backend,
        threads=threads,
        load_seconds=load_seconds,
        requests=len(requests),
        asked=len(answers),
        valid=valid,
        failures=dict(Counter(answer.failure.kind for answer in answers if answer.failure)),
        prompt_tokens=round(reading.usage.prompt_tokens / len(requests)),
        prompt_tokens_per_second=_rate(reading.usage.prompt_tokens, reading.seconds),
        generated_tokens_per_second=_rate(more, longer),
        signals_per_minute=60 * len(answers) / writing.seconds,
        validity_rate=valid / len(answers),
        memory_bytes=after - before if backend == "llama_cpp" and before and after else None,
    )


def default_requests(decisions: int) -> list[Request]:
    """The requests of the generated market."""
    return analyst_requests(open_market("generated", 7), decisions)


class _Spent:
    """Tokens and time of some requests."""

    def __init__(self) -> None:
        self.usage = Usage()
        self.seconds = 0.0

    def take(self, mind: ModelCore, request: Request, clock: Callable[[], float]) -> tuple[Answer, ...]:
        began = clock()
        reply = mind.answer(request)
        self.seconds += clock() - began
        self.usage = Usage(
            prompt_tokens=self.usage.prompt_tokens + reply.usage.prompt_tokens,
            generated_tokens=self.usage.generated_tokens + reply.usage.generated_tokens,
        )
        return reply.answers


def _opened_by(request: Request, words: str) -> Request:
    return request.model_copy(update={"system": f"{words}\n{request.system}"})


def _alone(request: Request, words: str) -> Request:
    """The scores alone."""
    return _opened_by(request, words).model_copy(update={"schema_": (), "schema_after": ()})


def _brief(role: Role, ticker: str, company: str, tools: dict[str, BaseTool]) -> Brief:
    found = chain.from_iterable(call(tools, name, ticker=ticker)[1] for name in role.plan)
    return Brief(ticker=ticker, company=company, evidence=role.sees(found))


def _rate(count: int, seconds: float) -> float | None:
    return count / seconds if count > 0 and seconds > 0 else None


def _resident() -> int:
    """Resident memory of this process in bytes; 0 where the system does not tell."""
    try:
        pages = int(Path("/proc/self/statm").read_text().split()[1])
    except (OSError, ValueError, IndexError):
        return 0
    return pages * os.sysconf("SC_PAGE_SIZE")
