"""Lessons: told by code, found by likeness, never before their time."""

from datetime import datetime, timedelta
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from paperdesk.agents.analyst import claim_of, rationale_of
from paperdesk.agents.auditor.case import Case
from paperdesk.agents.auditor.checks import CHECKS
from paperdesk.agents.signals import Signal
from paperdesk.memory.lessons import RECALL, Experience, lesson_of, recall_tool, situation_of
from paperdesk.memory.outcome import Outcome
from paperdesk.tools.market.documents.embedding import embed
from paperdesk.tools.toolbox import call

from .conftest import outcome

MEASURES = ("return_1m", "momentum_3m", "rsi_14", "earnings_yield")
SITUATION = situation_of("calm", {"return_1m": "buy", "rsi_14": "sell"})

rows = st.lists(
    st.builds(
        outcome,
        st.integers(0, 60),
        agent=st.sampled_from(("a", "b")),
        ticker=st.sampled_from(("AURX", "BLTN")),
        regime=st.sampled_from(("calm", "turbulent")),
        reasons=st.dictionaries(st.sampled_from(MEASURES), st.sampled_from(("buy", "sell")), max_size=2),
        surprise=st.integers(-20, 20).map(lambda tenths: tenths / 10),
    ),
    max_size=25,
    unique_by=lambda row: row.key(),
)


def experience(found: list[Outcome]) -> Experience:
    held = Experience()
    held.learn(*found)
    return held


def test_a_lesson_is_its_outcome_in_a_sentence_without_names_or_dates(told: Any) -> None:
    lesson = lesson_of(
        told(stance="strong_buy", reasons={"return_1m": "buy", "rsi_14": "sell"}, excess=-0.0412, regime="turbulent")
    )
    assert lesson.text == "strong buy on month and RSI in a turbulent market: 4.1% behind the others after 21 sessions"
    assert lesson.situation == "turbulent market month buy RSI sell"
    assert lesson_of(told(excess=0.02, regime="unknown", reasons={})).text == (
        "buy: 2.0% ahead of the others after 21 sessions"
    )


@given(rows, st.integers(25, 95), st.integers(1, 5))
@settings(max_examples=25)
def test_the_future_changes_no_recall(found: list[Outcome], days: int, k: int) -> None:
    as_of = datetime.fromisoformat("2031-01-01T21:00:00+00:00") + timedelta(days=days)
    whole = experience(found).recall("a", SITUATION, as_of, k)
    cut = experience([row for row in found if row.available_at <= as_of]).recall("a", SITUATION, as_of, k)
    assert whole == cut
    assert all(item.lesson.available_at <= as_of for item in whole)


@given(rows)
@settings(max_examples=20)
def test_what_is_recalled_is_what_an_exact_search_finds(found: list[Outcome]) -> None:
    as_of = datetime.fromisoformat("2031-02-15T00:00:00+00:00")
    known = [lesson_of(row) for row in found if row.agent == "a" and row.available_at <= as_of]
    vectors = np.array([embed([lesson.situation])[0] for lesson in known]).reshape(-1, 256).astype(np.float64)
    likeness = vectors @ embed([SITUATION])[0].astype(np.float64)
    ranked = sorted(range(len(known)), key=lambda i: (-likeness[i], -known[i].available_at.timestamp(), known[i].id))
    recalled = experience(found).recall("a", SITUATION, as_of, 3)
    assert [item.lesson.id for item in recalled] == [known[i].id for i in ranked[:3]]


def test_like_situations_come_first_and_other_analysts_not_at_all(told: Any) -> None:
    held = experience(
        [
            told(0, reasons={"earnings_yield": "sell"}, regime="turbulent"),
            told(1, reasons={"return_1m": "buy", "rsi_14": "sell"}),
            told(2, reasons={"return_1m": "buy", "rsi_14": "sell"}, agent="b"),
        ]
    )
    as_of = told(9).available_at
    recalled = held.recall("a", SITUATION, as_of, 5)
    assert [item.lesson.agent for item in recalled] == ["a", "a"]
    assert recalled[0].lesson.situation == SITUATION
    assert recalled[0].similarity == pytest.approx(1)
    assert recalled[1].similarity < 0.9
    assert held.recall("nobody", SITUATION, as_of, 5) == []


def test_what_is_learnt_after_a_recall_is_found_by_the_next(told: Any) -> None:
    held = experience([told(0)])
    as_of = told(9).available_at
    assert len(held.recall("a", SITUATION, as_of, 5)) == 1
    held.learn(told(1), told(0))
    assert len(held.recall("a", SITUATION, as_of, 5)) == 2


def test_the_tool_answers_with_evidence_that_says_since_when_it_is_known(told: Any) -> None:
    row = told(0, ticker="BLTN")
    tool = recall_tool(experience([row]), "a", row.available_at)
    _, (found,) = call({RECALL: tool}, RECALL, ticker="AURX", situation=SITUATION)
    assert (found.kind, found.measure, found.ticker) == ("lesson", "lesson", "AURX")
    assert found.id == f"AURX/lesson/{lesson_of(row).id}"
    assert (found.available_at, found.as_of) == (row.available_at, row.available_at)
    assert found.text == lesson_of(row).text
    assert found.text in tool.invoke({"ticker": "AURX", "situation": SITUATION})
    early = recall_tool(experience([row]), "a", row.available_at - timedelta(seconds=1))
    assert call({RECALL: early}, RECALL, ticker="AURX", situation=SITUATION) == ("no lesson known", [])


def test_the_auditor_takes_a_lesson_as_evidence_and_sees_one_from_the_future(told: Any) -> None:
    row = told(0, stance="strong_buy", regime="turbulent", excess=-0.041)
    as_of = row.available_at + timedelta(days=400)  # old lessons do not go stale
    tool = recall_tool(experience([row]), "a", as_of)
    (lesson,) = call({RECALL: tool}, RECALL, ticker="AURX", situation=SITUATION)[1]
    claims = (claim_of("E1", lesson, "sell"),)
    signal = Signal(
        agent="a",
        ticker="AURX",
        as_of=as_of,
        stance="sell",
        probabilities={"strong_sell": 0.1, "sell": 0.6, "hold": 0.1, "buy": 0.1, "strong_buy": 0.1},
        confidence=0.6,
        uncertainty=0.5,
        horizon_days=21,
        claims=claims,
        rationale=rationale_of("sell", claims),
        model="mind",
    )
    case = Case(evidence={lesson.id: lesson}, shown={("a", "AURX"): (lesson,)})
    assert [finding for check in CHECKS for finding in check(signal, case)] == []
    early = signal.model_copy(update={"as_of": row.available_at - timedelta(days=1)})
    assert "known_in_time" in {finding.rule for check in CHECKS for finding in check(early, case)}
    reworded = signal.model_copy(update={"rationale": "sell: the lesson (E1) was 7.7% behind."})
    assert {finding.rule for check in CHECKS for finding in check(reworded, case)} >= {"figures_match"}
