"""A session as one HTML file: what it says, what it weighs, and that nothing in it acts."""

import re
import shutil
from collections.abc import Sequence
from datetime import date
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from typer.testing import CliRunner

from paperdesk.cli import app
from paperdesk.memory.journal import Journal
from paperdesk.memory.journal.events import Event
from paperdesk.simulations.config import SessionConfig
from paperdesk.simulations.masking import market_of
from paperdesk.simulations.reading import Session
from paperdesk.simulations.reporting import figures
from paperdesk.simulations.reporting.page import report_page, write_report
from paperdesk.simulations.viewer.words import money, percent
from paperdesk.tools.errors import InputError

from .conftest import Finished, run

SCRIPT = "<script>document.title='owned'</script><img src=x onerror=\"document.title='owned'\">"


class _Parsed(HTMLParser):
    """Elements, attributes and plain text of a page."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.words: list[str] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.words.append(data)

    @property
    def text(self) -> str:
        return " ".join(" ".join(self.words).split())

    def count(self, tag: str, kind: str = "") -> int:
        return sum(name == tag and (not kind or attrs.get("class") == kind) for name, attrs in self.tags)


def inert(page: str) -> None:
    """Nothing is executed, nothing is loaded."""
    for tag, attrs in _Parsed(page).tags:
        assert tag not in {"script", "img", "iframe", "object", "embed", "link", "form", "base"}
        for name, value in attrs.items():
            assert not name.startswith("on")
            assert name not in {"src", "srcset", "action", "style"}
            assert name != "href" or (value or "").startswith("#")
    sheet = page[page.index("<style>") : page.index("</style>")]
    assert "url(" not in sheet
    assert "@import" not in sheet
    assert "default-src 'none'" in page


@pytest.fixture(scope="module")
def page(generated_session: Finished) -> str:
    with Session.open(generated_session.outcome.folder) as session:
        return report_page(session)


@pytest.fixture(scope="module")
def started(generated_session: Finished, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same session, stopped in its third decision."""
    closed = [i for i, event in enumerate(generated_session.events) if event.kind == "decision_closed"]
    return _written(generated_session, generated_session.events[: closed[1] + 20], tmp_path_factory.mktemp("started"))


def _written(session: Finished, events: Sequence[Event], folder: Path) -> Path:
    with Journal.create(folder / "session", config=session.config.model_dump(mode="json")) as journal:
        for event in events:
            journal.append(event)
    return folder / "session"


def test_every_decision_and_every_name_is_there(page: str, generated_session: Finished) -> None:
    told = _Parsed(page)
    decisions = len(generated_session.of("decision_opened"))
    assert told.count("details", "decision") == decisions
    with Session.open(generated_session.outcome.folder) as session:
        assert told.count("details", "case") == decisions * len(session.universe)
        for case in (session.case(decisions - 1, ticker) for ticker in session.universe):
            for statement in case.statements:
                for claim in statement.claims:
                    assert " ".join(claim["text"].split()) in told.text
            for item in case.passages:
                assert " ".join(item["text"].split()) in told.text
            for fill in case.move.ordered.fills if case.move.ordered else ():
                assert f"commission {money(fill.commission, 2)}" in told.text


def test_figures_are_those_of_the_reading_model(page: str, generated_session: Finished) -> None:
    told = _Parsed(page).text
    with Session.open(generated_session.outcome.folder) as session:
        summary, trades = session.summary(), session.trades()
        assert summary.total_return is not None
        assert f"Return {percent(summary.total_return, sign=True)}" in told
        assert f"Equity {money(summary.equity)}" in told
        assert f"in {len(trades)} trades, at {money(sum(trade.costs for trade in trades))}" in told
        for whole in (summary.head, summary.market_fingerprint, summary.prompts, summary.code):
            assert whole in told
        assert "no memory of these years is possible" in told
        decisions = [session.decision(line.number) for line in session.decisions(limit=1000)]
        traded = figures.traded_of(decisions, trades)
        assert sum(one.costs for one in traded) == pytest.approx(sum(trade.costs for trade in trades))
        assert sum(one.fills for one in traded) == len(trades)
        followed = figures.followed_by(decisions, session.outcomes())
        assert sum(one.signals for one in followed) == len(session.outcomes())


def test_every_day_is_held_against_the_cvar_in_force(page: str, generated_session: Finished) -> None:
    with Session.open(generated_session.outcome.folder) as session:
        bars = session.bars()
        decisions = [session.decision(line.number) for line in session.decisions(limit=1000)]
        tails = figures.tails_of(decisions, bars)
        grown = np.prod([1 + value for tail in tails for _, value in tail.returns])
        assert bars[0].equity * grown == pytest.approx(bars[-1].equity)  # no day is missing, none counts twice
        assert all(tail.day < tail.returns[0][0] for tail in tails if tail.returns)
        assert [tail.foretold for tail in tails] == [told.proposal["cvar"] for told in decisions if told.proposal]
        days, beyond = sum(len(tail.returns) for tail in tails), sum(tail.beyond for tail in tails)
    assert f"{beyond} of {days} days ({percent(beyond / days)}) lost more than that" in _Parsed(page).text


def test_the_calibration_is_the_latest_on_record(page: str, generated_session: Finished) -> None:
    told = _Parsed(page).text
    latest: dict[str, Any] = {event.agent: event.record for event in generated_session.of("agent_weighed")}
    assert latest
    for record in latest.values():
        assert record.brier is not None
        assert f"{record.brier:.3f} {record.ece:.3f}" in told


def test_agents_that_say_the_same_agree_and_opposites_do_not(generated_session: Finished) -> None:
    with Session.open(generated_session.outcome.folder) as session:
        decisions = [session.decision(line.number) for line in session.decisions(limit=1000)]
    (found,) = figures.agreements_of(decisions)
    assert {found.one, found.other} == {"fundamental_analyst", "technical_analyst"}
    assert 0 <= found.same_side <= 1
    assert found.correlation is not None
    for told in decisions:
        for move in told.moves:
            mine = next((s for s in move.statements if s.agent == found.one), None)
            for place, other in enumerate(move.statements):
                if other.agent == found.other and mine is not None:
                    twin = {"signal": mine.signal, "stance": mine.stance, "abstained": mine.abstained}
                    move.statements[place] = type(other)(**(vars(other) | twin))
    (twins,) = figures.agreements_of(decisions)
    assert twins.same_side == 1
    assert twins.correlation == pytest.approx(1)


def test_findings_are_counted_by_rule() -> None:
    one, other = ({"rule": name, "severity": "note", "message": name} for name in ("figures", "<b>"))
    found = figures.rules_of([[one, one, other], [one], []])
    assert [(rule.name, rule.found, rule.about) for rule in found] == [("figures", 3, 2), ("<b>", 1, 1)]


def test_equal_sessions_have_equal_pages(page: str, generated_session: Finished, tmp_path: Path) -> None:
    again = run(generated_session.config, tmp_path / "under another name")
    with Session.open(again.outcome.folder) as session:
        assert report_page(session) == page


def test_nothing_is_executed_and_nothing_is_loaded(page: str) -> None:
    inert(page)


def test_a_hostile_text_is_just_text(generated_session: Finished, tmp_path: Path) -> None:
    def spoiled(event: Event) -> Event:
        if event.kind == "tool_called":
            quoted = [item for item in event.evidence if item.span is not None]
            if quoted:
                held = [
                    item.model_copy(update={"text": SCRIPT, "source": SCRIPT}) if item in quoted else item
                    for item in event.evidence
                ]
                return event.model_copy(update={"evidence": held})
        if event.kind == "proposal_made":
            return event.model_copy(update={"proposal": event.proposal | {"rationale": f"</main>{SCRIPT}"}})
        return event

    closed = [i for i, event in enumerate(generated_session.events) if event.kind == "decision_closed"]
    events = [spoiled(event) for event in generated_session.events[: closed[3]]]
    with Session.open(_written(generated_session, events, tmp_path)) as session:
        page = report_page(session)
    inert(page)
    assert f"{SCRIPT} {SCRIPT}, characters" in _Parsed(page).text
    assert f"</main>{SCRIPT}" in _Parsed(page).text


def test_a_session_that_is_not_finished_says_so(started: Path) -> None:
    with Session.open(started) as session:
        told = _Parsed(report_page(session)).text
    assert "This session is not finished: 2 of" in told
    assert "Without the baselines' curves" in told


def test_nothing_decided_is_nothing_to_report(generated_session: Finished, tmp_path: Path) -> None:
    folder = _written(generated_session, generated_session.events[:1], tmp_path)
    with pytest.raises(InputError, match="has not decided anything yet"):
        write_report(folder)
    assert not (folder / "report.html").exists()


def test_a_market_that_is_gone_costs_the_baselines_only(generated_session: Finished, tmp_path: Path) -> None:
    with Session.open(generated_session.outcome.folder) as session:
        session.config = session.config.model_copy(update={"market": str(tmp_path / "gone")})
        told = _Parsed(report_page(session)).text
    assert "Without the baselines' curves" in told
    assert "equal weight" in told  # its figures are on record


def test_a_masked_session_stays_masked(tmp_path: Path) -> None:
    config = SessionConfig(
        model="scorecard",
        universe=("TRVX", "ZEPL", "BRQL"),
        benchmark="HXSI",
        start=date(2023, 1, 3),
        end=date(2023, 4, 28),
        mask=("names", "dates"),
        mask_seed=3,
    )
    folder = run(config, tmp_path / "session").outcome.folder
    masked = market_of(config).masked
    assert masked is not None
    with Session.open(folder) as session:
        page = report_page(session)
        shown = session.universe
    assert all(ticker in page for ticker in shown)
    for original in ("TRVX", "ZEPL", "BRQL", "HXSI", "mask_seed"):
        assert original not in page
    assert not re.search(r"\b2023-\d\d-\d\d|\d [A-Z][a-z]{2} 2023\b", page)
    assert "masked" in _Parsed(page).text


def test_twenty_decisions_on_real_data_stay_under_a_megabyte(us8_session: Finished, tmp_path: Path) -> None:
    shutil.copytree(us8_session.outcome.folder, tmp_path / "session")
    to = tmp_path / "page.html"
    result = CliRunner().invoke(app, ["report", str(tmp_path / "session"), "--out", str(to)])
    assert result.exit_code == 0, result.output
    assert to.stat().st_size < 1_000_000
    inert(to.read_text(encoding="utf-8"))


def test_a_page_that_cannot_be_written_is_refused(generated_session: Finished, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="give another --out"):
        write_report(generated_session.outcome.folder, tmp_path / "nowhere" / "page.html")
