"""The scenario-free program as plain arrays, read from what cvxpy compiled.

    minimize    cost'x + the risk of x's first N columns
    subject to  row_least <= matrix x <= row_most,   least <= x <= most

cvxpy knows equalities and bounds only; the exposures are folded back into rows with two sides here. This is the form in
which simplex solvers keep a live model, and in which a dual bound is a few products of arrays.
"""

from dataclasses import dataclass
from functools import cached_property

import cvxpy as cp
import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray

from .program import Program

Vector = NDArray[np.float64]


@dataclass(frozen=True)
class Form:
    """A linear program with finite bounds on all columns; the first `names` columns are the weights."""

    names: int
    exposures: slice
    """Rows that hold the exposures, in the order of `program.exposure_bounds`."""
    cost: Vector
    matrix: sp.csc_array
    """(m, n)."""
    row_least: Vector
    row_most: Vector
    least: Vector
    most: Vector

    @cached_property
    def turned(self) -> sp.csr_array:
        """(n, m) the matrix transposed."""
        return sp.csr_array(self.matrix.T)

    def bound(self, duals: Vector, measured: Vector) -> tuple[float, Vector]:
        """A lower bound of the minimum, valid whatever the duals are, and the (n,) reduced costs.

        By weak duality (Neumaier and Shcherbina 2004, eq. 3)  min (cost - measured)'x  is at least
        sum_i (duals_i > 0 ? row_least_i : row_most_i) duals_i + sum_j min over x_j's bounds of reduced_j x_j,
        with reduced = cost - (measured, 0) - matrix'duals.

        Args:
            duals: (m,) of the rows; positive on the least side.
            measured: (N,) lambda R'q, for a measure q of the CVaR's dual.
        """
        sides = np.where(duals > 0, self.row_least, self.row_most)
        usable = np.where(np.isinf(sides), 0.0, duals)  # a dual on a side that does not exist is rounding
        reduced: Vector = self.cost - self.turned @ usable
        reduced[: self.names] -= measured
        rows = float(duals @ np.where(np.isinf(sides), 0.0, sides))
        return rows + float(reduced @ np.where(reduced > 0, self.least, self.most)), reduced


def form_of(program: Program) -> Form:
    """The arrays of a loaded program."""
    data = program.linear.get_problem_data(cp.HIGHS)[0]
    matrix, right = sp.csr_array(data["A"]), np.asarray(data["b"], dtype=np.float64)
    place = data["param_prob"].var_id_to_col
    columns = {variable.id: place[variable.id] + np.arange(variable.size) for variable, _, _ in program.bounds}
    exposure = columns[program.exposure.id]
    kept = [columns[variable.id] for variable, _, _ in program.bounds if variable is not program.exposure]
    order = np.concatenate(kept)
    balance = 0 if program.balance is None else program.shape.names
    cover = 0 if program.cover is None else program.shape.names
    defined = slice(balance, balance + len(exposure))
    # exposure - G x = 0: minus the rest of the row is G
    sign = np.ones(defined.stop + cover)
    sign[defined] = -matrix[defined].tocsc()[:, exposure].diagonal()
    rows = sp.csc_array(sp.diags_array(sign) @ matrix[: defined.stop + cover])
    least, most = _bounds(program, right[defined.stop + cover :], columns, matrix.shape[1])
    row_least, row_most = right[: defined.stop + cover].copy(), right[: defined.stop + cover].copy()
    row_least[defined.stop :] = -np.inf
    row_least[defined], row_most[defined] = least[exposure], most[exposure]
    return Form(
        names=program.shape.names,
        exposures=defined,
        cost=np.asarray(data["c"], dtype=np.float64)[order],
        matrix=sp.csc_array(rows[:, order]),
        row_least=row_least,
        row_most=row_most,
        least=least[order],
        most=most[order],
    )


def _bounds(
    program: Program, right: Vector, columns: dict[int, NDArray[np.int64]], count: int
) -> tuple[Vector, Vector]:
    """Least and most of every column: the program's last rows are -x <= -least and x <= most, variable by variable."""
    least, most, at = np.empty(count), np.empty(count), 0
    for variable, _, _ in program.bounds:
        where, size = columns[variable.id], variable.size
        least[where], most[where] = -right[at : at + size], right[at + size : at + 2 * size]
        at += 2 * size
    return least, most
