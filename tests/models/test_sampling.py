import numpy as np

from paperdesk.agents.models.llama_cpp.sampling import Sampler

LOGITS = np.log(np.array([0.1, 0.2, 0.7], dtype=np.float32))


def draws(temperature: float, count: int = 4000, seed: int = 0, prompt: tuple[int, ...] = (1, 2)) -> list[int]:
    sampler = Sampler(temperature, seed, prompt)
    return [int(np.argmax(sampler.perturb(LOGITS))) for _ in range(count)]


def test_no_temperature_leaves_logits_untouched() -> None:
    assert Sampler(0, 7, (1,)).perturb(LOGITS) is LOGITS


def test_tokens_are_drawn_with_the_softmax_of_logits_over_temperature() -> None:
    for temperature in (0.5, 1.0, 2.0):
        wanted = np.exp(LOGITS / temperature)
        wanted /= wanted.sum()
        share = np.bincount(draws(temperature), minlength=3) / 4000
        # five standard errors of a share of 4,000 draws
        assert np.abs(share - wanted).max() < 5 * np.sqrt(0.25 / 4000)


def test_seed_and_prompt_decide_what_is_drawn() -> None:
    assert draws(1.0, 50) == draws(1.0, 50)
    assert draws(1.0, 50) != draws(1.0, 50, seed=1)
    assert draws(1.0, 50) != draws(1.0, 50, prompt=(1, 3))
