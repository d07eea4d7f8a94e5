"""The rivals of the optimizer, each in its best setting: run by `optimizer.py` in an environment that holds them.

Reads cases from standard input, one JSON object a line: {"peer", "file", "cap", "beta", "windows": [[from, to], ...]},
and answers each with {"cpu_s": [...], "weights": [...]} or {"failed": why}. The first window (of a large case a corner)
is solved once more beforehand, so that no import and no first compilation is counted. CPU time is that of the process,
with one thread.
"""

import contextlib
import io
import json
import sys
import time
import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd

warnings.filterwarnings("ignore")


def skfolio(solver: str) -> Callable[..., Any]:
    """`MeanRisk` with the given solver."""
    from skfolio import RiskMeasure
    from skfolio.optimization import MeanRisk

    def weights(returns: pd.DataFrame, cap: float, beta: float) -> Any:
        model = MeanRisk(risk_measure=RiskMeasure.CVAR, max_weights=cap, cvar_beta=beta, solver=solver)
        return model.fit(returns).weights_

    return weights


def riskfolio(solver: str) -> Callable[..., Any]:
    """`Portfolio.optimization`; the moments that it wants to have are part of using it."""
    import riskfolio as library

    def weights(returns: pd.DataFrame, cap: float, beta: float) -> Any:
        portfolio = library.Portfolio(returns=returns, alpha=1 - beta, upperlng=1, budget=1)
        portfolio.assets_stats(method_mu="hist", method_cov="hist")
        portfolio.solvers = [solver]
        count = returns.shape[1]
        portfolio.ainequality, portfolio.binequality = np.eye(count), np.full((count, 1), cap)
        return portfolio.optimization(model="Classic", rm="CVaR", obj="MinRisk", hist=True).to_numpy().ravel()

    return weights


def pypfopt(solver: str) -> Callable[..., Any]:
    """`EfficientCVaR`."""
    from pypfopt import EfficientCVaR

    def weights(returns: pd.DataFrame, cap: float, beta: float) -> Any:
        model = EfficientCVaR(returns.mean(), returns, beta=beta, weight_bounds=(0, cap), solver=solver)
        return np.array(list(model.min_cvar().values()))

    return weights


def highs(solver: str) -> Callable[..., Any]:
    """The whole linear program straight into HiGHS, scaled, without a modelling layer."""
    import highspy
    import scipy.sparse as sp

    def weights(returns: pd.DataFrame, cap: float, beta: float) -> Any:
        matrix = returns.to_numpy()
        rows, count = matrix.shape
        scaled, kappa = matrix / matrix.std(), (1 - beta) * rows
        whole = sp.block_array(
            [[np.ones((1, count)), None, None], [scaled, np.ones((rows, 1)), sp.eye_array(rows)]], format="csc"
        )
        model = highspy.HighsLp()
        model.num_row_, model.num_col_ = whole.shape
        model.col_cost_ = np.r_[np.zeros(count), kappa, np.ones(rows)]
        model.col_lower_ = np.r_[np.zeros(count), -np.inf, np.zeros(rows)]
        model.col_upper_ = np.r_[np.full(count, cap), np.inf, np.full(rows, np.inf)]
        model.row_lower_ = np.r_[1.0, np.zeros(rows)]
        model.row_upper_ = np.r_[1.0, np.full(rows, np.inf)]
        model.a_matrix_.format_ = highspy.MatrixFormat.kColwise
        model.a_matrix_.start_, model.a_matrix_.index_, model.a_matrix_.value_ = (
            whole.indptr,
            whole.indices,
            whole.data,
        )
        model.a_matrix_.num_row_, model.a_matrix_.num_col_ = whole.shape
        engine = highspy.Highs()
        engine.silent()
        engine.setOptionValue("solver", solver)
        engine.setOptionValue("parallel", "off")
        engine.passModel(model)
        engine.run()
        return np.array(engine.getSolution().col_value)[:count]

    return weights


PEERS: dict[str, tuple[Callable[[str], Callable[..., Any]], str]] = {
    "skfolio, Clarabel": (skfolio, "CLARABEL"),
    "skfolio, HiGHS": (skfolio, "HIGHS"),
    "Riskfolio-Lib, Clarabel": (riskfolio, "CLARABEL"),
    "Riskfolio-Lib, HiGHS": (riskfolio, "HIGHS"),
    "PyPortfolioOpt, Clarabel": (pypfopt, "CLARABEL"),
    "PyPortfolioOpt, HiGHS": (pypfopt, "HIGHS"),
    "raw HiGHS, simplex": (highs, "simplex"),
    "raw HiGHS, interior point": (highs, "ipm"),
}


def answer(case: dict[str, Any]) -> dict[str, Any]:
    """CPU seconds and weights of every window."""
    make, solver = PEERS[case["peer"]]
    solve = make(solver)
    matrix = np.load(case["file"])
    columns = [f"a{place}" for place in range(matrix.shape[1])]
    days = pd.bdate_range("1970-01-01", periods=len(matrix))
    table = pd.DataFrame(matrix, columns=columns, index=days)
    seconds, weights = [], []
    tiny = (
        table.iloc[:60, :5]
        if case["windows"][0][1] * len(columns) > 200_000
        else table.iloc[slice(*case["windows"][0])]
    )
    solve(tiny, 1.0, case["beta"])
    for start, stop in case["windows"]:
        began = time.process_time()
        found = solve(table.iloc[start:stop], case["cap"], case["beta"])
        seconds.append(time.process_time() - began)
        weights.append([float(weight) for weight in found])
    return {"cpu_s": seconds, "weights": weights}


def main() -> None:
    """Answers the cases one by one."""
    for line in sys.stdin:
        case = json.loads(line)
        with contextlib.redirect_stdout(io.StringIO()):
            try:
                said = answer(case)
            except Exception as error:  # noqa: BLE001 - a rival that fails is a result
                said = {"failed": f"{type(error).__name__}: {error}"[:300]}
        sys.stdout.write(json.dumps(said) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
