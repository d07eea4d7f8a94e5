import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from paperdesk.agents.models.distribution import pooled, softmax
from paperdesk.agents.models.llama_cpp.sampling import Sampler


@pytest.mark.parametrize("temperature", [0.5, 1.0, 2.0])
def test_the_greatest_noisy_logit_is_a_draw_from_the_softmax(temperature: float) -> None:
    logits = np.array([2.0, 1.0, 0.0, -1.0, 3.0], dtype=np.float32)
    admissible = np.array([0, 1, 2, 3])  # as under a grammar that forbids the favourite
    sampler, draws = Sampler(temperature, 7, (1, 2, 3)), 20_000
    found = [int(admissible[np.argmax(sampler.perturb(logits)[admissible])]) for _ in range(draws)]
    shares = np.bincount(found, minlength=5)[admissible] / draws
    expected = softmax(logits[admissible] / temperature)
    assert np.all(np.abs(shares - expected) < 4 * np.sqrt(expected * (1 - expected) / draws))


def test_noise_is_a_function_of_seed_and_prompt() -> None:
    logits = np.zeros(100, dtype=np.float32)
    one, same = (Sampler(1.0, 5, (1, 2)).perturb(logits) for _ in range(2))
    assert np.array_equal(one, same)
    assert not np.array_equal(one, Sampler(1.0, 6, (1, 2)).perturb(logits))
    assert not np.array_equal(one, Sampler(1.0, 5, (1, 3)).perturb(logits))
    assert Sampler(0.0, 5, (1, 2)).perturb(logits) is logits


distributions = st.lists(
    st.lists(st.floats(1e-9, 1), min_size=3, max_size=3).map(
        lambda weights: dict(zip("abc", (np.array(weights) / sum(weights)).tolist(), strict=True))
    ),
    min_size=1,
    max_size=5,
)


@given(distributions)
def test_the_mean_is_a_distribution_and_disagreement_lies_between_0_and_1(some: list[dict[str, float]]) -> None:
    mean, disagreement = pooled(some)
    assert sum(mean.values()) == pytest.approx(1)
    assert 0 <= disagreement <= 1
    same, none = pooled([some[0]] * 3)
    assert same == pytest.approx(some[0])
    assert none == pytest.approx(0, abs=1e-12)


def test_two_certain_opposites_disagree_by_one_bit() -> None:
    mean, disagreement = pooled([{"buy": 1.0, "sell": 0.0}, {"buy": 0.0, "sell": 1.0}])
    assert mean == {"buy": 0.5, "sell": 0.5}
    assert disagreement == pytest.approx(1.0)
