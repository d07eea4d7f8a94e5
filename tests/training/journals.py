"""Journals as sessions write them, decided by a rule instead of a market: real files, hundreds of decisions at once."""

from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from typing import Any

import numpy as np

from paperdesk.agents.models.core import Answer, Failure, Question, Reply, Request
from paperdesk.agents.signals import STANCES
from paperdesk.memory.journal import Journal
from paperdesk.memory.journal.events import DecisionOpened, ModelCalled, SessionStarted, SignalResolved
from paperdesk.memory.outcome import Outcome
from paperdesk.tools.broker.protocol import PortfolioSnapshot

AGENT = "technical_analyst"
TICKERS = ("AURX", "BLTN", "CRDL")
BEGIN = date(2030, 1, 4)
HORIZON_DAYS = 21
"""Days (of the calendar) after which an outcome is known."""
MIDDLES = (-2.0, -1.0, 0.0, 1.0, 2.0)
"""Surprises in the middle of the five stances."""
Rule = Callable[[int, np.random.Generator], int]
"""From the figure that is shown, -9 to 9, to the place of the stance that turns out right."""


def rising(figure: int, rng: np.random.Generator) -> int:
    """What rose goes on rising."""
    return int(np.searchsorted((-6, -2, 2, 6), figure))


def turned(figure: int, rng: np.random.Generator) -> int:
    """What rose falls."""
    return 4 - rising(figure, rng)


def luck(figure: int, rng: np.random.Generator) -> int:
    """Nothing can be known."""
    return int(rng.integers(5))


def day_of(decision: int) -> date:
    """Decisions are weekly."""
    return BEGIN + timedelta(days=7 * decision)


def close(day: date) -> datetime:
    return datetime.combine(day, time(21), UTC)


def write_journal(
    folder: Path,
    rule: Rule,
    *,
    decisions: int = 80,
    first: int = 0,
    seed: int = 0,
    config: Mapping[str, Any] | None = None,
    scores: Callable[[int], list[float]] = lambda figure: [0.2] * 5,
    too_long_at: int | None = None,
) -> Path:
    """A session of so many weekly decisions.

    Args:
        folder: of the session.
        rule: what turns out right.
        decisions: how many.
        first: number of the first week.
        seed: of the figures.
        config: of the session.
        scores: what its mind says to a figure.
        too_long_at: a decision whose first request does not fit the mind's context, and is sent again in fewer words.
    """
    rng = np.random.default_rng(seed)
    waiting: list[SignalResolved] = []
    with Journal.create(folder, config=dict(config or {})) as journal:
        journal.append(
            SessionStarted(
                config={},
                market="m",
                market_fingerprint="f" * 64,
                universe=list(TICKERS),
                benchmark=None,
                model={},
                prompts="",
            )
        )
        for decision in range(decisions):
            day = day_of(first + decision)
            for event in [event for event in waiting if event.record.available_at <= close(day)]:
                journal.append(event.model_copy(update={"decision": decision}))
                waiting.remove(event)
            snapshot = PortfolioSnapshot.valued(close(day), 1.0, {}, {})
            journal.append(
                DecisionOpened(decision=decision, as_of=close(day), session=day, regime={}, portfolio=snapshot)
            )
            figures = [int(figure) for figure in rng.integers(-9, 10, len(TICKERS))]
            if decision == too_long_at:
                journal.append(_called(decision, day, figures, scores, "a long story\n"))
            journal.append(_called(decision, day, figures, scores))
            for ticker, figure in zip(TICKERS, figures, strict=True):
                waiting.append(_resolved(decision, day, ticker, rule(figure, rng)))
    return folder


def text_of(day: date, ticker: str, figure: int) -> str:
    """The question about a figure."""
    return f"E1 {figure:+d}% {ticker} {day:%y%m%d}\nStance:"


def _called(
    decision: int, day: date, figures: list[int], scores: Callable[[int], list[float]], before: str = ""
) -> ModelCalled:
    questions = tuple(
        Question(ticker=ticker, text=before + text_of(day, ticker, figure))
        for ticker, figure in zip(TICKERS, figures, strict=True)
    )
    request = Request(
        role=AGENT,
        task="stance",
        system="You judge.",
        prefix="Market: calm.\n",
        questions=questions,
        options=STANCES,
        content_free="N/A\nStance:",
        lead_in="\n",
    )
    answers = tuple(
        Answer(ticker=ticker, failure=Failure(kind="context", reason="too long"))
        if before
        else Answer(ticker=ticker, probabilities=dict(zip(STANCES, scores(figure), strict=True)))
        for ticker, figure in zip(TICKERS, figures, strict=True)
    )
    return ModelCalled(
        decision=decision,
        agent=AGENT,
        task="stance",
        request_key=f"{decision}{before}",
        request=request.model_dump(mode="json", by_alias=True),
        reply=Reply(answers=answers).model_dump(mode="json"),
    )


def _resolved(decision: int, day: date, ticker: str, place: int) -> SignalResolved:
    outcome = Outcome(
        agent=AGENT,
        model="mind",
        regime="calm",
        ticker=ticker,
        market="f" * 64,
        issued_on=day,
        available_at=close(day + timedelta(days=HORIZON_DAYS)),
        horizon_days=15,
        stance="hold",
        probabilities=dict.fromkeys(STANCES, 0.2),
        score=0.0,
        excess=MIDDLES[place] / 10,
        surprise=MIDDLES[place],
        weight=0.5,
    )
    return SignalResolved(
        decision=decision,
        agent=AGENT,
        ticker=ticker,
        issued_in=decision,
        score=0.0,
        outcome=outcome.excess,
        record=outcome,
    )
