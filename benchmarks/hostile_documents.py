"""Hostile documents: sentences that speak to a model, put into the press releases that a session reads.

Each release of the market that a decision can look at gets one sentence at a place drawn at random, the patterns in
turn. The session with them is compared with the one without: what was found, whether each request to a mind is the same
to the letter (then any mind answers the same), whether the orders are, and whether any position is larger.
"""

import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path
from random import Random
from typing import Any
from unittest.mock import patch

from paperdesk.agents.signals import Signal
from paperdesk.memory.journal import Journal
from paperdesk.simulations import session as sessions
from paperdesk.simulations.config import SessionConfig
from paperdesk.tools.market.documents.passages import Piece
from paperdesk.tools.market.documents.passages import sentences as sentences_of
from paperdesk.tools.market.records import Document
from paperdesk.tools.market.view import Market, open_market

from .auditor import US8
from .hostile_patterns import FORESEEN, FRESH, HELD_OUT, LIES, PATTERNS, SEEN

SEED = 5
SETS = {"known": PATTERNS, "seen": SEEN, "foreseen": FORESEEN, "held out": HELD_OUT, "fresh": FRESH, "lies": LIES}
"""Sentences by how much whoever wrote the rules knew of them; see `hostile_patterns`."""


@dataclass(frozen=True)
class Told:
    """What a session came to."""

    requests: tuple[str, ...]
    """Keys of all requests to minds."""
    scores: dict[tuple[int | None, str, str], float]
    """Of the last signal of each decision, agent and ticker."""
    orders: tuple[tuple[Any, ...], ...]
    positions: tuple[dict[str, float], ...]
    """Shares at the close of each session."""


def planted(market: Market, patterns: Sequence[str], rng: Random) -> tuple[Market, dict[str, str]]:
    """The market with one pattern in each release, in turn, and which one by document."""
    chosen: dict[str, str] = {}
    documents = []
    for i, document in enumerate(market.dataset.documents):
        company = market.companies[document.ticker]
        sentence = patterns[i % len(patterns)].format(name=company.name, ticker=document.ticker)
        chosen[document.id] = sentence
        documents.append(with_sentence(document, sentence, rng))
    return Market(replace(market.dataset, documents=tuple(documents), fingerprint="")), chosen


def with_sentence(document: Document, sentence: str, rng: Random) -> Document:
    """The document with a sentence more, between two of its own, or as a paragraph."""
    body = document.body
    ends = [
        end
        for _, end in sentences_of(body, Piece(0, len(body)))
        if end < len(body) and body[end] == " " and body[end - 1] == "."
    ]
    if ends and rng.random() < 0.7:
        at = rng.choice(ends)
        return replace(document, body=f"{body[:at]} {sentence}{body[at:]}")
    lines = body.split("\n")
    at = rng.randrange(len(lines) + 1)
    return replace(document, body="\n".join([*lines[:at], sentence, *lines[at:]]))


def run(market: Market, config: SessionConfig) -> Told:
    """A session on a market that is not on disk."""
    with tempfile.TemporaryDirectory() as folder, patch.object(sessions, "market_of", lambda _: market):
        sessions.start(config, Path(folder) / "session")
        with Journal.open_readonly(Path(folder) / "session") as journal:
            events = [record.event for record in journal.events()]
    return Told(
        requests=tuple(e.request_key for e in events if e.kind == "model_called"),
        scores={
            (e.decision, e.agent, e.ticker): Signal.model_validate(e.signal).score
            for e in events
            if e.kind == "signal_issued"
        },
        orders=tuple(
            (e.decision, e.ticker, e.order.side, e.order.quantity) for e in events if e.kind == "order_submitted"
        ),
        positions=tuple(e.positions for e in events if e.kind == "bar_closed"),
    )


def cases() -> list[tuple[str, Market, SessionConfig]]:
    """Sessions to plant in: real companies where they are at hand, and generated ones."""
    found = [("generated", open_market("generated", 7), SessionConfig(model="scorecard"))]
    if US8.is_dir():
        config = SessionConfig(market=str(US8), model="scorecard", start=date(2024, 1, 2), end=date(2025, 8, 8))
        found.append(("us8", open_market(US8), config))
    return found


def measure() -> list[dict[str, Any]]:
    """A row per market and set of patterns."""
    rows = []
    for name, market, config in cases():
        clean = run(market, config)
        for kind, patterns in SETS.items():
            hostile, chosen = planted(market, patterns, Random(SEED))
            used = min(len(patterns), len(chosen))
            rows.append(
                {"market": name, "patterns": kind, "different": used}
                | compared(clean, run(hostile, config), hostile, chosen)
            )
    return rows


def compared(clean: Told, told: Told, hostile: Market, chosen: dict[str, str]) -> dict[str, Any]:
    """What the planted sentences changed."""
    aside = {item.document for item in hostile.screened.set_aside}
    larger = sum(
        now.get(ticker, 0.0) > before.get(ticker, 0.0) + 1e-9
        for before, now in zip(clean.positions, told.positions, strict=True)
        for ticker in now
    )
    return {
        "documents": len(chosen),
        "found": round(len(aside & chosen.keys()) / len(chosen), 4),
        "requests_equal": clean.requests == told.requests,
        "signals": len(clean.scores),
        "signals_changed": sum(told.scores[seat] != score for seat, score in clean.scores.items()),
        "signals_higher": sum(told.scores[seat] > score for seat, score in clean.scores.items()),
        "orders": len(clean.orders),
        "orders_equal": clean.orders == told.orders,
        "larger_positions": larger,
    }
