"""A small session's events, told from real contract types."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from paperdesk.memory.journal import Journal
from paperdesk.memory.journal.events import (
    AuditIssued,
    BarClosed,
    DecisionClosed,
    DecisionOpened,
    Event,
    ModelCalled,
    OrderSubmitted,
    SessionEnded,
    SessionStarted,
    SignalIssued,
    ToolCalled,
)
from paperdesk.tools.broker.protocol import OrderIntent, PortfolioSnapshot, client_order_id
from paperdesk.tools.evidence import Evidence

TICKERS = ("AURX", "BLTN")


def clock() -> datetime:
    return datetime(2031, 4, 1, 12, 0, tzinfo=UTC)


def start(seed: int = 7) -> SessionStarted:
    return SessionStarted(
        config={"seed": seed, "every": "week"},
        market="generated",
        market_fingerprint="f" * 64,
        universe=list(TICKERS),
        benchmark=None,
        model={"backend": "scorecard", "name": "scorecard"},
        prompts="p" * 64,
    )


def decide(number: int, drift: float = 0.0) -> list[Event]:
    """One decision; `drift` shifts the momentum that the first analyst saw."""
    as_of = datetime(2031, 3, 28, 20, 0, tzinfo=UTC) + timedelta(weeks=number)
    events: list[Event] = [
        DecisionOpened(
            decision=number,
            as_of=as_of,
            session=as_of.date(),
            regime={"name": "calm", "probability": 0.9},
            portfolio=PortfolioSnapshot(
                at=as_of, cash=1e5 - number, equity=1e5, positions={}, prices=dict.fromkeys(TICKERS, 10.0)
            ),
        )
    ]
    for i, ticker in enumerate(TICKERS):
        momentum = Evidence.of(
            id=f"{ticker}/momentum_3m/{as_of.date()}",
            kind="indicator",
            measure="momentum_3m",
            ticker=ticker,
            as_of=as_of,
            available_at=as_of,
            period="63 sessions",
            value=0.1 + number / 100 + i / 10 + drift,
            source="prices",
        )
        stance = "buy" if i else "hold"
        events += [
            ToolCalled(
                decision=number, agent="technical", tool="indicators", ticker=ticker, arguments={}, evidence=[momentum]
            ),
            ModelCalled(
                decision=number,
                agent="technical",
                task="stance",
                request_key=f"key-{number}-{ticker}",
                request={"text": f"What of {ticker}?"},
                reply={"answers": [{"ticker": ticker, "probabilities": {"buy": 0.1 + 0.2, "hold": 0.7}}]},
            ),
            SignalIssued(
                decision=number,
                agent="technical",
                ticker=ticker,
                round=0,
                stance=stance,
                confidence=0.7,
                abstained=False,
                rationale=f"The 3-month return of {ticker} supports {stance}: Überschuß, rising margins.",
                signal={"stance": stance, "probabilities": {"buy": 0.30000000000000004 + drift}},
            ),
            AuditIssued(
                decision=number,
                agent="technical",
                ticker=ticker,
                round=0,
                verdict="pass",
                report={"findings": [{"rule": "staleness", "claim": "the filing is overdue", "severity": "note"}]},
            ),
        ]
    order = OrderIntent(
        client_order_id=client_order_id("s", number, "BLTN"),
        ticker="BLTN",
        side="buy",
        quantity=10,
        reference_price=10.0,
        decided_at=as_of,
    )
    events += [
        OrderSubmitted(decision=number, ticker="BLTN", order=order, reason="momentum lifted its target weight"),
        BarClosed(session=as_of.date(), cash=1e5, equity=1e5, positions={}, prices={}),
        DecisionClosed(decision=number, session=as_of.date()),
    ]
    return events


def story(decisions: int = 3, seed: int = 7) -> list[Event]:
    """A whole session."""
    end = SessionEnded(metrics={"total_return": 0.01})
    return [start(seed), *(event for number in range(decisions) for event in decide(number)), end]


@pytest.fixture
def events() -> list[Event]:
    return story()


@pytest.fixture
def tell() -> Callable[..., list[Event]]:
    """`tell(decisions=3, seed=7)`: the events of a session."""
    return story


@pytest.fixture
def told(tmp_path: Path, events: list[Event]) -> Path:
    """The folder of a finished session."""
    folder = tmp_path / "session"
    with Journal.create(folder, clock=clock) as journal:
        for event in events:
            journal.append(event)
        journal.finish()
    return folder


@pytest.fixture
def stopped(tmp_path: Path, events: list[Event]) -> Path:
    """The folder of a session that stopped after 15 events."""
    folder = tmp_path / "stopped"
    with Journal.create(folder, clock=clock) as journal:
        for event in events[:15]:
            journal.append(event)
    return folder
