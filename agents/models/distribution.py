"""From log-probabilities to a distribution: the arithmetic that every mind shares."""

from collections.abc import Mapping, Sequence
from math import fsum, log

import numpy as np
import numpy.typing as npt

LOG_FLOOR = -60.0
"""Log-probabilities relative to the best option are clipped here, so that a probability is never exactly zero and a
content-free prompt never divides by zero."""


def softmax(log_probabilities: npt.ArrayLike) -> npt.NDArray[np.float64]:
    """exp(x) / sum(exp(x)) of a vector, computed relative to its maximum; shape (n,) to (n,)."""
    x = np.asarray(log_probabilities, dtype=np.float64)
    weights = np.exp(np.clip(x - x.max(), LOG_FLOOR, 0.0))
    total: npt.NDArray[np.float64] = weights / weights.sum()
    return total


def calibrate(raw: Mapping[str, float], content_free: Mapping[str, float]) -> dict[str, float]:
    """The distribution with the mind's bias divided out.

    q_i = (p_i / c_i) / sum_j (p_j / c_j), with c the distribution after a content-free question (Zhao, Wallace, Feng,
    Klein and Singh 2021, "Calibrate Before Use", eq. 1 with W = diag(c)^-1 and b = 0, renormalised).

    Args:
        raw: probabilities over the options, positive.
        content_free: probabilities over the same options, positive.
    """
    logs = [float(np.log(raw[option]) - np.log(content_free[option])) for option in raw]
    return dict(zip(raw, softmax(logs).tolist(), strict=True))


def pooled(distributions: Sequence[Mapping[str, float]]) -> tuple[dict[str, float], float]:
    """The mean of several distributions over the same options, and how far they disagree.

    The disagreement is the Jensen-Shannon divergence with equal weights, H(mean of p) - mean of H(p) (Lin 1991,
    "Divergence measures based on the Shannon entropy", eq. 5.1), over the logarithm of the number of options: 0 where
    they are equal, at most 1.

    Args:
        distributions: at least one.
    """
    if len(distributions) == 1:
        return dict(distributions[0]), 0.0
    options = list(distributions[0])
    mean = {option: fsum(one[option] for one in distributions) / len(distributions) for option in options}
    between = _entropy(mean) - fsum(map(_entropy, distributions)) / len(distributions)
    return mean, min(1.0, max(0.0, between / log(len(options)))) if len(options) > 1 else 0.0


def _entropy(distribution: Mapping[str, float]) -> float:
    return -fsum(p * log(p) for p in distribution.values() if p > 0)


def best(probabilities: Mapping[str, float]) -> str:
    """The most probable option; the first of equals, so that ties do not depend on anything unseen."""
    return max(probabilities, key=probabilities.__getitem__)
