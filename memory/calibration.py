"""How good each agent has been so far: the information coefficient of its scores, shrunk towards a small prior.

Only outcomes whose horizon has passed by the decision are in here; the caller adds them as they become known, so the
future cannot leak through the past's calibration.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

PRIOR_IC = 0.03
"""What an agent without a record is trusted with: the IC of a modestly useful signal (Grinold and Kahn 2000, chapter
6)."""

PRIOR_SPREAD = 0.05
"""Standard deviation of true information coefficients between agents, as the prior has it."""

PRIOR_WEIGHT = 1 / PRIOR_SPREAD**2
"""Outcomes that weigh as much as the prior: the variance of a correlation over n outcomes is about 1 / n."""

BOUND = 0.10
"""No record moves the weight of an agent beyond this."""


@dataclass
class Calibration:
    """Scores and outcomes per agent."""

    _pairs: dict[str, list[tuple[float, float]]] = field(default_factory=dict)
    _counts: dict[str, float] = field(default_factory=dict)
    """Outcomes as if independent."""

    def add(self, agent: str, score: float, outcome: float, weight: float = 1.0) -> None:
        """One resolved signal: its score in [-1, 1] and the excess return that followed.

        `weight` is the part of the outcome that no other one covers: where a horizon of 63 sessions is observed every
        21, three outcomes say as much as one.
        """
        self._pairs.setdefault(agent, []).append((score, outcome))
        self._counts[agent] = self._counts.get(agent, 0.0) + weight

    def information_coefficient(self, agent: str) -> float:
        """Correlation of scores and outcomes, shrunk: (n r + m p) / (n + m), in [0, `BOUND`].

        The posterior mean of a normal prior (p = `PRIOR_IC`, precision m = `PRIOR_WEIGHT`) after n outcomes with
        correlation r. An agent whose record is bad enough gets no weight; it is never bet against.
        """
        pairs = np.array(self._pairs.get(agent, ()), dtype=float).reshape(-1, 2)
        count = self._counts.get(agent, 0.0)
        if len(pairs) < 2 or pairs[:, 0].std() == 0 or pairs[:, 1].std() == 0:
            return PRIOR_IC  # no correlation can be taken: nothing has been learnt
        correlation = float(np.corrcoef(pairs[:, 0], pairs[:, 1])[0, 1])
        shrunk = (count * correlation + PRIOR_WEIGHT * PRIOR_IC) / (count + PRIOR_WEIGHT)
        return float(min(BOUND, max(0.0, shrunk)))

    def weights(self, agents: tuple[str, ...]) -> Mapping[str, float]:
        """The information coefficient of each agent."""
        return {agent: self.information_coefficient(agent) for agent in agents}
