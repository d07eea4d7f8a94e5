"""Minds behind servers of many kinds."""

from collections.abc import Callable, Iterator

import numpy as np
import pytest

from paperdesk.agents.models.served.access import Access
from paperdesk.agents.models.served.mind import OpenAICompatible

from .fake import Fake, Kind


@pytest.fixture
def fakes() -> Iterator[Callable[[Kind], Fake]]:
    """Starts servers; all are stopped at the end."""
    running: list[Fake] = []

    def start(kind: Kind) -> Fake:
        running.append(Fake(kind))
        return running[-1]

    yield start
    for one in running:
        one.close()


@pytest.fixture
def server(fakes: Callable[[Kind], Fake]) -> Fake:
    """Honours schemas, tells no log-probabilities."""
    return fakes(Kind(logprobs=0, logprobs_deed="ignore"))


@pytest.fixture
def waits() -> list[float]:
    """The waits between attempts, in seconds; nobody really waits."""
    return []


@pytest.fixture
def minds(waits: list[float]) -> Iterator[Callable[..., OpenAICompatible]]:
    """Opens minds; all are closed at the end. What was asked while opening is forgotten."""
    opened: list[OpenAICompatible] = []

    def make(server: Fake, model: str | None = None, **access: object) -> OpenAICompatible:
        given = Access.model_validate({"timeout_seconds": 5.0, **access})
        mind = OpenAICompatible(server.url, model, access=given, rng=np.random.default_rng(1), sleep=waits.append)
        opened.append(mind)
        server.forget()
        return mind

    yield make
    for one in opened:
        one.close()


@pytest.fixture
def mind(server: Fake, minds: Callable[..., OpenAICompatible]) -> OpenAICompatible:
    """Of `server`; asks one thing at a time, so that a script is answered in order."""
    return minds(server, concurrency=1)
