"""Agents that say the same are one voice, not several.

With the matrix R of correlations between agents' scores, the best combination of information coefficients c has the
weights R^-1 c (Grinold and Kahn 2000, chapter 10). R is estimated from few outcomes and its inverse turns small errors
into bets against somebody, so each coefficient is divided by the sum of its agent's correlations instead:

    w_a = c_a / sum_b max(0, rho_ab)

For equal coefficients and equal positive correlations the two are the same (R^-1 c = c / (1 + (K - 1) rho)); two copies
of one agent share one weight; nobody's weight changes its sign.
"""

from collections.abc import Sequence

import numpy as np

from . import scores
from .columns import Columns

PRIOR_PAIRS = 30.0
"""Pairs of statements that the prior belief in independence is worth."""


def discounts(said: Sequence[Columns]) -> list[float]:
    """What agreement leaves of each agent's weight, in (0, 1], in order."""
    found = [[1.0] * len(said) for _ in said]
    for a, mine in enumerate(said):
        for b in range(a):
            found[a][b] = found[b][a] = correlation(mine, said[b])
    return [1 / sum(row) for row in found]


def correlation(one: Columns, other: Columns) -> float:
    """Correlation of two agents' scores on the same names at the same times, shrunk towards 0; never below 0."""
    place = {about: i for i, about in enumerate(other.about)}
    pairs = [(i, place[about]) for i, about in enumerate(one.about) if about in place]
    if len(pairs) < 2:
        return 0.0
    mine, theirs = np.array(pairs).T
    left, right = one.scores[mine], other.scores[theirs]
    if not (scores.varies(left) and scores.varies(right)):
        return 0.0
    count = float(np.minimum(one.weights[mine], other.weights[theirs]).sum())
    return max(0.0, scores.correlation(left, right)) * count / (count + PRIOR_PAIRS)
