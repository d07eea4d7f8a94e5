"""From log-probabilities to a distribution: the arithmetic that every mind shares."""

from collections.abc import Mapping, Sequence

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
    """The mean of several distributions, and how far they disagree.

    The disagreement is their Jensen-Shannon divergence with equal weights (Lin 1991, "Divergence measures based on the
    Shannon entropy", eq. 5.1), over the logarithm of the number of options n:

        JS = H(mean_k p_k) - mean_k H(p_k),   sensitivity = JS / log n,   H(p) = -sum_i p_i log p_i

    Args:
        distributions: at least one, all over the same options, each summing to 1.

    Returns:
        The mean, in the order of the first one's options, and the disagreement in [0, 1]: 0 for one distribution, for
        equal ones and for a single option.
    """
    options = list(distributions[0])
    if len(distributions) == 1 or len(options) == 1:
        return dict(distributions[0]), 0.0
    table = np.array([[one[option] for option in options] for one in distributions], dtype=np.float64)
    mean = table.mean(axis=0)
    divergence = _entropy(mean) - float(np.mean([_entropy(row) for row in table]))
    sensitivity = min(max(divergence / float(np.log(len(options))), 0.0), 1.0)
    return dict(zip(options, mean.tolist(), strict=True)), sensitivity


def _entropy(p: npt.NDArray[np.float64]) -> float:
    """Of Shannon, in nats; 0 log 0 is 0."""
    positive = p[p > 0.0]
    return -float((positive * np.log(positive)).sum())


def best(probabilities: Mapping[str, float]) -> str:
    """The most probable option; the first of equals, so that ties do not depend on anything unseen."""
    return max(probabilities, key=probabilities.__getitem__)
