"""The risk officer: whatever its mind says, a limit is never loosened."""

from datetime import UTC, datetime
from random import Random
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from paperdesk.agents.models.core import Answer, Failure, Reply, Request
from paperdesk.agents.models.schemas import shape_of, violation
from paperdesk.agents.models.scorecard import Scorecard
from paperdesk.agents.risk_officer import KEPT, READINGS, Tightening, read_risk
from paperdesk.agents.seats import read_risk_officer
from paperdesk.tools.evidence import Evidence
from paperdesk.tools.portfolio_risk import effective_names, mean_correlation
from paperdesk.tools.toolbox import OfPortfolio

NOW = datetime(2024, 3, 28, 20, tzinfo=UTC)
OFFICER = read_risk_officer("risk_officer", {})
MARKET: dict[str, Any] = {"regime": "calm and flat", "market": None, "seed": 0}


class Mind:
    """A mind with a distribution of its own, which writes anything that its grammar allows."""

    key = "mind"

    def __init__(self, weights: tuple[float, ...], seed: int) -> None:
        self.weights, self.draw = weights, Random(seed)

    def answer(self, request: Request) -> Reply:
        total = sum(self.weights)
        chances = {name: weight / total for name, weight in zip(READINGS, self.weights, strict=True)}
        schema = request.schema_after[0][max(READINGS, key=lambda name: chances[name])]
        chosen = {name: self.draw.choice(field["enum"]) for name, field in schema["properties"].items()}
        assert violation(shape_of(schema), chosen) is None
        return Reply(answers=(Answer(ticker="PORTFOLIO", probabilities=chances, object=chosen),))


class Broken:
    """A mind that fails."""

    key = "broken"

    def answer(self, request: Request) -> Reply:
        return Reply(answers=(Answer(ticker="PORTFOLIO", failure=Failure(kind="context", reason="too long")),))


class Points(Scorecard):
    """The scorecard as a mind with a key."""

    key = "scorecard"


def figures(**values: float) -> tuple[Evidence, ...]:
    return tuple(
        Evidence.of(
            id=f"PORTFOLIO/{name}/2024",
            kind="portfolio",
            measure=name,
            ticker="PORTFOLIO",
            as_of=NOW,
            available_at=NOW,
            period="now",
            value=value,
            source="proposal",
        )
        for name, value in values.items()
    )


def wish(caps: dict[str, float]) -> OfPortfolio:
    return OfPortfolio(
        expected_returns=dict.fromkeys(caps, 0.0),
        previous_weights=dict.fromkeys(caps, 0.0),
        caps=caps,
        risk_aversion=0.1,
        beta=0.95,
        min_cash=0.0,
        min_invested=0.8,
        cost_per_unit=0.0,
    )


SAFE = figures(largest_weight=0.1, correlation=0.1, desk_drawdown=0.0)
RISKY = figures(largest_weight=0.35, correlation=0.75, desk_drawdown=-0.15)
WEIGHTS = {"AURX": 0.2, "BRNT": 0.3, "CNDR": 0.0}


@given(
    st.tuples(*[st.floats(0.01, 1)] * len(READINGS)),
    st.integers(0, 100),
    st.dictionaries(st.sampled_from(("A", "B", "C", "D")), st.floats(0, 0.5), min_size=1),
    st.floats(0, 1),
)
def test_no_answer_of_a_mind_loosens_a_limit(
    chances: tuple[float, ...], seed: int, weights: dict[str, float], cap: float
) -> None:
    found = read_risk(OFFICER, SAFE, weights, mind=Mind(chances, seed), **MARKET)
    assert 1 <= found.aversion_factor <= 2
    asked = wish(dict.fromkeys(weights, cap))
    tight = found.applied_to(asked)
    assert tight.risk_aversion >= asked.risk_aversion
    assert tight.min_invested <= sum(tight.caps.values()) + 1e-12
    for name, weight in weights.items():
        assert tight.caps[name] <= cap
        if name in found.caps:
            assert found.caps[name] < weight
    assert set(found.caps) <= {name for name, weight in weights.items() if weight > 0}
    assert found.tightens == (found.reading != "accept")


def test_a_tightening_that_loosens_cannot_be_written_down() -> None:
    with pytest.raises(ValidationError):
        Tightening(reading="cut", aversion_factor=0.9, rationale="")
    assert Tightening(reading="cut", caps={"A": 0.5}, rationale="").applied_to(wish({"A": 0.3})).caps == {"A": 0.3}


def test_the_scorecard_accepts_what_is_safe_and_cuts_what_is_not() -> None:
    safe = read_risk(OFFICER, SAFE, WEIGHTS, mind=Points(), **MARKET)
    assert (safe.reading, safe.tightens) == ("accept", False)
    risky = read_risk(OFFICER, RISKY, WEIGHTS, mind=Points(), **MARKET)
    assert risky.reading == "cut"
    assert risky.caps == {"BRNT": KEPT["cut"] * 0.3}  # the largest weight
    assert risky.aversion_factor > 1.5
    assert risky.rationale.startswith("cut: ")
    assert "BRNT at most 15.0%" in risky.rationale


def test_nothing_changes_where_a_mind_fails_or_nothing_is_held() -> None:
    failed = read_risk(OFFICER, RISKY, WEIGHTS, mind=Broken(), **MARKET)
    assert not failed.tightens
    assert failed.rationale == "no reading: too long"
    assert not read_risk(OFFICER, RISKY, {"CNDR": 0.0}, mind=Broken(), **MARKET).tightens
    assert not read_risk(OFFICER, (), WEIGHTS, mind=Broken(), **MARKET).tightens


def test_concentration_and_correlation_are_what_they_say() -> None:
    assert effective_names(np.array([0.25, 0.25, 0.25, 0.25])) == pytest.approx(4)
    assert effective_names(np.array([0.9])) == pytest.approx(1)
    rng = np.random.default_rng(3)
    common, own = rng.normal(size=(500, 1)), rng.normal(size=(500, 3))
    returns = np.hstack([common, common, own[:, :1], np.zeros((500, 1))])
    assert mean_correlation(np.array([0.5, 0.5, 0.0, 0.0]), returns) == pytest.approx(1)
    by_hand = np.corrcoef(returns[:, 0], returns[:, 2])[0, 1]
    assert mean_correlation(np.array([0.4, 0.0, 0.2, 0.4]), returns) == pytest.approx(by_hand)
    assert np.isnan(mean_correlation(np.array([0.5, 0.0, 0.0, 0.5]), returns))
