"""Agents that say the same are one voice, not several.

With the matrix R of correlations between agents' scores, the best combination of information coefficients c has the
weights R^-1 c (Grinold and Kahn 2000, chapter 10). R is estimated from few outcomes and its inverse turns small errors
into bets against somebody, so each coefficient is divided by the sum of its agent's correlations instead:

    w_a = c_a / sum_b max(0, rho_ab)

For equal coefficients and equal positive correlations the two are the same (R^-1 c = c / (1 + (K - 1) rho)); two copies
of one agent share one weight; nobody's weight changes its sign.
"""

from collections.abc import Hashable, Mapping, Sequence

import numpy as np

from .scores import STILL

PRIOR_PAIRS = 30.0
"""Pairs of statements that the prior belief in independence is worth."""

Said = Mapping[Hashable, tuple[float, float]]
"""Score and weight of an agent's statements, by what they were about."""


def discounts(said: Sequence[Said]) -> list[float]:
    """What agreement leaves of each agent's weight, in (0, 1], in order."""
    found = [[1.0] * len(said) for _ in said]
    for a, mine in enumerate(said):
        for b in range(a):
            found[a][b] = found[b][a] = correlation(mine, said[b])
    return [1 / sum(row) for row in found]


def correlation(one: Said, other: Said) -> float:
    """Correlation of two agents' scores on the same names at the same times, shrunk towards 0; never below 0."""
    both = [key for key in one if key in other]
    scores = np.array([(one[key][0], other[key][0]) for key in both]).reshape(-1, 2)
    if len(both) < 2 or (np.ptp(scores, axis=0) < STILL).any():
        return 0.0
    count = sum(min(one[key][1], other[key][1]) for key in both)
    found = float(np.corrcoef(scores[:, 0], scores[:, 1])[0, 1])
    return max(0.0, found) * count / (count + PRIOR_PAIRS)
