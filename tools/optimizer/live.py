"""A HiGHS model that stays alive: columns, rows and figures change, and simplex starts from its last basis."""

from dataclasses import dataclass
from typing import NamedTuple

import highspy
import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray

from ..errors import OptimizerError

Vector = NDArray[np.float64]
Matrix = NDArray[np.float64]
Places = NDArray[np.int32]

INFINITE = highspy.kHighsInf

OPTIONS: dict[str, bool | int | float | str] = {
    "output_flag": False,
    # `parallel=off` and not `threads=1`: the latter fails where something else in the process has started HiGHS before.
    "parallel": "off",
    "solver": "simplex",
    # Presolve would throw the basis away; there is little to presolve in a restricted program.
    "presolve": "off",
    "primal_feasibility_tolerance": 1e-9,
    "dual_feasibility_tolerance": 1e-9,
    # By default what is below 1e-9 is dropped.
    "small_matrix_value": 1e-12,
    # Only a guard against cycling, far beyond what any problem needs. HiGHS's time limit counts all runs together.
    "simplex_iteration_limit": 5_000_000,
}

DUAL, PRIMAL = 1, 4
"""HiGHS's names for serial dual and primal simplex."""

NO_OPTIMUM = (
    highspy.HighsModelStatus.kInfeasible,
    highspy.HighsModelStatus.kUnbounded,
    highspy.HighsModelStatus.kUnboundedOrInfeasible,
)


class ByColumns(NamedTuple):
    """A sparse matrix column by column, the arrays of a `csc_array` without its checks: for what is stacked by hand."""

    shape: tuple[int, int]
    indptr: Places
    """(columns + 1,) where each column begins."""
    indices: Places
    """(nnz,) row of each entry, ascending within a column."""
    data: Vector


@dataclass(frozen=True)
class Program:
    """A linear program in arrays: minimize cost'x, row_least <= matrix x <= row_most, least <= x <= most."""

    cost: Vector
    matrix: sp.csc_array | ByColumns
    row_least: Vector
    row_most: Vector
    least: Vector
    most: Vector


class LiveModel:
    """One linear program inside HiGHS.

    Args:
        program: what it starts with.
        primal: use primal simplex, to which added columns do no harm; else dual simplex, for added rows.
    """

    def __init__(self, program: Program, *, primal: bool = False) -> None:
        self._strategy = PRIMAL if primal else DUAL
        self._solver = highspy.Highs()  # type: ignore[no-untyped-call]
        for name, value in OPTIONS.items():
            self._solver.setOptionValue(name, value)
        matrix = program.matrix
        rows, columns = matrix.shape
        done = self._solver.passModel(
            columns,
            rows,
            len(matrix.data),
            int(highspy.MatrixFormat.kColwise),
            int(highspy.ObjSense.kMinimize),
            0.0,
            program.cost,
            program.least,
            program.most,
            program.row_least,
            program.row_most,
            matrix.indptr,
            matrix.indices,
            matrix.data,
            np.zeros(columns, dtype=np.int32),  # all of them continuous
        )
        self._done(done, "take the program")

    def run(self) -> bool:
        """Solve from the last basis; False if there is no optimum: infeasible, or, seen from the dual, unbounded.

        Raises:
            OptimizerError: the solver broke or gave up.
        """
        for attempt, strategy in enumerate((self._strategy, DUAL, PRIMAL)):
            if attempt:
                # One problem in a thousand ends in status Unknown: a fresh basis and other pivots solve it.
                self._solver.clearSolver()
            self._solver.setOptionValue("simplex_strategy", strategy)
            self._solver.run()
            status = self._solver.getModelStatus()
            if status == highspy.HighsModelStatus.kOptimal:
                return True
            if status in NO_OPTIMUM:
                return False
        words = self._solver.modelStatusToString(status)
        raise OptimizerError(f"The solver HiGHS gave up with status {words}: check the problem's numbers.")

    def columns(self) -> Vector:
        """Values of all columns at the last solution."""
        return np.array(self._solver.getSolution().col_value)

    def duals(self) -> Vector:
        """Duals of all rows at the last solution: change of the minimum per unit of the right side."""
        return np.array(self._solver.getSolution().row_dual)

    def solution(self) -> tuple[Vector, Vector]:
        """Values of the columns and duals of the rows at the last solution."""
        found = self._solver.getSolution()
        return np.array(found.col_value), np.array(found.row_dual)

    def set_costs(self, places: Places, costs: Vector) -> None:
        """New costs of some columns."""
        self._done(self._solver.changeColsCost(len(places), places, costs), "change costs")

    def set_bounds(self, places: Places, least: Vector, most: Vector) -> None:
        """New bounds of some columns."""
        self._done(self._solver.changeColsBounds(len(places), places, least, most), "change bounds")

    def set_rows(self, places: Places, least: Vector, most: Vector) -> None:
        """New sides of some rows."""
        for place, low, high in zip(places.tolist(), least.tolist(), most.tolist(), strict=True):
            self._solver.changeRowBounds(place, low, high)

    def set_entries(self, rows: Places, columns: Places, values: Vector) -> None:
        """New coefficients."""
        for row, column, value in zip(rows.tolist(), columns.tolist(), values.tolist(), strict=True):
            self._solver.changeCoeff(row, column, value)

    def add_columns(self, costs: Vector, least: Vector, most: Vector, rows: Places, block: Matrix) -> None:
        """Add columns with the same `rows`, (columns, rows) dense coefficients; without rows they are empty."""
        count, width = len(costs), len(rows)
        starts = np.arange(0, count * width, width, dtype=np.int32) if width else np.zeros(count, dtype=np.int32)
        places = np.tile(rows, count).astype(np.int32)
        done = self._solver.addCols(count, costs, least, most, count * width, starts, places, block.ravel())
        self._done(done, "add columns")

    def add_rows(self, least: Vector, most: Vector, columns: Places, block: Matrix) -> None:
        """Add rows; `columns` (rows, width) and `block` (rows, width) say which coefficients they have."""
        count, width = columns.shape
        starts = np.arange(0, count * width, width, dtype=np.int32)
        done = self._solver.addRows(count, least, most, count * width, starts, columns.ravel(), block.ravel())
        self._done(done, "add rows")

    @staticmethod
    def _done(status: object, what: str) -> None:
        # A warning is about a side that contradicts itself, which is then infeasible, or a coefficient below 1e-12.
        if status == highspy.HighsStatus.kError:
            raise OptimizerError(f"The solver HiGHS refused to {what}: check the problem's numbers.")


def places(count: int, start: int = 0) -> Places:
    """Consecutive places from `start`."""
    return np.arange(start, start + count, dtype=np.int32)
