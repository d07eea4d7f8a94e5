"""Sessions of other desks: run, replayed, and told apart from one another."""

import re
from pathlib import Path

import pytest
from typer.testing import CliRunner

from paperdesk.cli import app
from paperdesk.memory.journal import Journal
from paperdesk.simulations.config import SessionConfig, load_config
from paperdesk.simulations.session import replay, start
from paperdesk.tools.errors import InputError, PaperDeskError

PERSONA = '+++\ntitle = "Sceptic"\nlike = "technical_analyst"\n+++\n=== system\nYou doubt everything.\n'


def config(**changes: object) -> SessionConfig:
    return SessionConfig(model="scorecard", frequency="quarterly", **changes)  # type: ignore[arg-type]


def agents(folder: Path) -> set[str]:
    with Journal.open_readonly(folder) as journal:
        return {record.event.agent for record in journal.events("signal_issued")}


@pytest.mark.slow
@pytest.mark.parametrize(
    ("changes", "seated"),
    [
        ({"desk": "solo"}, {"generalist"}),
        ({"desk": "personas"}, {"value_investor", "growth_investor", "contrarian", "news_analyst", "macro_investor"}),
        ({"without": ("technical",)}, {"fundamental_analyst"}),
    ],
)
def test_a_desk_runs_and_replays_to_the_same_head(tmp_path: Path, changes: dict[str, object], seated: set[str]) -> None:
    outcome = start(config(**changes), tmp_path / "session")
    assert agents(tmp_path / "session") == seated
    assert replay(tmp_path / "session").head == outcome.head


@pytest.mark.slow
def test_a_role_of_ones_own_sits_on_the_desk_and_its_text_is_part_of_the_session(tmp_path: Path) -> None:
    (tmp_path / "sceptic.md").write_text(PERSONA)
    (tmp_path / "desk.toml").write_text('title = "Mine"\nanalysts = ["sceptic"]\n')
    mine = config(desk=str(tmp_path / "desk.toml"), roles=str(tmp_path))
    start(mine, tmp_path / "session")
    assert agents(tmp_path / "session") == {"sceptic"}
    assert replay(tmp_path / "session").model_calls == 0
    (tmp_path / "sceptic.md").write_text(PERSONA.replace("everything", "nothing"))
    with pytest.raises(PaperDeskError, match="prompts"):
        replay(tmp_path / "session")
    (tmp_path / "sceptic.md").unlink()
    with pytest.raises(InputError, match="there is no role 'sceptic'"):
        replay(tmp_path / "session")


def drawn(*words: str) -> set[str]:
    said = CliRunner().invoke(app, ["graph", *words]).stdout
    return set(re.findall(r"^\tdesk_(\w+)\(", said, flags=re.MULTILINE))


def test_the_graph_is_drawn_from_the_roster() -> None:
    house = drawn("--desk", "research-house")
    assert {"moderator", "bull", "bear", "risk_officer"} <= house
    assert drawn("--desk", "research-house", "--without", "bear,risk,news") == house - {
        "bear",
        "risk_officer",
        "news_analyst",
    }
    assert drawn("--desk", "research-house", "--without", "bull,bear,risk,news") == drawn()


def test_a_faulty_desk_is_refused_before_anything_is_written(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="there is no desk 'grand'"):
        start(config(desk="grand"), tmp_path / "session")
    assert not (tmp_path / "session").exists()


def test_analysts_to_leave_out_are_given_by_commas() -> None:
    assert load_config(None, {"without": "technical, news"}).without == ("technical", "news")
