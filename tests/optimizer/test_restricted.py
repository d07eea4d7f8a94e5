"""The restricted programs' matrices, put together by hand, are what stacking sparse blocks gives, array by array."""

import numpy as np
import pytest
import scipy.sparse as sp
from hypothesis import given
from hypothesis import strategies as st

from paperdesk.tools.optimizer.live import ByColumns
from paperdesk.tools.optimizer.restricted import dual_columns, with_corner


@st.composite
def matrices(draw: st.DrawFn) -> sp.csc_array:
    rows, columns = draw(st.integers(1, 6)), draw(st.integers(1, 7))
    entries = draw(st.lists(st.sampled_from([0.0, 0.0, 1.0, -2.5, 1e-12]), min_size=rows * columns, max_size=42))
    return sp.csc_array(np.array(entries[: rows * columns]).reshape(rows, columns))


def same(found: ByColumns, stacked: sp.csc_array) -> bool:
    pairs = [(getattr(found, name), getattr(stacked, name)) for name in ("indptr", "indices", "data")]
    return found.shape == stacked.shape and all(
        one.dtype == other.dtype and np.array_equal(one, other) for one, other in pairs
    )


@given(matrix=matrices())
def test_the_dual_has_the_matrix_turned_both_ways_and_an_empty_row(matrix: sp.csc_array) -> None:
    columns = sp.hstack([matrix.T, -matrix.T, -sp.eye_array(matrix.shape[1])], format="csc")
    stacked = sp.vstack([columns, sp.csc_array((1, columns.shape[1]))], format="csc")
    assert same(dual_columns(matrix), stacked)


@pytest.mark.parametrize("corner", [None, 3.5])
@given(matrix=matrices())
def test_the_primal_has_a_column_more_and_with_a_limit_a_row_more(matrix: sp.csc_array, corner: float | None) -> None:
    block = sp.csc_array(np.zeros((0, 1)) if corner is None else np.array([[corner]]))
    assert same(with_corner(matrix, corner), sp.block_diag([matrix, block], format="csc"))
