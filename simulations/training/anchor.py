"""A penalty towards the adapter that training goes on from: what was learnt before is left only where it pays.

    keep / 2  x  sum_m |B_m A_m - B0_m A0_m|_F^2  /  sum_m |B0_m A0_m|_F^2

over the changed projections m, with B0 A0 the change of weights at the beginning. This is the penalty towards a
starting point of Li, Grandvalet and Davoine (2018, "Explicit inductive bias for transfer learning with convolutional
networks", L2-SP), put on the product: the factors of a low-rank change are determined only up to an invertible matrix
between them, the change itself is. The denominator makes `keep` free of units: to move as far as all that was learnt
before costs keep / 2 nats. Elastic weight consolidation (Kirkpatrick et al. 2017, eq. 3) would weigh each weight by its
Fisher information; that is as many more numbers to estimate from a few hundred exercises, and is not done.
"""

from typing import Any

from .exercises import TrainingError


class Anchor:
    """Where training began.

    Args:
        model: peft's, with the adapter as it is at the beginning.
        keep: strength of the penalty.

    Raises:
        TrainingError: the adapter changes nothing yet, so there is nothing to stay near.
    """

    def __init__(self, model: Any, keep: float) -> None:
        self._pairs = [
            (module.lora_A["default"].weight, module.lora_B["default"].weight)
            for module in model.modules()
            if hasattr(module, "lora_A") and "default" in module.lora_A
        ]
        self._before = [(a.detach().clone(), b.detach().clone()) for a, b in self._pairs]
        size = float(sum(_product(a, b, a, b) for a, b in self._before))
        if size == 0:
            raise TrainingError("A fresh adapter has nothing to keep: go on from a trained one, or leave keep at 0.")
        self._factor = keep / 2 / size

    def penalty(self) -> Any:
        """The penalty where the weights are now, a scalar tensor."""
        # |B A - B0 A0|^2 = |B A|^2 - 2 <B A, B0 A0> + |B0 A0|^2
        total = sum(
            _product(a, b, a, b) - 2 * _product(a, b, a0, b0) + _product(a0, b0, a0, b0)
            for (a, b), (a0, b0) in zip(self._pairs, self._before, strict=True)
        )
        return self._factor * total


def _product(a: Any, b: Any, a2: Any, b2: Any) -> Any:
    """<B A, B2 A2> = sum of (B'B2) * (A A2'), through matrices of rank x rank."""
    return ((b.T @ b2) * (a @ a2.T)).sum()
