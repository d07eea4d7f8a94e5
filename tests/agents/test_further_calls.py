"""Further tool calls: what a role is not permitted cannot be written, and is refused where it comes all the same."""

import json
from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from paperdesk.agents.further_calls import NONE, TOPICS, Call, Situation, call_schema, choose, permissions, refusal
from paperdesk.agents.models.core import Answer, Failure, Reply, Request
from paperdesk.agents.models.grammar import Grammar
from paperdesk.agents.models.schemas import shape_of, violation
from paperdesk.agents.models.scorecard import Scorecard
from paperdesk.agents.roles import Role, prompts_hash, read_role
from paperdesk.memory.journal import Journal
from paperdesk.simulations.config import SessionConfig
from paperdesk.simulations.session import replay, start
from paperdesk.tools.errors import InputError
from paperdesk.tools.evidence import Evidence
from paperdesk.tools.market.view import open_market
from paperdesk.tools.toolbox import EVIDENCE_TOOLS, FIGURES, call, research_tools

NOW = datetime(2024, 3, 28, 20, tzinfo=UTC)


def role_with(*may: str) -> Role:
    body = f'title = "Mine"\nlike = "technical_analyst"\nmay = {json.dumps(may)}\nextra_calls = 2'
    return read_role("mine", {"mine": f"+++\n{body}\n+++\n=== system\nS\n"})


def figure(measure: str, value: float = 0.1) -> Evidence:
    return Evidence.of(
        id=f"ZEPL/{measure}/2024",
        kind="indicator",
        measure=measure,
        ticker="ZEPL",
        as_of=NOW,
        available_at=NOW,
        period="now",
        value=value,
        source="prices",
    )


SEEN = (figure("return_1m"), figure("momentum_3m"))
ALL = Situation("ZEPL", "Zephyr Labs", SEEN)
ROLE = role_with("price_indicators", "document_search", "release_tone")


class Chooser:
    """A mind that chooses at random among the shapes and values of its grammar."""

    key = "chooser"

    def __init__(self, seed: int) -> None:
        self.draw = Random(seed)

    def answer(self, request: Request) -> Reply:
        answers = []
        for question, schema in zip(request.questions, request.schema_, strict=True):
            branch = self.draw.choice(schema["properties"]["call"]["anyOf"])["properties"]
            chosen = {n: f["const"] if "const" in f else self.draw.choice(f["enum"]) for n, f in branch.items()}
            assert violation(shape_of(schema), {"call": chosen}) is None
            answers.append(Answer(ticker=question.ticker, object={"call": chosen}))
        return Reply(answers=tuple(answers))


class Points(Scorecard):
    """The scorecard as a mind with a key."""

    key = "scorecard"


@given(st.integers(0, 10_000), st.lists(st.sampled_from(EVIDENCE_TOOLS), unique=True))
def test_whatever_a_mind_chooses_is_permitted_new_and_about_its_own_company(seed: int, may: list[str]) -> None:
    role, mind, calls = role_with(*may), Chooser(seed), list[Call]()
    for _ in range(5):
        desk = Situation("ZEPL", "Zephyr Labs", SEEN, tuple(calls))
        wanted = choose(role, [desk], mind=mind, seed=0).get("ZEPL")
        if wanted is None:
            break
        assert refusal(wanted, permissions(role, desk)) == ""
        assert wanted.ticker == "ZEPL"
        assert wanted.tool in may
        assert wanted.measure not in {"return_1m", "momentum_3m"}
        calls.append(wanted)
    assert len(set(calls)) == len(calls)


FORBIDDEN = {
    "another tool": {"tool": "submit_order", "ticker": "ZEPL"},
    "a tool of other roles": {"tool": "filing_ratios", "ticker": "ZEPL", "measure": "roe_ttm"},
    "another company": {"tool": "price_indicators", "ticker": "BRQL", "measure": "rsi_14"},
    "a figure it has": {"tool": "price_indicators", "ticker": "ZEPL", "measure": "return_1m"},
    "a figure of another tool": {"tool": "price_indicators", "ticker": "ZEPL", "measure": "roe_ttm"},
    "all figures": {"tool": "price_indicators", "ticker": "ZEPL"},
    "a question of its own": {"tool": "document_search", "ticker": "ZEPL", "topic": "secrets"},
}


@pytest.mark.parametrize("written", FORBIDDEN.values(), ids=list(FORBIDDEN))
def test_a_call_beyond_the_list_cannot_be_written_and_is_refused(written: dict[str, str]) -> None:
    permitted = permissions(ROLE, ALL)
    shape = shape_of(call_schema(permitted))
    text = json.dumps({"call": written}, separators=(",", ":")).encode()
    after = Grammar.of(shape).after(text)
    assert after is None or not after.complete
    assert violation(shape, {"call": written})
    assert refusal(Call(**written), permitted).startswith(f"refused: {written['tool']} with")
    good = {"call": {"tool": "price_indicators", "ticker": "ZEPL", "measure": "rsi_14"}}
    end = Grammar.of(shape).after(json.dumps(good, separators=(",", ":")).encode())
    assert end is not None
    assert end.complete


def test_the_scorecard_asks_for_the_first_thing_it_has_not_seen() -> None:
    assert choose(ROLE, [ALL], mind=Points(), seed=0) == {
        "ZEPL": Call(tool="price_indicators", ticker="ZEPL", measure="momentum_12_1")
    }


def test_what_a_role_may_call_is_part_of_what_determines_a_session() -> None:
    none = replace(ROLE, extra_calls=0)
    hashes = [
        prompts_hash([role]) for role in (ROLE, replace(ROLE, extra_calls=1), replace(ROLE, may=ROLE.may[:1]), none)
    ]
    assert len(set(hashes)) == 4
    assert prompts_hash([replace(none, may=())]) == hashes[-1]  # a permission that is never used decides nothing


def test_who_may_nothing_or_fails_asks_for_nothing() -> None:
    class Failing:
        key = "failing"

        def answer(self, request: Request) -> Reply:
            gone = Failure(kind="context", reason="too long")
            return Reply(answers=tuple(Answer(ticker=q.ticker, failure=gone) for q in request.questions))

    class Content:
        key = "content"

        def answer(self, request: Request) -> Reply:
            done = {"call": {"tool": NONE}}
            return Reply(answers=tuple(Answer(ticker=q.ticker, object=done) for q in request.questions))

    assert choose(ROLE, [ALL], mind=Failing(), seed=0) == {}
    assert choose(ROLE, [ALL], mind=Content(), seed=0) == {}
    assert choose(role_with(), [ALL], mind=Points(), seed=0) == {}


def test_a_tool_answers_for_one_figure_what_it_answers_among_all() -> None:
    market = open_market("generated")
    tools = research_tools(market.view(market.calendar.close_of(date(2023, 8, 31))))
    for name, measures in FIGURES.items():
        _, whole = call(tools, name, ticker="ZEPL")
        assert {item.measure for item in whole} <= set(measures)
        for measure in measures:
            _, found = call(tools, name, ticker="ZEPL", measure=measure)
            assert found == [item for item in whole if item.measure == measure]


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        ('may = ["submit_order"]', "'may' of the role mine names 'submit_order'"),
        ("extra_calls = 6", "'extra_calls' in the front matter of mine"),
    ],
)
def test_a_permission_for_what_is_no_research_is_refused(rows: str, message: str) -> None:
    text = f'+++\ntitle = "Mine"\nlike = "technical_analyst"\n{rows}\n+++\n=== system\nS\n'
    with pytest.raises(InputError, match=message):
        read_role("mine", {"mine": text})


SHORT = SessionConfig(
    model="scorecard", universe=("BRQL", "OSTW"), start=date(2023, 8, 31), end=date(2023, 10, 2), max_weight=0.5
)


def test_calls_are_bounded_on_record_and_seen_by_the_mind(tmp_path: Path) -> None:
    outcome = start(SHORT.model_copy(update={"extra_calls": 2}), tmp_path / "session")
    with Journal.open_readonly(tmp_path / "session") as journal:
        calls = [record.event for record in journal.events("tool_called") if set(record.event.arguments) != {"ticker"}]
        asked = [record.event for record in journal.events("model_called") if record.event.task == "call"]
        shown = [
            {item["id"] for item in question["evidence"]}
            for record in journal.events("model_called")
            if record.event.task == "stance"
            for question in record.event.request["questions"]
        ]
        decisions = len(list(journal.events("decision_opened")))
    assert len(asked) == decisions * 2 * 2  # roles, rounds
    assert len(calls) == decisions * 2 * 2 * 2  # and tickers
    for event in calls:
        assert event.arguments["ticker"] == event.ticker
        assert all(item.ticker == event.ticker and item.available_at <= item.as_of for item in event.evidence)
        assert all(any(item.id in ids for ids in shown) for item in event.evidence)
    assert any(event.evidence for event in calls)
    assert replay(tmp_path / "session").head == outcome.head


def test_a_forbidden_call_is_on_record_as_refused_and_is_not_made(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    wanted = Call(tool="price_history", ticker="OSTW")

    def forged(role: Role, desks: list[Situation], **_: object) -> dict[str, Call]:
        return {desk.ticker: wanted for desk in desks}

    monkeypatch.setattr("paperdesk.orchestration.desk_nodes.choose", forged)
    start(SHORT.model_copy(update={"extra_calls": 1}), tmp_path / "session")
    with Journal.open_readonly(tmp_path / "session") as journal:
        found = [record.event for record in journal.events("tool_called") if record.event.tool == "price_history"]
    assert found
    assert all(event.evidence == [] and event.note.startswith("refused: price_history") for event in found)


def test_every_topic_is_a_query_that_documents_answer() -> None:
    market = open_market("generated")
    tools = research_tools(market.view(market.calendar.close_of(date(2023, 8, 31))))
    for topic in TOPICS:
        _, found = call(tools, "document_search", **Call(tool="document_search", ticker="ZEPL", topic=topic).arguments)
        assert found
