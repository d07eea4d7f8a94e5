"""The linear program over some of the scenarios, kept alive in HiGHS: in primal form, and in dual form.

With K scenarios s of the tail, in units that the caller chose, kappa = (1 - beta) S as a scale of the objective:

    primal  minimize    kappa (cost'x + lambda a) + sum_s (kappa lambda p_s / (1 - beta)) u_s
            subject to  the form's rows and bounds,   R_s w + a + u_s >= 0,   u_s >= 0            (Rockafellar, Uryasev)

    dual    maximize    b'y - (most - least)'z     with x moved so that its least is 0
            subject to  matrix'y - z + (R'q, 0) <= kappa cost,  sum q = kappa lambda,  0 <= q_s <= kappa lambda p_s / m

The primal has K rows of N entries, the dual N rows and K columns with bounds, which simplex likes better while N is
small. A limit on the CVaR is a row of the primal: kappa a + sum_s (kappa p_s / m) u_s <= kappa limit.

A scenario that leaves is switched off, not removed, because HiGHS would lose its basis.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray

from .form import Form
from .live import INFINITE, ByColumns, LiveModel, Program, places

Vector = NDArray[np.float64]
Matrix = NDArray[np.float64]
Places = NDArray[np.int32]


@dataclass(frozen=True)
class RestrictedOptimum:
    """The optimum over the scenarios in the program; duals in units of the objective."""

    x: Vector
    quantile: float
    """a: the loss beyond which a scenario belongs to the tail, in scenario units."""
    duals: Callable[[], tuple[Vector, Vector]]
    """Of the form's rows (m,), and the measure lambda q by slot (K,): read only when the search is over."""


class Restricted(Protocol):
    """A live program over scenarios in slots 0, 1, ... in order of their adding."""

    slots: int

    def add(self, block: Matrix, prices: Vector) -> None:
        """Take scenarios (K, N) in scenario units, with kappa lambda p_s / m each."""
        ...

    def drop(self, gone: Places) -> None:
        """Switch the scenarios in these slots off, for good."""
        ...

    def reprice(self, slots: Places, prices: Vector) -> None:
        """New kappa lambda p_s / m of the scenarios in these slots."""
        ...

    def update(self, form: Form) -> None:
        """Take over the figures of a form of the same shape."""
        ...

    def solve(self) -> RestrictedOptimum | None:
        """The optimum, None if infeasible."""
        ...


class PrimalProgram:
    """Few scenarios for many assets, or a limit on the CVaR."""

    def __init__(self, form: Form, weight: float, kappa: float, limit: float | None) -> None:
        self._form, self._kappa = form, kappa
        self._rows, self._columns = form.matrix.shape
        self.slots = 0
        self._capped = limit is not None
        self._first = self._rows + self._capped
        self._model = LiveModel(
            Program(
                cost=np.append(kappa * form.cost, 0.0 if limit is not None else kappa * weight),
                matrix=with_corner(form.matrix, kappa if self._capped else None),
                row_least=np.append(form.row_least, [-np.inf] * self._capped),
                row_most=np.append(form.row_most, [] if limit is None else [kappa * limit]),
                least=np.append(form.least, -INFINITE if weight or self._capped else 0.0),
                most=np.append(form.most, INFINITE if weight or self._capped else 0.0),
            )
        )

    def add(self, block: Matrix, prices: Vector) -> None:
        """See `Restricted`."""
        count, names = block.shape
        zero, endless = np.zeros(count), np.full(count, INFINITE)
        if self._capped:
            row = np.array([self._rows], dtype=np.int32)
            self._model.add_columns(zero, zero, endless, row, prices[:, None])
        else:
            self._model.add_columns(prices, zero, endless, places(0), np.zeros((count, 0)))
        columns = np.empty((count, names + 2), dtype=np.int32)
        columns[:, :names], columns[:, names] = places(names), self._columns
        columns[:, names + 1] = self._columns + 1 + self.slots + places(count)
        entries = np.ones((count, names + 2))
        entries[:, :names] = block
        self._model.add_rows(zero, endless, columns, entries)
        self.slots += count

    def drop(self, gone: Places) -> None:
        """See `Restricted`."""
        endless = np.full(len(gone), INFINITE)
        self._model.set_rows(self._first + gone, -endless, endless)

    def reprice(self, slots: Places, prices: Vector) -> None:
        """See `Restricted`."""
        columns = self._columns + 1 + slots
        if self._capped:
            self._model.set_entries(np.full(len(slots), self._rows, dtype=np.int32), columns, prices)
        else:
            self._model.set_costs(columns, prices)

    def update(self, form: Form) -> None:
        """See `Restricted`."""
        before, self._form = self._form, form
        if before is form:
            return
        if (moved := _moved(before.cost, form.cost)).size:
            self._model.set_costs(moved, self._kappa * form.cost[moved])
        if (moved := _moved(before.least, form.least, before.most, form.most)).size:
            self._model.set_bounds(moved, form.least[moved], form.most[moved])
        if (moved := _moved(before.row_least, form.row_least, before.row_most, form.row_most)).size:
            self._model.set_rows(moved, form.row_least[moved], form.row_most[moved])
        if (entries := changed_entries(before.matrix, form.matrix)) is not None:
            self._model.set_entries(*entries)

    def solve(self) -> RestrictedOptimum | None:
        """See `Restricted`."""
        if not self._model.run():
            return None
        columns = self._model.columns()

        def duals() -> tuple[Vector, Vector]:
            found = self._model.duals() / self._kappa
            return found[: self._rows], found[self._first :]

        return RestrictedOptimum(columns[: self._columns], float(columns[self._columns]), duals)


class DualProgram:
    """Many scenarios for few assets; columns: y on the least side, y on the most side, z, then the scenarios' q."""

    def __init__(self, form: Form, weight: float, kappa: float) -> None:
        self._kappa = kappa
        self._form = form
        self._rows, self._columns = form.matrix.shape
        self.slots = 0
        self._blocks: list[Matrix] = []
        self._first = 2 * self._rows + self._columns
        costs, least, most = self._sides(form)
        mass = kappa * weight
        self._model = LiveModel(
            Program(
                cost=costs,
                matrix=dual_columns(form.matrix),
                row_least=np.append(np.full(self._columns, -np.inf), mass),
                row_most=np.append(kappa * form.cost, mass),
                least=least,
                most=most,
            ),
            primal=True,  # added columns leave the basis primal feasible
        )

    def _sides(self, form: Form) -> tuple[Vector, Vector, Vector]:
        """Costs, least and most of the columns before the scenarios; an equality has one column without a sign."""
        shift = form.matrix @ form.least
        low, high = form.row_least - shift, form.row_most - shift
        equal = low == high
        sides = np.concatenate([-low, high, form.most - form.least])
        used = np.isfinite(sides)
        used[self._rows : 2 * self._rows] &= ~equal
        least = np.zeros(len(sides))
        least[: self._rows][equal] = -INFINITE
        return np.where(used, sides, 0.0), least, np.where(used, INFINITE, 0.0)

    def add(self, block: Matrix, prices: Vector) -> None:
        """See `Restricted`."""
        count, names = block.shape
        rows = np.append(places(names), np.int32(self._columns)).astype(np.int32)
        entries = np.ones((count, names + 1))
        entries[:, :names] = block
        self._model.add_columns(block @ self._form.least[:names], np.zeros(count), prices, rows, entries)
        self._blocks.append(block)
        self.slots += count

    def drop(self, gone: Places) -> None:
        """See `Restricted`."""
        self._model.set_bounds(self._first + gone, np.zeros(len(gone)), np.zeros(len(gone)))

    def reprice(self, slots: Places, prices: Vector) -> None:
        """See `Restricted`."""
        self._model.set_bounds(self._first + slots, np.zeros(len(slots)), prices)

    def update(self, form: Form) -> None:
        """See `Restricted`."""
        before, self._form = self._form, form
        if before is form:
            return
        if (moved := _moved(before.cost, form.cost)).size:
            self._model.set_rows(moved, np.full(len(moved), -np.inf), self._kappa * form.cost[moved])
        (costs, least, most), (old_costs, old_least, old_most) = self._sides(form), self._sides(before)
        if (moved := _moved(old_costs, costs)).size:
            self._model.set_costs(moved, costs[moved])
        if (moved := _moved(old_least, least, old_most, most)).size:
            self._model.set_bounds(moved, least[moved], most[moved])
        if not np.array_equal(before.least[: form.names], form.least[: form.names]):
            shifts = np.vstack(self._blocks) @ form.least[: form.names]
            self._model.set_costs(places(self.slots, self._first), shifts)
        if (entries := changed_entries(before.matrix, form.matrix)) is not None:
            rows, columns, values = entries
            self._model.set_entries(columns, rows, values)
            self._model.set_entries(columns, rows + np.int32(self._rows), -values)

    def solve(self) -> RestrictedOptimum | None:
        """See `Restricted`."""
        if not self._model.run():
            return None
        values, duals = self._model.solution()
        x = self._form.least - duals[: self._columns]

        def prices() -> tuple[Vector, Vector]:
            found = values / self._kappa
            return found[: self._rows] - found[self._rows : 2 * self._rows], found[self._first :]

        return RestrictedOptimum(x, float(-duals[self._columns]), prices)


def dual_columns(matrix: sp.csc_array) -> ByColumns:
    """(matrix', -matrix', -1; 0): of an (m, n) matrix the (n + 1, 2 m + n) one of its dual, the last row empty."""
    rows, columns = matrix.shape
    # Row by row, columns ascending, it is its transpose column by column.
    order = np.argsort(matrix.indices, kind="stable")
    values = matrix.data[order]
    where = np.repeat(places(columns), np.diff(matrix.indptr))[order]
    counts = np.bincount(matrix.indices, minlength=rows)
    starts = np.concatenate([[0], counts, counts, np.ones(columns, dtype=np.int32)])
    return ByColumns(
        shape=(columns + 1, 2 * rows + columns),
        indptr=np.cumsum(starts, dtype=np.int32),
        indices=np.concatenate([where, where, places(columns)]),
        data=np.concatenate([values, -values, np.full(columns, -1.0)]),
    )


def with_corner(matrix: sp.csc_array, corner: float | None) -> ByColumns:
    """The matrix with one more column, empty, or, with one more row too, with `corner` where the two meet."""
    (rows, columns), more = matrix.shape, [] if corner is None else [corner]
    return ByColumns(
        shape=(rows + len(more), columns + 1),
        indptr=np.append(matrix.indptr, matrix.indptr[-1:] + np.int32(len(more))),
        indices=np.append(matrix.indices, np.full(len(more), rows, dtype=np.int32)),
        data=np.append(matrix.data, more),
    )


def _moved(*pairs: Vector) -> Places:
    """Places at which an array differs from its successor: `_moved(old, new, old, new, ...)`."""
    different = pairs[0] != pairs[1]
    if len(pairs) == 4:
        different = different | (pairs[2] != pairs[3])
    return np.flatnonzero(different).astype(np.int32)


def changed_entries(before: sp.csc_array, after: sp.csc_array) -> tuple[Places, Places, Vector] | None:
    """Rows, columns and new values of the entries that differ; None if there are none."""
    same_places = np.array_equal(before.indptr, after.indptr) and np.array_equal(before.indices, after.indices)
    if same_places and np.array_equal(before.data, after.data):
        return None
    difference = sp.coo_array(after - before)
    rows, columns = difference.coords
    keep = difference.data != 0
    rows, columns = rows[keep].astype(np.int32), columns[keep].astype(np.int32)
    return rows, columns, np.asarray(after.tocsr()[rows, columns], dtype=np.float64)
