"""The question of `evaluation` with SmolLM2 as the mind, on fewer seeds.

Its adapter reads tone; its stances were not trained on such markets. Minutes a session on two cores, most of
them the model's.
"""

from typing import Any

from .evaluation import Markets, judged, summary

SMOLLM2 = Markets(10, 3, 10.0, range(51, 54))


def measure() -> list[dict[str, Any]]:
    """A row with nothing planted and one with momentum."""
    return [
        summary(SMOLLM2, strength, [judged(SMOLLM2, seed, strength, "smollm2") for seed in SMOLLM2.seeds])
        for strength in (0.0, SMOLLM2.strength)
    ]
