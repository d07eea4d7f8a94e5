"""The question of `evaluation` with SmolLM2 as the mind, on fewer seeds, and the scorecard on the same markets.

SmolLM2's adapter reads tone; its stances were not trained on such markets. Seven minutes a session on two free cores,
most of them the model's.
"""

from typing import Any

from .evaluation import Markets, judged, summary

SMOLLM2 = Markets(10, 3, 10.0, range(51, 54))


def measure() -> list[dict[str, Any]]:
    """For each mind a row with nothing planted and one with momentum."""
    return [
        {"mind": mind} | summary(SMOLLM2, strength, [judged(SMOLLM2, seed, strength, mind) for seed in SMOLLM2.seeds])
        for mind in ("smollm2", "scorecard")
        for strength in (0.0, SMOLLM2.strength)
    ]
