"""The question of `evaluation` with SmolLM2 as the mind, on fewer seeds, and the scorecard on the same markets.

SmolLM2 is asked as it is, and with the adapter that comes along. Seven minutes a session on two free cores, most of
them the model's. `PAPERDESK_EVALUATION=FILE` keeps every session's verdict as it comes, and goes on from those that
are there.
"""

from collections.abc import Mapping
from typing import Any

from .evaluation import Markets, judged, summary
from .kept_rows import KeptRows

SMOLLM2 = Markets(10, 3, 10.0, range(51, 54))
MINDS: Mapping[str, Mapping[str, Any]] = {
    "smollm2": {"model": "smollm2", "adapter": ["none"]},
    "smollm2 with its adapter": {"model": "smollm2"},
    "scorecard": {"model": "scorecard"},
}
"""By name, what a session's configuration says."""


def measure() -> list[dict[str, Any]]:
    """For each mind a row with nothing planted and one with momentum."""
    kept = KeptRows("PAPERDESK_EVALUATION")
    cases = [(mind, strength, seed) for mind in MINDS for strength in (0.0, SMOLLM2.strength) for seed in SMOLLM2.seeds]
    done = {(row["mind"], row["strength"], row["seed"]) for row in kept.rows}
    for mind, strength, seed in cases:
        if (mind, strength, seed) not in done:
            verdict = judged(SMOLLM2, seed, strength, **MINDS[mind])
            kept.add({"mind": mind, "strength": strength, "seed": seed} | verdict)
    rows = []
    for mind in MINDS:
        for strength in (0.0, SMOLLM2.strength):
            own = [row for row in kept.rows if (row["mind"], row["strength"]) == (mind, strength)]
            rows.append({"mind": mind} | summary(SMOLLM2, strength, own))
    return rows
