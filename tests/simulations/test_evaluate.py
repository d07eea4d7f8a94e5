"""A finished session is judged: the report, its three forms, and the trials ledger behind it."""

import json
import re
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from typer.testing import CliRunner

from paperdesk.agents.models.core import Reply, Request
from paperdesk.agents.portfolio_manager import Proposal
from paperdesk.agents.rosters import roster
from paperdesk.cli import app
from paperdesk.memory.journal import Journal
from paperdesk.simulations.config import SessionConfig
from paperdesk.simulations.evaluation.attribution import shares_by_decision, weights_with
from paperdesk.simulations.evaluation.command import evaluate_folder, paper_of
from paperdesk.simulations.evaluation.document import SessionReport
from paperdesk.simulations.evaluation.exchange import Unjournaled, exchange_of, exchanges_of, given_in
from paperdesk.simulations.evaluation.record import SessionRecord, read_session
from paperdesk.simulations.evaluation.rendering import markdown_of, page_of
from paperdesk.simulations.evaluation.session_report import Settings, evaluate_session
from paperdesk.simulations.evaluation.skill import judged_of
from paperdesk.simulations.evaluation.trials import trials_of
from paperdesk.simulations.session import replay, start
from paperdesk.tools.errors import InputError
from paperdesk.tools.optimizer import MeanCVaR

from .conftest import Finished

pytestmark = pytest.mark.slow
QUICK = Settings(draws=200, accounts=20)


@pytest.fixture(scope="module")
def record(generated_session: Finished) -> SessionRecord:
    return read_session(generated_session.outcome.folder)


@pytest.fixture(scope="module")
def report(record: SessionRecord) -> SessionReport:
    return evaluate_session(record, None, QUICK)


def test_the_desks_figures_are_those_of_the_session(report: SessionReport, generated_session: Finished) -> None:
    told, own = generated_session.outcome.metrics["rows"][0], report.tracks[0]
    for name, key in (("return", "annual_return"), ("Sharpe", "sharpe"), ("max drawdown", "max_drawdown")):
        assert own.figures[name].value == pytest.approx(told[key], rel=1e-9)
    assert own.traded.turnover == pytest.approx(told["turnover"], rel=1e-9)
    assert report.head == generated_session.outcome.head
    by_name = {track.name: track for track in report.tracks}
    for row in generated_session.outcome.metrics["rows"][1:]:
        assert by_name[row["name"]].figures["return"].value == pytest.approx(row["annual_return"], rel=1e-9)


def test_every_opponent_stands_on_the_same_days_and_costs(report: SessionReport, record: SessionRecord) -> None:
    names = [row.opponent for row in report.comparisons]
    assert len(names) == len(set(names)) >= 10
    assert {len(values) for values in report.curves.values()} == {len(report.curve_days)}
    assert report.lottery is not None
    assert report.lottery.turnover == pytest.approx(report.tracks[0].traded.turnover, rel=0.15)


def test_the_recorded_weights_come_out_of_everybodys_views(record: SessionRecord) -> None:
    opened = {event.decision: event for event in record.opened}
    for event in record.proposals:
        proposal = Proposal.model_validate(event.proposal)
        everybody = frozenset(agent for view in proposal.views for agent in view.parts)
        found = weights_with(record, proposal, opened[event.decision], everybody, MeanCVaR())
        assert found == pytest.approx(proposal.weights, abs=1e-6)


def test_shares_of_profit_add_up_to_what_the_views_earned(record: SessionRecord) -> None:
    opened, shares = {event.decision: event for event in record.opened}, shares_by_decision(record)
    assert any(shares)
    event, found = record.proposals[3], shares[3]
    proposal, start_ = Proposal.model_validate(event.proposal), opened[event.decision]
    nobody = weights_with(record, proposal, start_, frozenset(), MeanCVaR())
    bars = record.market.dataset.bars.sessions
    first, last = bars.index(start_.session) + 1, bars.index(record.window.decisions[4]) + 1
    columns = [record.market.column(name) for name in record.window.universe]
    growth = np.nanprod(1 + record.market.total_returns[first:last][:, columns], axis=0) - 1
    added = sum((proposal.weights[n] - nobody[n]) * g for n, g in zip(record.window.universe, growth, strict=True))
    assert sum(found.values()) == pytest.approx(added, abs=1e-7)


def test_what_is_said_of_agents_is_that_of_scipy_and_scikit_learn(record: SessionRecord, report: SessionReport) -> None:
    from scipy.stats import pearsonr
    from sklearn.metrics import brier_score_loss

    for skill in report.skills:
        judged = judged_of(record, skill.agent)
        rose = judged.outcome > 0
        assert skill.judged == len(rose) > 0
        assert skill.ic.value == pytest.approx(float(pearsonr(judged.score, judged.outcome)[0]), rel=1e-6)
        assert skill.brier.value == pytest.approx(float(brier_score_loss(rose, judged.probability)), rel=1e-6)
        assert 0 <= skill.calibration_error.value <= 1


def test_a_mind_that_reads_follows_the_evidence(record: SessionRecord) -> None:
    for found in exchanges_of(record, 4):
        assert found.follows_evidence == 1.0
        assert found.verdict == "follows the evidence"
        assert found.told_apart >= 10


def test_a_mind_that_repeats_what_it_said_of_a_name_is_found_out(record: SessionRecord) -> None:
    said: dict[tuple[str, str], Any] = {}
    with Journal.open_readonly(record.folder) as journal:
        for item in journal.events("model_called"):
            if item.event.task == "stance" and item.event.decision == 5:
                for answer in Reply.model_validate(item.event.reply).answers:
                    said[item.event.agent, answer.ticker] = answer

    def remember(request: Request) -> Reply:
        return Reply(answers=tuple(said[request.role, question.ticker] for question in request.questions))

    mind = Unjournaled(record.mind, remember)
    roles = {role.name: role for role in roster().analysts}
    found = exchange_of(roles["technical_analyst"], record, [record.opened[5]], given_in(record), mind)
    assert found.follows_evidence == 0.0


class Reader(HTMLParser):
    """Everything that a page would fetch."""

    def __init__(self) -> None:
        super().__init__()
        self.fetched: list[str] = []
        self.open: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.fetched += [f"{tag} {k}" for k, _ in attrs if k in ("src", "href", "srcset", "data")]
        if tag == "script":
            self.fetched.append("script")
        if tag not in ("meta", "br", "line", "circle", "polygon"):
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        if tag not in ("line", "circle", "polygon"):
            assert self.open.pop() == tag


def test_the_page_is_one_small_file_that_fetches_nothing(report: SessionReport) -> None:
    page = page_of(paper_of(report))
    reader = Reader()
    reader.feed(page)
    assert reader.fetched == []
    assert reader.open == []
    assert "url(" not in page
    assert len(page) < 150_000
    for sentence in (*report.tried, *report.survived, *report.failed):
        assert sentence.split("'")[0][:60] in page
    assert report.contamination.sentence in page


def test_a_name_cannot_write_into_the_page(report: SessionReport) -> None:
    track = report.tracks[1].model_copy(update={"name": "<script>x</script>"})
    odd = report.model_copy(update={"tracks": (report.tracks[0], track), "market": "<b>m</b>"})
    page = page_of(paper_of(odd))
    assert "<script" not in page
    assert "<b>m" not in page


def test_every_form_says_whether_the_model_may_remember(report: SessionReport) -> None:
    assert report.contamination.label == "none"
    for text in (markdown_of(paper_of(report)), report.model_dump_json()):
        assert report.contamination.sentence in text


def test_the_report_survives_json(report: SessionReport) -> None:
    assert SessionReport.model_validate_json(report.model_dump_json()) == report


def test_the_same_evaluation_comes_out_twice(record: SessionRecord, report: SessionReport) -> None:
    assert evaluate_session(record, None, QUICK) == report


def test_a_session_is_counted_once_however_often_it_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    ledger = tmp_path / "trials.db"
    monkeypatch.setenv("PAPERDESK_TRIALS", str(ledger))
    config = SessionConfig(model="scorecard", frequency="quarterly", without=("fundamental",))
    first = start(config, tmp_path / "one")
    start(config, tmp_path / "two")
    replay(tmp_path / "one")
    start(config.model_copy(update={"max_weight": 0.25}), tmp_path / "three")
    market = read_session(tmp_path / "one").market.fingerprint
    trials = trials_of(market, ledger)
    assert len(trials) == 2
    told = [t.sharpe for t in trials if t.sharpe is not None]
    assert first.metrics["rows"][0]["sharpe"] / np.sqrt(252) in [pytest.approx(s) for s in told]
    report = evaluate_folder(tmp_path / "one", QUICK)
    assert report.luck.trials == 2
    assert report.luck.deflated < report.luck.probabilistic
    assert any("2 configurations" in sentence for sentence in report.tried)


def test_what_is_switched_off_is_off(tmp_path: Path, generated_session: Finished) -> None:
    config = generated_session.config.model_copy(update={"ablate": ("auditor", "memory")})
    start(config, tmp_path / "session")
    record = read_session(tmp_path / "session")
    assert {event.verdict for event in record.audits} == {"pass"}
    assert all(not event.report["findings"] for event in record.audits)
    assert replay(tmp_path / "session").head == record.head
    plain = read_session(generated_session.outcome.folder)
    parts = [[v["parts"] for v in e.proposal["views"]] for e in (record.proposals[-1], plain.proposals[-1])]
    assert parts[0] != parts[1], "with a record, an agent weighs something else"


def test_a_placebo_session_is_replayed_and_its_choice_is_on_record(tmp_path: Path) -> None:
    config = SessionConfig(model="scorecard", frequency="quarterly", placebo="flip", mask=("names",))
    head = start(config, tmp_path / "session").head
    assert replay(tmp_path / "session").head == head
    assert "placebo" not in read_session(tmp_path / "session").market.name  # a masked market has a masked name


def run(*arguments: object) -> Any:
    return CliRunner().invoke(app, [str(a) for a in arguments])


def test_the_command_prints_a_report_or_json(generated_session: Finished, tmp_path: Path) -> None:
    page = tmp_path / "page.html"
    folder = generated_session.outcome.folder
    printed = run("evaluate", folder, "--draws", 200, "--accounts", 20, "--html", page)
    assert printed.exit_code == 0, printed.output
    for heading in ("What was tried", "What survived", "What did not", "Luck", "Agents"):
        assert heading in printed.stdout
    assert page.read_text().startswith("<!doctype html>")
    found = json.loads(run("evaluate", folder, "--draws", 200, "--accounts", 20, "--html", page, "--json").stdout)
    assert found["contamination"]["label"] == "none"
    assert re.fullmatch(r"[0-9a-f]{64}", found["head"])


def test_what_is_no_finished_session_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError):
        evaluate_folder(tmp_path, QUICK)
