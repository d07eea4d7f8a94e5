"""Sessions at the edges: minds that give up, young markets, fractions of shares, policies for live desks."""

from datetime import date
from pathlib import Path

import pytest

from paperdesk.agents.models.core import Answer, Failure, Reply, Request
from paperdesk.agents.models.scorecard import Scorecard
from paperdesk.simulations.config import SessionConfig
from paperdesk.simulations.session import replay, start
from paperdesk.simulations.stages import SessionError
from paperdesk.tools.rules.policy import PRESETS

from .conftest import run

pytestmark = pytest.mark.slow


class Stubborn(Scorecard):
    """Claims the opposite of what figures say, and gives up when the auditor objects."""

    def answer(self, request: Request) -> Reply:
        reply = super().answer(request)
        if request.task != "stance":
            return reply
        return Reply(
            answers=tuple(
                Answer(ticker=question.ticker, failure=Failure(kind="refused", reason="I give up"))
                if "The auditor objects" in question.text
                else answer.model_copy(update={"object": turned(answer)})
                for question, answer in zip(request.questions, reply.answers, strict=True)
            )
        )


def turned(answer: Answer) -> dict[str, object]:
    assert answer.object is not None
    other = {"buy": "sell", "sell": "buy", "hold": "hold"}
    return {"claims": [claim | {"supports": other[claim["supports"]]} for claim in answer.object["claims"]]}


def test_an_analyst_that_gives_up_under_objections_abstains_and_the_desk_goes_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("paperdesk.simulations.stages.open_model", lambda spec, **_: Stubborn())
    config = SessionConfig(model="scorecard", start=date(2023, 11, 1), end=date(2023, 12, 15), max_revisions=2)
    session = run(config, tmp_path / "s")
    assert len(session.of("decision_opened")) == 2
    assert max(event.round for event in session.of("signal_issued")) == 1
    revised = [event for event in session.of("signal_issued") if event.round == 1]
    assert revised
    assert all(event.abstained and event.signal["reason"] == "I give up" for event in revised)
    assert {event.verdict for event in session.of("audit_issued")} <= {"pass", "revise"}


def test_a_market_that_has_just_begun_is_left_alone_with_the_reason(tmp_path: Path) -> None:
    config = SessionConfig(model="scorecard", start=date(2021, 2, 1), end=date(2021, 4, 15))
    session = run(config, tmp_path / "s")
    proposals = session.of("proposal_made")
    assert proposals
    assert all("stays as it is" in event.rationale for event in proposals)
    assert session.of("order_submitted") == []
    assert session.outcome.metrics["rows"][0]["sharpe"] is None


def test_fractional_shares_make_no_orders_out_of_rounding(tmp_path: Path) -> None:
    config = SessionConfig(
        model="scorecard", frequency="daily", fractional=True, start=date(2023, 11, 1), end=date(2023, 11, 30)
    )
    session = run(config, tmp_path / "s")
    verdicts = session.of("rule_verdict")
    assert verdicts
    assert min(event.order.notional for event in verdicts) > 0.5
    assert replay(tmp_path / "s").head == session.outcome.head


def test_a_policy_with_a_kill_switch_is_for_live_desks(tmp_path: Path) -> None:
    policy = tmp_path / "mine.toml"
    policy.write_text('kill_switch = "/tmp/stop"\n' + (PRESETS / "standard.toml").read_text())
    with pytest.raises(SessionError, match="kill switch"):
        start(SessionConfig(model="scorecard", policy=str(policy)), tmp_path / "s")
    assert not (tmp_path / "s").exists()


def test_a_desk_whose_every_name_is_barred_stays_as_it_is(tmp_path: Path) -> None:
    policy = tmp_path / "barred.toml"
    policy.write_text(
        (PRESETS / "standard.toml").read_text().replace("restricted = []", 'restricted = ["VYDN", "ZEPL"]')
    )
    config = SessionConfig(
        model="scorecard",
        universe=("VYDN", "ZEPL"),
        policy=str(policy),
        start=date(2023, 11, 1),
        end=date(2023, 11, 30),
    )
    session = run(config, tmp_path / "s")
    again = session.of("proposal_made")[1]
    assert again.rationale == "The rules have barred every name. The portfolio stays as it is."
    assert set(again.proposal["excluded"]) == {"VYDN", "ZEPL"}
    assert session.of("order_submitted") == []
