"""What `run` says is left: time and tokens, on a terminal in one line that moves, in a pipe beside each decision."""

import io
import re
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
from rich.console import Console

from paperdesk.agents.models.budget import Budget
from paperdesk.memory.journal import Record
from paperdesk.memory.journal.events import DecisionClosed, Event, ModelCalled
from paperdesk.simulations.console import Screen
from paperdesk.simulations.pace import Pace

from .conftest import Finished

AT = datetime(2026, 1, 2, tzinfo=UTC)


class Clock:
    """Seconds, as told."""

    seconds = 0.0

    def __call__(self) -> float:
        return self.seconds


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture(scope="module")
def events(generated_session: Finished) -> list[Event]:
    return list(generated_session.events)


def closed(number: int, day: Any) -> DecisionClosed:
    return DecisionClosed(decision=number, session=day)


def asked(key: str, read: int, written: int) -> ModelCalled:
    return ModelCalled(
        decision=0,
        agent="technical_analyst",
        task="stance",
        request_key=key,
        request={},
        reply={"answers": [], "usage": {"prompt_tokens": read, "generated_tokens": written}},
    )


def test_time_left_is_that_of_the_decisions_so_far(events: list[Event], clock: Clock) -> None:
    pace, started = Pace(now=clock), events[0]
    days = list(started.model_dump()["decisions"])
    pace.take(started, fresh=True)
    assert pace.told() == ""  # nothing to go by
    clock.seconds = 30
    pace.take(closed(0, days[0]), fresh=True)
    assert pace.seconds_left == 30 * (len(days) - 1)
    clock.seconds = 40
    assert pace.seconds_left == 30 * (len(days) - 1) - 10
    clock.seconds = 400  # the second one takes far longer: it may end at any moment, the others are still to come
    assert pace.seconds_left == 30 * (len(days) - 2)
    clock.seconds = 430
    pace.take(closed(1, days[1]), fresh=True)
    assert pace.seconds_left == 215 * (len(days) - 2)
    for number, day in enumerate(days[2:], 2):
        pace.take(closed(number, day), fresh=True)
    assert pace.seconds_left is None


def test_what_is_derived_from_the_record_counts_as_done_and_not_as_fast(events: list[Event], clock: Clock) -> None:
    pace, started = Pace(now=clock), events[0]
    days = list(started.model_dump()["decisions"])
    pace.take(started, fresh=False)
    pace.take(closed(0, days[0]), fresh=False)
    clock.seconds = 2
    assert pace.seconds_left is None
    pace.take(asked("a", 1, 1), fresh=True)
    clock.seconds = 62
    pace.take(closed(1, days[1]), fresh=True)
    assert pace.seconds_left == 60 * (len(days) - 2)


def test_tokens_are_told_and_what_is_left_of_a_budget() -> None:
    pace, free = (
        Pace(Budget(tokens=50_000, money=2.0, price_prompt_per_million=1e3, price_generated_per_million=1e3)),
        Pace(),
    )
    assert free.told() == ""
    for one in (pace, free):
        one.take(asked("a", 900, 100), fresh=False)
        one.take(asked("a", 900, 100), fresh=True)  # the same request is not paid for twice
        one.take(asked("b", 300, 40), fresh=True)
    assert free.told() == "1,340 tokens"
    assert pace.told() == "48,660 of 50,000 tokens left, 0.66 of 2.00 US dollars left"
    pace.take(asked("c", 100_000, 0), fresh=True)
    assert pace.told() == "0 of 50,000 tokens left, 0.00 of 2.00 US dollars left"


def shown(events: list[Event], clock: Clock, terminal: Console) -> Iterator[Screen]:
    """A screen, after each event; each takes a second."""
    screen = Screen(terminal, budget=Budget(tokens=90_000), now=clock)
    with screen.live():
        for seq, event in enumerate(events, 1):
            clock.seconds += 1
            screen.listen(Record(seq=seq, event=event, hash="", written_at=AT), fresh=True)
            yield screen


@pytest.mark.parametrize("width", [24, 80, 200])
def test_on_a_terminal_one_line_says_what_is_done_and_what_is_left(
    events: list[Event], clock: Clock, width: int
) -> None:
    terminal = Console(file=io.StringIO(), force_terminal=True, width=width, height=30, highlight=False)
    lines = set()
    for screen in shown(events[:400], clock, terminal):
        paper = Console(file=io.StringIO(), width=width)
        with paper.capture() as captured:
            paper.print(screen._moving())
        (line,) = captured.get().splitlines()
        assert len(line) <= width
        lines.add(line)
    if width >= 80:
        assert any(
            re.search(r"Technical analyst: \w.*  \d\d:\d\d  about \d+ \w+ left, [\d,]+ of 90,000 tokens left", line)
            for line in lines
        )


def test_in_a_pipe_each_decision_says_what_is_left(events: list[Event], clock: Clock) -> None:
    file = io.StringIO()
    for _ in shown(events, clock, Console(file=file, width=80, highlight=False)):
        pass
    titles = [line for line in file.getvalue().splitlines() if re.match(r"\d{4}-\d\d-\d\d  decision", line)]
    first, *others, last = titles
    assert first.endswith("; 90,000 of 90,000 tokens left")
    assert others
    for line in others:
        assert re.search(r"; about \d+ (s|min|h \d+ min) left, [\d,]+ of 90,000 tokens left$", line)
    assert "left" in last
