"""From a client's answers to settings of the desk."""

from itertools import product
from pathlib import Path
from typing import Any

import pytest

from paperdesk.simulations.config import SessionConfig, load_config
from paperdesk.tools.errors import ProblemError
from paperdesk.tools.optimizer.profile import Client, client_of, load_client

EXAMPLE = Path(__file__).parents[2] / "examples" / "client.toml"


def client(**answers: Any) -> Client:
    usual = {
        "horizon_years": 8,
        "largest_loss": 0.2,
        "cash_needed": 0.05,
        "reaction": "hold",
        "experience": "some",
    }
    return client_of(usual | answers)


def test_middling_answers_leave_lambda_as_it_is() -> None:
    settings = client().settings()
    assert client().points == 4
    assert (settings.risk_aversion, settings.beta, settings.max_weight) == (1.0, 0.95, 0.25)
    assert (settings.min_cash, settings.min_invested, settings.turnover_limit) == (0.05, 0.7, 1.0)


def test_the_boldest_and_the_most_cautious() -> None:
    bold = client(horizon_years=20, largest_loss=0.4, reaction="buy", experience="much").settings()
    cautious = client(horizon_years=1, largest_loss=0.05, reaction="sell", experience="none").settings()
    assert (bold.risk_aversion, cautious.risk_aversion) == (0.25, 4.0)
    assert (bold.beta, cautious.beta) == (0.9, 0.99)


def test_who_needs_the_money_soon_takes_little_risk_whatever_he_says() -> None:
    keen: dict[str, Any] = {"largest_loss": 0.4, "reaction": "buy", "experience": "much"}
    assert client(horizon_years=2, **keen).points == 2
    assert client(horizon_years=20, cash_needed=0.6, **keen).points == 2


def test_every_answer_comes_to_a_configuration_of_the_desk() -> None:
    choices = product((1, 5, 20), (0.05, 0.2, 0.5), (0.0, 0.4, 0.9), ("sell", "hold", "buy"), ("none", "some", "much"))
    for horizon, loss, cash, reaction, experience in choices:
        answers = client(
            horizon_years=horizon, largest_loss=loss, cash_needed=cash, reaction=reaction, experience=experience
        )
        SessionConfig.model_validate(answers.settings().model_dump())


@pytest.mark.parametrize(
    ("answers", "field"),
    [
        ({"reaction": "panic"}, "reaction"),
        ({"horizon_years": -1}, "horizon_years"),
        ({"largest_loss": 0}, "largest_loss"),
        ({"cash_needed": float("nan")}, "cash_needed"),
        ({"shoe_size": 43}, "shoe_size"),
    ],
)
def test_answers_that_cannot_be_meant_are_refused(answers: dict[str, Any], field: str) -> None:
    with pytest.raises(ProblemError) as refused:
        client(**answers)
    assert refused.value.field == field


def test_a_profile_in_a_configuration_sets_the_desk_and_explicit_keys_win(tmp_path: Path) -> None:
    assert load_client(EXAMPLE).points == 4
    config = load_config(EXAMPLE, {"beta": 0.9})
    assert (config.max_weight, config.min_cash, config.beta) == (0.25, 0.05, 0.9)
    file = tmp_path / "client.toml"
    file.write_text("max_weight = 0.1\n" + EXAMPLE.read_text())
    assert load_config(file, {}).max_weight == 0.1


def test_a_profile_that_cannot_be_read_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ProblemError, match="check the path"):
        load_client(tmp_path / "none.toml")
    (tmp_path / "broken.toml").write_text("[client")
    with pytest.raises(ProblemError, match="not valid TOML"):
        load_client(tmp_path / "broken.toml")
