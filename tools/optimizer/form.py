"""The scenario-free program as plain arrays, read from what cvxpy compiled.

    minimize    cost'x + the risk of x's first N columns
    subject to  row_least <= matrix x <= row_most,   least <= x <= most

cvxpy knows equalities and bounds only; the exposures are folded back into rows with two sides here. This is the form in
which simplex solvers keep a live model, and in which a dual bound is a few products of arrays.
"""

from copy import copy
from dataclasses import dataclass
from typing import Any

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
        matrix = self.matrix
        columns = np.repeat(np.arange(len(self.cost)), np.diff(matrix.indptr))
        priced = np.bincount(columns, matrix.data * usable[matrix.indices], len(self.cost))  # matrix'duals
        reduced: Vector = self.cost - priced
        reduced[: self.names] -= measured
        rows = float(duals @ np.where(np.isinf(sides), 0.0, sides))
        return rows + float(reduced @ np.where(reduced > 0, self.least, self.most)), reduced


class FormReader:
    """Reads the arrays of a program again and again: where each number goes is worked out once.

    All numbers of a compiled program are affine in its parameters (DPP), and cvxpy keeps that map. It is taken over at
    the first reading and then applied here, which is ten times as fast as by `get_problem_data`. Where the map does not
    give back what cvxpy itself gives, another version of cvxpy lays it out otherwise, and cvxpy goes on being asked.
    """

    def __init__(self, program: Program) -> None:
        self._program = program
        self._pattern: sp.csc_array | None = None
        self._map: AffineMap | None = None

    @property
    def is_mapped(self) -> bool:
        """Whether cvxpy's own map is applied here."""
        return self._map is not None

    def read(self) -> Form:
        """The arrays of the program as it is loaded."""
        if self._map is not None:
            return self._form(*self._map.figures())
        data = self._program.linear.get_problem_data(cp.HIGHS)[0]
        matrix = data["A"]
        figures = (
            np.asarray(data["c"], dtype=np.float64),
            np.asarray(matrix.data, dtype=np.float64),
            np.asarray(data["b"], dtype=np.float64),
        )
        if self._pattern is None or not _same_pattern(self._pattern, matrix):
            self._work_out(sp.csc_array(matrix), data["param_prob"].var_id_to_col)
            self._map = AffineMap.of(data["param_prob"], self._pattern, figures)
        return self._form(*figures)

    def _form(self, cost: Vector, entries: Vector, right: Vector) -> Form:
        """The arrays from the numbers of cvxpy's program: cost, entries of the matrix, right side."""
        least, most = -right[self._least_at], right[self._most_at]
        row_least, row_most = right[: self._rows].copy(), right[: self._rows].copy()
        row_least[self._defined.stop :] = -np.inf
        row_least[self._defined], row_most[self._defined] = least[self._exposure], most[self._exposure]
        matrix = copy(self._folded)  # the same places, without the checks of a new one
        matrix.data = entries[self._source] * self._sign
        return Form(
            names=self._program.shape.names,
            exposures=self._defined,
            cost=cost[self._order],
            matrix=matrix,
            row_least=row_least,
            row_most=row_most,
            least=least[self._order],
            most=most[self._order],
        )

    def _work_out(self, matrix: sp.csc_array, place: dict[int, int]) -> None:
        """Where the numbers go, found by folding a matrix that holds their places instead."""
        program = self._program
        self._pattern = matrix
        columns = {variable.id: place[variable.id] + np.arange(variable.size) for variable, _, _ in program.bounds}
        self._exposure = columns[program.exposure.id]
        kept = [columns[variable.id] for variable, _, _ in program.bounds if variable is not program.exposure]
        self._order = np.concatenate(kept)
        balance = 0 if program.balance is None else program.shape.names
        self._defined = slice(balance, balance + len(self._exposure))
        self._rows = self._defined.stop + (0 if program.cover is None else program.shape.names)
        # The last rows are -x <= -least and x <= most, variable by variable.
        self._least_at, self._most_at = np.empty(matrix.shape[1], dtype=int), np.empty(matrix.shape[1], dtype=int)
        at = self._rows
        for variable, _, _ in program.bounds:
            where = columns[variable.id]
            self._least_at[where] = at + np.arange(variable.size)
            self._most_at[where] = at + variable.size + np.arange(variable.size)
            at += 2 * variable.size
        # exposure - G x = 0: minus the rest of the row is G
        sign = np.ones(self._rows)
        sign[self._defined] = -sp.csr_array(matrix)[self._defined].tocsc()[:, self._exposure].diagonal()
        numbered = sp.csc_array((np.arange(1.0, matrix.nnz + 1), matrix.indices, matrix.indptr), shape=matrix.shape)
        self._folded = sp.csc_array((sp.diags_array(sign) @ sp.csr_array(numbered)[: self._rows])[:, self._order])
        self._source = np.abs(self._folded.data).astype(int) - 1
        self._sign = np.sign(self._folded.data)


class AffineMap:
    """From the values of a compiled program's parameters to its numbers: three sparse products.

    Args:
        compiled: cvxpy's `ParamConeProg`.
        cost: (n + 1, P + 1) the map to the cost; its last row is a constant of the objective.
        entries: (nnz, P + 1) the map to the matrix's entries, column by column, with cvxpy's sign.
        right: (m, P + 1) the map to the right side.
    """

    def __init__(self, compiled: Any, cost: sp.csr_array, entries: sp.csr_array, right: sp.csr_array) -> None:
        self._compiled = compiled
        self._cost, self._entries, self._right = cost, entries, right

    @classmethod
    def of(
        cls, compiled: Any, pattern: sp.csc_array | None, figures: tuple[Vector, Vector, Vector]
    ) -> "AffineMap | None":
        """The map that cvxpy keeps, None if it does not give `figures`.

        Args:
            compiled: cvxpy's `ParamConeProg`, with its parameters applied once.
            pattern: of the matrix that cvxpy gave.
            figures: cost, entries and right side that cvxpy gave for the parameters as they are.
        """
        try:
            (indices, starts, shape), tensor = compiled.reduced_A.problem_data_index, compiled.reduced_A.reduced_mat
            costs = sp.csr_array(compiled.q)
            assert pattern is not None
            inner = int(starts[-2])  # the last column is the right side
            rows = sp.csr_array(tensor)
            place = sp.csr_array(
                (np.ones(len(indices) - inner), (indices[inner:], np.arange(len(indices) - inner))),
                shape=(shape[0], len(indices) - inner),
            )
            found = cls(compiled, costs, -rows[:inner], sp.csr_array(place @ rows[inner:]))
            same = np.array_equal(indices[:inner], pattern.indices) and np.array_equal(starts[:-1], pattern.indptr)
            given = found.figures()
        except (AttributeError, TypeError, ValueError, IndexError):
            return None  # not laid out as expected
        fits = all(
            one.shape == other.shape and np.array_equal(one, other) for one, other in zip(given, figures, strict=True)
        )
        return found if same and fits else None

    def figures(self) -> tuple[Vector, Vector, Vector]:
        """Cost, entries of the matrix and right side for the parameters as they are."""
        compiled = self._compiled
        values = np.zeros(compiled.total_param_size + 1)
        for parameter, column in compiled.param_id_to_col.items():
            if parameter in compiled.id_to_param:
                value = np.asarray(compiled.id_to_param[parameter].value, dtype=np.float64).ravel(order="F")
                values[column : column + len(value)] = value
            else:
                values[column] = 1.0  # the constant
        return (self._cost @ values)[:-1], self._entries @ values, self._right @ values


def _same_pattern(one: sp.csc_array, other: sp.csc_array) -> bool:
    return np.array_equal(one.indptr, other.indptr) and np.array_equal(one.indices, other.indices)
