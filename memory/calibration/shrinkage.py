"""Shrinkage in two steps: an agent in a regime towards the agent, the agent towards the prior.

    r_gk ~ N(theta_gk, 1 / n_gk),  theta_gk ~ N(theta_g, T^2),  theta_g ~ N(p, S^2)

for agent g and regime k: r the information coefficient that was observed, n the outcomes as if independent (a
correlation near zero over n of them has the variance 1 / n). The posterior means follow in closed form (Gelman et al.
2013, Bayesian Data Analysis, section 5.4, equations 5.17 and 5.20 with known variances):

    E theta_g  = (p / S^2 + sum_k r_gk v_gk) / (1 / S^2 + sum_k v_gk),   v_gk = 1 / (T^2 + 1 / n_gk)
    E theta_gk = (n_gk r_gk + E theta_g / T^2) / (n_gk + 1 / T^2)
"""

from collections.abc import Iterable

PRIOR_IC = 0.03
"""p: what an agent without a record is trusted with, the IC of a modestly useful signal (Grinold and Kahn 2000, chapter
6)."""

AGENT_SPREAD = 0.05
"""S: standard deviation of true information coefficients between agents."""

REGIME_SPREAD = 0.025
"""T: of one agent's between regimes; half as much, for a role stays what it is."""

BOUND = 0.10
"""No record moves the weight of an agent beyond this."""


def agent_skill(cells: Iterable[tuple[float, float]]) -> float:
    """E theta_g.

    Args:
        cells: information coefficient and outcomes as if independent, per regime; those without outcomes say nothing.
    """
    precision = 1 / AGENT_SPREAD**2
    total = PRIOR_IC * precision
    for ic, count in cells:
        if count > 0:
            known = 1 / (REGIME_SPREAD**2 + 1 / count)
            total, precision = total + ic * known, precision + known
    return total / precision


def regime_skill(ic: float, count: float, agent: float) -> float:
    """E theta_gk, given E theta_g."""
    prior = 1 / REGIME_SPREAD**2
    return (count * ic + prior * agent) / (count + prior)


def bounded(skill: float) -> float:
    """A skill as a weight: nobody is bet against, and nobody counts for more than `BOUND`."""
    return min(BOUND, max(0.0, skill))
