"""Who sits on a desk: rosters, roles of the user's own, and analysts left out."""

from datetime import date
from importlib.metadata import EntryPoint
from pathlib import Path

import pytest

from paperdesk.agents import rosters
from paperdesk.agents.roles import built_in_roles, title_of
from paperdesk.agents.rosters import desks, roster
from paperdesk.tools.errors import InputError
from paperdesk.tools.market.view import open_market
from paperdesk.tools.toolbox import EVIDENCE_TOOLS, call, research_tools

PERSONA = '+++\ntitle = "Sceptic"\nlike = "fundamental_analyst"\n+++\n=== system\nYou doubt everything.\n'


def names(desk: str, *without: str, roles: Path | None = None) -> list[str]:
    return [role.name for role in roster(desk, without, roles).analysts]


def test_every_desk_can_be_seated() -> None:
    assert names("classic") == ["fundamental_analyst", "technical_analyst"]
    seated = {role.name for desk in desks() for role in roster(desk).seated}
    assert seated == set(built_in_roles())  # no role that nobody can have


def test_an_analyst_is_left_out_by_name_or_its_beginning() -> None:
    assert names("classic", "technical") == ["fundamental_analyst"]
    assert names("classic", "fundamental_analyst") == ["technical_analyst"]
    for without in (["technical", "fundamental"], ["news"], ["technical", "technical"]):
        with pytest.raises(InputError):
            names("classic", *without)


def test_a_role_is_added_by_one_file_in_a_folder(tmp_path: Path) -> None:
    (tmp_path / "sceptic.md").write_text(PERSONA)
    (tmp_path / "desk.toml").write_text('title = "Mine"\nanalysts = ["sceptic", "technical_analyst"]\n')
    found = roster(str(tmp_path / "desk.toml"), roles=tmp_path)
    assert [role.title for role in found.analysts] == ["Sceptic", "Technical analyst"]
    assert found.analysts[0].prompt.system.template == "You doubt everything."
    with pytest.raises(InputError, match="there is no role 'sceptic'"):
        roster(str(tmp_path / "desk.toml"))


def test_a_file_of_the_user_wins_over_a_built_in_role(tmp_path: Path) -> None:
    (tmp_path / "technical_analyst.md").write_text(PERSONA)
    assert roster("classic", roles=tmp_path).analysts[1].title == "Sceptic"


def test_a_package_brings_a_role_by_entry_point(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    point = EntryPoint("sceptic", "package.roles:SCEPTIC", "paperdesk.roles")
    (tmp_path / "desk.toml").write_text('title = "Mine"\nanalysts = ["sceptic"]\n')
    for given in (PERSONA, tmp_path / "text.md"):
        (tmp_path / "text.md").write_text(PERSONA)
        monkeypatch.setattr(EntryPoint, "load", lambda _, given=given: given)
        monkeypatch.setattr(rosters, "entry_points", lambda group: [point] if group == "paperdesk.roles" else [])
        assert names(str(tmp_path / "desk.toml")) == ["sceptic"]
    monkeypatch.setattr(EntryPoint, "load", lambda _: 7)
    with pytest.raises(InputError, match="is a int; make it a text or a path"):
        names("classic")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("title = 1", "'title' of the desk"),
        ('title = "x"\nanalysts = []', "'analysts' of the desk"),
        ('title = "x"\nanalysts = ["technical_analyst", "technical_analyst"]', "seats somebody twice"),
        ("title", "is not valid TOML"),
    ],
)
def test_a_faulty_roster_is_refused_in_a_sentence(tmp_path: Path, text: str, message: str) -> None:
    (tmp_path / "desk.toml").write_text(text)
    with pytest.raises(InputError, match=message):
        roster(str(tmp_path / "desk.toml"))


def test_what_is_not_there_is_named(tmp_path: Path) -> None:
    for call_, message in (
        (lambda: roster("grand"), "there is no desk 'grand'; choose from classic"),
        (lambda: roster(str(tmp_path / "none.toml")), "cannot be read"),
        (lambda: roster(roles=tmp_path / "none"), "there is no folder"),
    ):
        with pytest.raises(InputError, match=message):
            call_()
    (tmp_path / "auditor.md").write_text(PERSONA)
    with pytest.raises(InputError, match="cannot be called 'auditor'"):
        roster(roles=tmp_path)


def test_people_see_a_title_even_of_a_role_that_is_gone() -> None:
    assert title_of("technical_analyst") == "Technical analyst"
    assert title_of("my_sceptic") == "My sceptic"


def test_a_plan_names_the_tools_that_answer_with_evidence() -> None:
    market = open_market("generated")
    tools = research_tools(market.view(market.calendar.close_of(date(2023, 2, 28))))  # a peer has just reported
    giving = {name for name in tools if name != "market_regime" and call(tools, name, ticker="TRVX")[1]}
    assert giving == set(EVIDENCE_TOOLS)
