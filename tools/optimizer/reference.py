"""The reference engine: the whole linear program of Rockafellar and Uryasev (2002, eq. 17), through cvxpy and HiGHS."""

import cvxpy as cp
import numpy as np
from numpy.typing import NDArray

from ..errors import OptimizerError
from .engine import Optimum, Tail
from .form import Form
from .program import Program

OPTIONS = {
    "solver": cp.HIGHS,
    # The same problem must have the same answer to the last bit, whatever was solved before it.
    "warm_start": False,
    # `parallel=off` and not `threads=1`: the latter fails where something else in the process has started HiGHS before.
    "highs_options": {
        "parallel": "off",
        "solver": "simplex",
        "primal_feasibility_tolerance": 1e-9,
        "dual_feasibility_tolerance": 1e-9,
    },
}
"""How HiGHS is called: cold, serial simplex, tight tolerances."""


class CvxpyEngine:
    """All scenarios at once; slow, and written as the mathematics is."""

    def solve(self, program: Program, form: Form, tail: Tail) -> Optimum | None:
        """See `Engine.solve`."""
        quantile = cp.Variable()
        excess = cp.Variable(len(tail.chances), nonneg=True)
        rows = cp.NonNeg((tail.returns / tail.scale) @ program.weights + quantile + excess)
        cvar = quantile + (tail.chances / tail.mass) @ excess
        risky: list[cp.Constraint] = [rows]
        if tail.limit is not None:
            risky.append(cvar <= tail.limit)
        risk = tail.weight * cvar if tail.limit is None else 0
        whole = cp.Problem(cp.Minimize(program.loss + risk), [*program.constraints, *risky])
        try:
            whole.solve(**OPTIONS)  # type: ignore[no-untyped-call]
        except cp.SolverError as error:
            raise OptimizerError(f"The solver HiGHS broke ({error}): check the problem's numbers.") from error
        if whole.status in (cp.INFEASIBLE, cp.settings.INFEASIBLE_OR_UNBOUNDED):
            return None
        if whole.status != cp.OPTIMAL:
            text = f"The solver HiGHS gave up with status {whole.status}: use fewer names or scenarios."
            raise OptimizerError(text)
        # cvxpy's dual of an equality is that of left - right; the form's rows are right - left for the exposures.
        parts = [] if program.balance is None else [-_array(program.balance.dual_value)]
        parts.append(_array(program.definition.dual_value))
        parts += [] if program.cover is None else [-_array(program.cover.dual_value)]
        measure = _array(rows.dual_value)
        columns = [_array(variable.value) for variable, _, _ in program.bounds if variable is not program.exposure]
        return Optimum(np.concatenate(columns), np.concatenate(parts), measure)


def _array(values: object) -> NDArray[np.float64]:
    return np.asarray(values, dtype=np.float64)
