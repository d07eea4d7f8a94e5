"""Which scenarios of a problem were there in the problem before: windows move, and most rows stay."""

import numpy as np
from numpy.typing import NDArray

Matrix = NDArray[np.float64]


def moved_by(before: Matrix, after: Matrix) -> int | None:
    """By how many rows the window moved on: after[i] is before[i + moved] where both exist; None if it is no such move.

    Found by comparing the numbers themselves, so that nothing depends on labels that could be wrong.

    Args:
        before: (S, N).
        after: (T, N).
    """
    if before.shape[1] != after.shape[1]:
        return None
    if before is after:
        return 0
    for moved in np.flatnonzero(before[:, 0] == after[0, 0]).tolist():
        if not np.array_equal(before[moved], after[0]):
            continue
        common = min(len(before) - moved, len(after))
        if np.array_equal(before[moved : moved + common], after[:common]):
            return int(moved)
    return None
