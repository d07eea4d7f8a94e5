import json
from collections.abc import Callable
from math import exp

import pytest
from hypothesis import given
from hypothesis import strategies as st

from paperdesk.agents.models.core import ModelInputError, Question, Request
from paperdesk.agents.models.schemas import shape_of, violation
from paperdesk.agents.models.scorecard import CENTRES, NO_DIRECTION, Scorecard, distribution
from paperdesk.tools.evidence import Evidence

STANCES = ("strong_sell", "sell", "hold", "buy", "strong_buy")
Make = Callable[..., Evidence]
MIRRORED = sorted(CENTRES.keys() - {"risk"})
"""Tasks that take good and bad alike; a reading of risk accepts what is neither."""


def one(ask: Callable[..., Request], evidence: tuple[Evidence, ...], stance: str = "", **fields: object) -> Request:
    question = Question(ticker="AURX", text="?", evidence=evidence, stance=stance)
    return ask(**{"questions": (question,), "options": STANCES, **fields})


def test_the_distribution_is_the_documented_formula(ask: Callable[..., Request], evidence: Make) -> None:
    # readings: (0.15 - 0) / 0.15 = 1 and (50 - 50) / 30 = 0, lean 0.5, variance of the readings 0.25 over 2
    found = (evidence("momentum_3m", 0.15), evidence("rsi_14", 50.0), evidence("volatility_3m", 0.4))
    (answer,) = Scorecard().answer(one(ask, found)).answers
    width = 0.2**2 + 0.25 / 2
    weights = [exp(-((0.5 - centre) ** 2) / (2 * width)) for centre in (-0.8, -0.4, 0.0, 0.4, 0.8)]
    assert list(answer.probabilities.values()) == pytest.approx([w / sum(weights) for w in weights])


def test_kinds_weigh_equally_however_many_figures_they_have(ask: Callable[..., Request], evidence: Make) -> None:
    prices = tuple(evidence(name, -1.0) for name in ("momentum_3m", "return_1m", "distance_sma_50"))
    (answer,) = Scorecard().answer(one(ask, (*prices, evidence("roe_ttm", 0.9, "ratio")))).answers
    assert answer.probabilities["buy"] == pytest.approx(answer.probabilities["sell"])


def test_evidence_without_direction_is_an_abstention(ask: Callable[..., Request], evidence: Make) -> None:
    (answer,) = Scorecard().answer(one(ask, (evidence("volatility_3m", 0.4),))).answers
    assert answer.failure == NO_DIRECTION
    assert answer.probabilities == {}


def test_claims_name_the_strongest_figures_for_the_best_option(
    ask: Callable[..., Request], evidence: Make, claims_schema: Callable[..., dict[str, object]]
) -> None:
    found = (
        evidence("return_1m", 0.03),
        evidence("momentum_3m", 0.15),
        evidence("rsi_14", 68.0),
        evidence("tone", 0.4),
    )
    schema = claims_schema(("E1", "E2", "E3", "E4"), items=2)
    (answer,) = Scorecard().answer(one(ask, found, schema=(schema,))).answers
    assert answer.object == {
        "claims": [{"evidence": "E2", "supports": "buy"}, {"evidence": "E4", "supports": "buy"}],
    }


def test_a_figure_against_the_stance_is_not_claimed_for_it(
    ask: Callable[..., Request], evidence: Make, claims_schema: Callable[..., dict[str, object]]
) -> None:
    found = (evidence("momentum_3m", 0.15), evidence("rsi_14", 80.0), evidence("tone", 0.6))
    schema = claims_schema(("E1", "E2", "E3"), items=3)
    (answer,) = Scorecard().answer(one(ask, found, schema=(schema,))).answers
    assert answer.object is not None
    assert answer.object["claims"][-1] == {"evidence": "E2", "supports": "sell"}


def test_too_few_figures_for_the_schema_is_a_failure(
    ask: Callable[..., Request], evidence: Make, claims_schema: Callable[..., dict[str, object]]
) -> None:
    schema = claims_schema(("E1",), items=2)
    (answer,) = Scorecard().answer(one(ask, (evidence("tone", 0.6),), schema=(schema,))).answers
    assert answer.object is None
    assert answer.failure is not None


@pytest.mark.parametrize(
    ("stance", "tone", "expected"),
    [
        ("buy", 0.6, "supported"),
        ("strong_buy", -0.6, "contradicted"),
        ("sell", -0.6, "supported"),
        ("sell", 0.6, "contradicted"),
        ("hold", 0.0, "supported"),
        ("hold", 0.6, "contradicted"),
        ("buy", 0.0, "unclear"),
    ],
)
def test_support_follows_the_stance_under_judgement(
    ask: Callable[..., Request], evidence: Make, stance: str, tone: float, expected: str
) -> None:
    options = ("supported", "unclear", "contradicted")
    request = one(ask, (evidence("tone", tone),), stance, task="support", options=options)
    (answer,) = Scorecard().answer(request).answers
    assert max(answer.probabilities, key=answer.probabilities.__getitem__) == expected


def test_posture_follows_the_market(ask: Callable[..., Request], evidence: Make) -> None:
    options = ("defensive", "neutral", "aggressive")
    request = one(ask, (evidence("momentum_3m", -0.1),), task="posture", options=options)
    (answer,) = Scorecard().answer(request).answers
    assert max(answer.probabilities, key=answer.probabilities.__getitem__) == "defensive"


def test_a_task_or_option_without_a_formula_is_refused(ask: Callable[..., Request], evidence: Make) -> None:
    found = (evidence("tone", 0.1),)
    with pytest.raises(ModelInputError, match="no formula for 'poetry'"):
        Scorecard().answer(one(ask, found, task="poetry"))
    with pytest.raises(ModelInputError, match="option 'maybe'"):
        Scorecard().answer(one(ask, found, options=("maybe",)))
    with pytest.raises(ModelInputError, match="cannot judge the stance"):
        Scorecard().answer(one(ask, found, "", task="support", options=("unclear",)))


@given(score=st.floats(-1, 1), variance=st.floats(0, 1), task=st.sampled_from(MIRRORED))
def test_a_distribution_sums_to_one_and_mirrors(score: float, variance: float, task: str) -> None:
    there = distribution(score, variance, CENTRES[task])
    back = distribution(-score, variance, CENTRES[task])
    assert sum(there.values()) == pytest.approx(1)
    assert list(there.values()) == pytest.approx(list(back.values())[::-1])


def test_claims_satisfy_their_schema_and_survive_json(
    ask: Callable[..., Request], evidence: Make, claims_schema: Callable[..., dict[str, object]]
) -> None:
    schema = claims_schema(("E1", "E2"), items=2)
    found = (evidence("tone", 0.3), evidence("return_1m", -0.02))
    (answer,) = Scorecard().answer(one(ask, found, schema=(schema,))).answers
    assert violation(shape_of(schema), json.loads(json.dumps(answer.object))) is None
