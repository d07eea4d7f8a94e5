"""Problems of every form with every kind of limit, and the whole model of each written once more in cvxpy."""

from typing import Any

import cvxpy
import numpy as np

from paperdesk.tools.optimizer import Goal, Limit, MaximumReturn, MinimumCVaR, Problem, Utility

cp: Any = cvxpy  # its types lack half of its functions


def drawn(seed: int, scale: float = 1.0) -> Problem:
    """A random problem of 1 to 8 names and 2 to 150 scenarios; about a third of them are impossible."""
    rng = np.random.default_rng(seed)
    names, rows = int(rng.integers(1, 9)), int(rng.integers(2, 150))
    tickers = tuple("ABCDEFGH"[:names])
    market, own = rng.standard_t(4, (rows, 1)) * 0.008, rng.standard_t(4, (rows, names)) * 0.009
    returns = market * rng.normal(1, 0.4, names) + own
    if rng.random() < 0.15:
        returns = np.round(returns, 2)  # many ties
    short = rng.random() < 0.4
    limits: dict[str, Any] = {
        "expected_returns": rng.normal(0.0005, 0.001, names) * scale,
        "caps": rng.uniform(0.05, 1.0, names),
        "floors": -rng.uniform(0, 0.5, names) * short,
        "beta": float(rng.choice([0.5, 0.9, 0.95, 0.99, 0.999, rng.uniform(0.02, 0.98)])),
    }
    choices: list[tuple[float, dict[str, Any]]] = [
        (0.1, {"floors": np.full(names, 0.02)}),
        (0.5, {"costs": rng.uniform(0, 0.002, names) * scale}),
        (0.7, {"previous_weights": rng.dirichlet(np.ones(names)) * rng.uniform(0, 1)}),
        (0.5, {"turnover_limit": float(rng.uniform(0.05, 1.5))}),
        (0.5, {"min_cash": float(rng.uniform(0, 0.2)), "min_invested": float(rng.uniform(0, 0.8))}),
        (0.2, {"min_cash": 0.0, "min_invested": 1.0}),
        (0.4, _sectors(tickers, rng)),
        (0.3, {"max_gross": float(rng.uniform(0.5, 2))}),
        (0.5 * short, {"max_short": float(rng.uniform(0, 0.4))}),
        (0.3, {"limits": (_limit(tickers, rng),)}),
        (0.3, {"exclusions": frozenset(tickers[:1])}),
        (0.4, {"probabilities": _chances(rows, rng)}),
    ]
    for chance, fields in choices:
        if rng.random() < chance:
            limits |= fields
    limits["floors"] = np.minimum(limits["floors"], limits["caps"])
    return Problem(tickers=tickers, scenarios=returns * scale, goal=_goal(rng, scale), **limits)


def _goal(rng: np.random.Generator, scale: float) -> Goal:
    goals: tuple[Goal, ...] = (
        Utility(float(rng.choice([0.0, 0.01, 0.1, 1.0, 50.0]))),
        MinimumCVaR(),
        MinimumCVaR(float(rng.uniform(-0.0005, 0.0015)) * scale),
        MaximumReturn(float(rng.uniform(0.002, 0.03)) * scale),
    )
    return goals[int(rng.integers(4))]


def _sectors(tickers: tuple[str, ...], rng: np.random.Generator) -> dict[str, Any]:
    caps = {"X": float(rng.uniform(0.1, 0.7)), "Y": float(rng.uniform(0.1, 0.7))}
    return {"sectors": {name: "XYZ"[int(rng.integers(3))] for name in tickers}, "sector_caps": caps}


def _limit(tickers: tuple[str, ...], rng: np.random.Generator) -> Limit:
    least = None if rng.random() < 0.5 else -0.5
    return Limit("tilt", {name: float(rng.normal()) for name in tickers}, most=float(rng.uniform(0, 0.6)), least=least)


def _chances(rows: int, rng: np.random.Generator) -> np.ndarray:
    chances = rng.dirichlet(np.ones(rows))
    if rng.random() < 0.3:
        chances[rng.random(rows) < 0.2] = 0.0
    return chances / chances.sum() if chances.any() else np.full(rows, 1 / rows)


def by_cvxpy(problem: Problem) -> float | None:
    """The optimal value of the goal by the whole model, None if infeasible."""
    unit = float(np.sqrt(np.mean(problem.scenarios**2))) or 1.0
    returns, previous, goal = problem.scenarios / unit, problem.previous_weights, problem.goal
    weights = cp.Variable(len(problem.tickers))
    losses = -returns @ weights
    if problem.probabilities is None:
        risk = cp.cvar(losses, problem.beta)
    else:  # cvxpy's atom knows equal probabilities only
        quantile = cp.Variable()
        risk = quantile + problem.chances @ cp.pos(losses - quantile) / (1 - problem.beta)
    earned = problem.expected_returns / unit @ weights - problem.costs / unit @ cp.abs(weights - previous)
    limits = [
        weights >= problem.lower_bounds(),
        weights <= problem.upper_bounds(),
        cp.sum(weights) <= 1 - problem.min_cash,
        cp.sum(weights) >= problem.min_invested,
    ]
    for sector, cap in problem.sector_caps.items():
        members = np.array([float(problem.sectors[name] == sector) for name in problem.tickers])
        limits += [members @ weights <= cap] if members.any() else []
    for row in problem.limits:
        tilt = np.array([row.coefficients.get(name, 0.0) for name in problem.tickers]) @ weights
        limits += [tilt <= row.most] if row.most is not None else []
        limits += [tilt >= row.least] if row.least is not None else []
    if problem.turnover_limit is not None:
        limits.append(cp.norm1(weights - previous) <= problem.turnover_limit)
    if problem.max_gross is not None:
        limits.append(cp.norm1(weights) <= problem.max_gross)
    if problem.max_short is not None:
        limits.append(cp.sum(cp.neg(weights)) <= problem.max_short)
    if isinstance(goal, Utility):
        wanted: Any = cp.Maximize(earned - goal.risk_aversion * risk)
    elif isinstance(goal, MinimumCVaR):
        wanted = cp.Minimize(risk)
        limits += [] if goal.target_return is None else [earned >= goal.target_return / unit]
    else:
        wanted = cp.Maximize(earned)
        limits.append(risk <= goal.cvar_limit / unit)
    whole = cp.Problem(wanted, limits)
    tight = {"primal_feasibility_tolerance": 1e-10, "dual_feasibility_tolerance": 1e-10, "parallel": "off"}
    with np.errstate(invalid="ignore"):  # cvxpy multiplies 0 by infinity while it propagates bounds
        whole.solve(solver=cp.HIGHS, highs_options=tight)
    return float(whole.value) * unit if whole.status == cp.OPTIMAL else None
