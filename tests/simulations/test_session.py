"""What must hold in every session, on generated and on real data."""

import shutil
import sqlite3
from datetime import datetime, timedelta
from itertools import pairwise
from pathlib import Path

import pytest

from paperdesk.memory.journal import Journal, JournalDivergence, verify
from paperdesk.simulations.session import replay
from paperdesk.tools.market.view import open_market

from .conftest import Finished

pytestmark = pytest.mark.slow


def test_cash_and_positions_are_equity_on_every_bar(session: Finished) -> None:
    bars = session.of("bar_closed")
    assert len(bars) > 200
    for bar in bars:
        assert set(bar.prices) == set(bar.positions)
        values = [shares * bar.prices[name] for name, shares in bar.positions.items()]
        assert abs(bar.cash + sum(values) - bar.equity) <= 1e-6
        assert bar.cash >= -1e-9


def test_every_exchange_session_is_on_record_once(session: Finished) -> None:
    days = [bar.session for bar in session.of("bar_closed")]
    market = open_market(session.config.market)
    assert tuple(days) == market.calendar.sessions(days[0], days[-1])


def test_cash_moves_only_by_fills_commission_and_corporate_actions(session: Finished) -> None:
    bars = session.of("bar_closed")
    moved = dict.fromkeys((bar.session for bar in bars), 0.0)
    for event in session.of("order_filled"):
        fill = event.fill
        paid = fill.quantity * fill.price
        moved[fill.session] += (-paid if fill.side == "buy" else paid) - fill.commission
    for action in session.of("corporate_action"):
        moved[action.session] += 0.0 if action.action == "split" else action.amount
    for before, after in pairwise(bars):
        assert after.cash - before.cash == pytest.approx(moved[after.session], abs=1e-6)


def test_fills_are_at_the_next_open_within_slippage_and_pay_commission(session: Finished) -> None:
    market = open_market(session.config.market)
    bars = market.dataset.bars
    sent = {e.order.client_order_id: e.order for e in session.of("order_submitted")}
    rate, slip = session.config.commission_bps / 1e4, session.config.slippage_bps / 1e4
    fills = [event.fill for event in session.of("order_filled")]
    assert fills
    for fill in fills:
        decided = sent[fill.client_order_id].decided_at.date()
        assert fill.session == market.calendar.next_session(decided)
        opened = bars.open[bars.sessions.index(fill.session), bars.column(fill.ticker)]
        assert fill.open_price == opened
        worse = (fill.price - opened) / opened * (1 if fill.side == "buy" else -1)
        assert worse == pytest.approx(slip, abs=1e-9)
        assert fill.commission == pytest.approx(fill.quantity * fill.price * rate, rel=1e-9)
        assert fill.quantity == int(fill.quantity)


def test_no_order_without_a_verdict_and_none_larger_than_permitted(session: Finished) -> None:
    permitted = {}
    for event in session.events:
        if event.kind == "rule_verdict" and event.verdict != "veto":
            permitted[event.report["order"]["client_order_id"]] = event.report["order"]
        if event.kind == "order_submitted":
            assert permitted[event.order.client_order_id]["quantity"] == event.order.quantity
    answered = session.of("order_answered")
    assert {e.client_order_id for e in answered} == {e.order.client_order_id for e in session.of("order_submitted")}
    assert {e.status for e in answered} == {"accepted"}


def test_every_order_ends_filled_or_with_a_reason(session: Finished) -> None:
    filled: dict[str, float] = {}
    for event in session.of("order_filled"):
        key = event.fill.client_order_id
        filled[key] = filled.get(key, 0.0) + event.fill.quantity
    ended = {e.client_order_id: e for e in session.of("order_ended")}
    for event in session.of("order_submitted"):
        rest = event.order.quantity - filled.get(event.order.client_order_id, 0.0)
        if rest:
            assert ended[event.order.client_order_id].unfilled_quantity == rest
            assert ended[event.order.client_order_id].reason


def test_no_decision_rests_on_anything_later_than_itself(session: Finished) -> None:
    now: datetime | None = None
    for event in session.events:
        if event.kind == "decision_opened":
            now = event.as_of
        if event.kind == "tool_called":
            assert now is not None
            assert all(item.available_at <= now == item.as_of for item in event.evidence)


def test_every_claim_cites_gathered_evidence_and_every_signal_is_audited(session: Finished) -> None:
    gathered: set[str] = set()
    audited = {(e.decision, e.agent, e.ticker, e.round) for e in session.of("audit_issued")}
    for event in session.events:
        if event.kind == "decision_opened":
            gathered = set()
        if event.kind == "tool_called":
            gathered |= {item.id for item in event.evidence}
        if event.kind == "signal_issued" and not event.abstained:
            assert {claim["evidence"] for claim in event.signal["claims"]} <= gathered
            assert (event.decision, event.agent, event.ticker, event.round) in audited


def test_weights_keep_within_the_limits(session: Finished) -> None:
    for event in session.of("proposal_made"):
        if event.proposal["expected_return"] is None:
            continue
        assert max(event.weights.values()) <= session.config.max_weight + 1e-9
        assert sum(event.weights.values()) <= 1 - session.config.min_cash + 1e-9


def test_signals_are_scored_only_after_their_horizon(session: Finished) -> None:
    opened = {e.decision: e.session for e in session.of("decision_opened")}
    calendar = open_market(session.config.market).calendar
    horizon = {"technical_analyst": 21, "fundamental_analyst": 63}
    resolved = session.of("signal_resolved")
    assert resolved
    for event in resolved:
        passed = calendar.sessions(opened[event.issued_in] + timedelta(days=1), opened[event.decision])
        assert len(passed) >= horizon[event.agent]


def test_replay_without_a_model_has_an_equal_head(session: Finished) -> None:
    again = replay(session.outcome.folder)
    assert (again.head, again.events, again.model_calls) == (session.outcome.head, session.outcome.events, 0)


def test_the_fundamental_analyst_abstains_visibly_without_filings(us_tech_session: Finished) -> None:
    said = [e for e in us_tech_session.of("signal_issued") if e.agent == "fundamental_analyst"]
    assert said
    assert all(e.abstained and "no filings known" in e.signal["reason"] for e in said)


def test_a_split_within_the_session_is_lived_through(us8_session: Finished) -> None:
    splits = [e for e in us8_session.of("corporate_action") if e.action == "split"]
    assert [(e.ticker, e.session.isoformat(), e.amount) for e in splits] == [("NVDA", "2024-06-10", 10.0)]
    dividends = [e for e in us8_session.of("corporate_action") if e.action == "dividend"]
    assert {"AAPL", "MSFT", "JPM", "UNH"} & {e.ticker for e in dividends}


def test_one_changed_byte_of_an_event_and_a_cut_tail_are_named(generated_session: Finished, tmp_path: Path) -> None:
    folder = generated_session.outcome.folder
    assert verify(folder).ok
    changed = Path(shutil.copytree(folder, tmp_path / "changed"))
    content = (changed / "journal.db").read_bytes()
    place = content.index(b'"stance":"buy"')
    (changed / "journal.db").write_bytes(content[:place] + content[place:].replace(b"buy", b"bux", 1))
    found = verify(changed)
    assert not found.ok
    assert found.seq is not None
    assert str(found.seq) in str(found.problem)
    cut = Path(shutil.copytree(folder, tmp_path / "cut"))
    with sqlite3.connect(cut / "journal.db") as database:
        database.execute("DELETE FROM events WHERE seq > ?", (generated_session.outcome.events - 3,))
    database.close()
    found = verify(cut)
    assert not found.ok
    assert found.problem


def test_a_replay_with_another_prompt_is_refused_at_the_first_difference(
    generated_session: Finished, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("paperdesk.simulations.session.prompts_hash", lambda _: "0" * 64)
    with pytest.raises(JournalDivergence, match="Event 1 "):
        replay(generated_session.outcome.folder)


def test_the_journal_is_searchable(us8_session: Finished) -> None:
    from paperdesk.memory.journal import search

    with Journal.open_readonly(us8_session.outcome.folder) as journal:
        hits = search(journal, "NVIDIA revenue")
    assert hits
    assert any(hit.ticker == "NVDA" for hit in hits)


def test_the_picture_is_drawn(session: Finished) -> None:
    picture = session.outcome.folder / "equity.png"
    assert picture.read_bytes().startswith(b"\x89PNG")
    assert picture.stat().st_size > 20_000
