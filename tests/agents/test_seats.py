"""Seats beside the analysts: read from prompt files like theirs, and refused where they do not belong."""

from pathlib import Path

import pytest

from paperdesk.agents.roles import prompts_hash, read_role
from paperdesk.agents.rosters import roster
from paperdesk.agents.seats import read_debater, read_risk_officer
from paperdesk.tools.errors import InputError

BODY = "=== system\nS\n=== prefix\nMarket: $regime.\n=== question\n$claims\n$evidence\nMove:"
BULL = f'+++\ntitle = "Bull"\nseat = "debater"\nside = "buy"\n+++\n{BODY}'


def test_the_research_house_seats_six() -> None:
    house = roster("research-house")
    assert [role.name for role in house.analysts] == ["fundamental_analyst", "technical_analyst", "news_analyst"]
    assert [(one.name, one.side, one.rounds) for one in house.debaters] == [("bull", "buy", 2), ("bear", "sell", 2)]
    assert house.risk_officer is not None
    assert [one.name for one in house.seated][3:] == ["bull", "bear", "risk_officer"]
    assert roster("research-house", debate_rounds=4).debaters[0].rounds == 4


@pytest.mark.parametrize("seat", ["fundamental", "technical", "news", "bull", "bear", "risk"])
def test_any_seat_can_be_left_out(seat: str) -> None:
    left = roster("research-house", [seat]).seated
    assert len(left) == 5
    assert not [one.name for one in left if one.name.startswith(seat)]


def test_a_desk_without_analysts_is_refused() -> None:
    with pytest.raises(InputError, match="no analyst is left"):
        roster("research-house", ["fundamental", "technical", "news"])


def test_rounds_and_seats_are_part_of_what_determines_a_session() -> None:
    desks = [
        roster("research-house"),
        roster("research-house", debate_rounds=3),
        roster("research-house", ["bear"]),
        roster("research-house", ["risk"]),
    ]
    assert len({prompts_hash(desk.seated) for desk in desks}) == len(desks)


def test_a_debater_of_ones_own_takes_a_seat(tmp_path: Path) -> None:
    (tmp_path / "optimist.md").write_text(BULL.replace("Bull", "Optimist"))
    (tmp_path / "desk.toml").write_text('title = "Mine"\nanalysts = ["technical_analyst"]\ndebaters = ["optimist"]\n')
    found = roster(str(tmp_path / "desk.toml"), roles=tmp_path)
    assert [one.title for one in found.debaters] == ["Optimist"]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (BULL.replace('side = "buy"\n', ""), "'side' in the front matter of mine"),
        (BULL.replace('"buy"', '"hold"'), "'side' in the front matter of mine"),
        (BULL.replace('seat = "debater"\n', ""), "'seat' in the front matter of mine"),
        (BULL.replace("$claims", "$objections"), "the question of mine has the place \\$objections"),
    ],
)
def test_a_faulty_debater_is_refused_in_a_sentence(text: str, message: str) -> None:
    with pytest.raises(InputError, match=message):
        read_debater("mine", {"mine": text}, 2)


def test_nobody_sits_on_a_chair_that_is_not_theirs() -> None:
    with pytest.raises(InputError, match="the role bull is a debater"):
        read_role("bull", {})
    for wrong in ("technical_analyst", "risk_officer"):
        with pytest.raises(InputError, match="'seat' in the front matter"):
            read_debater(wrong, {}, 2)
    with pytest.raises(InputError, match="'seat' in the front matter"):
        read_risk_officer("bear", {})
