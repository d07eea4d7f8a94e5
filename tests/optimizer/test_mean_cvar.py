"""The optimizer against programs written by other hands, and against itself under changes that must not matter."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy.optimize import linprog

from paperdesk.tools.optimizer import Infeasible, MeanCVaR, Problem, Solution
from paperdesk.tools.optimizer.tail import conditional_value_at_risk
from paperdesk.tools.optimizer.tidy import within_limits

Build = Callable[..., Problem]


def vector(problem: Problem, solution: Solution | Infeasible) -> np.ndarray:
    assert isinstance(solution, Solution)
    return np.array([solution.weights[name] for name in problem.tickers])


def exact_objective(problem: Problem, weights: np.ndarray) -> float:
    cvar = conditional_value_at_risk(-problem.scenarios @ weights, problem.chances, problem.beta)
    cost = problem.costs @ np.abs(weights - problem.previous_weights)
    return float(problem.expected_returns @ weights - problem.goal.risk_aversion * cvar - cost)


def by_linprog(problem: Problem) -> float | None:
    """The whole linear program by hand: x = (w, trade, a, u), scaled so that scipy's tolerances bite."""
    count, rows = len(problem.tickers), problem.scenarios.shape[0]
    unit = float(np.sqrt(np.mean(problem.scenarios**2)))
    aversion = problem.goal.risk_aversion
    cost = np.concatenate(
        [
            -problem.expected_returns / unit,
            problem.costs / unit,
            [aversion],
            aversion * problem.chances / (1 - problem.beta),
        ]
    )
    eye, none = np.eye(count), np.zeros
    limits = [
        np.hstack([-problem.scenarios / unit, none((rows, count)), -np.ones((rows, 1)), -np.eye(rows)]),
        np.hstack([eye, -eye, none((count, 1 + rows))]),
        np.hstack([-eye, -eye, none((count, 1 + rows))]),
        np.hstack([np.ones((1, count)), none((1, count + 1 + rows))]),
        np.hstack([-np.ones((1, count)), none((1, count + 1 + rows))]),
    ]
    right: list[NDArray[np.float64] | list[float]] = [
        none(rows),
        problem.previous_weights,
        -problem.previous_weights,
        [1 - problem.min_cash],
    ]
    right.append([-problem.min_invested])
    if problem.turnover_limit is not None:
        limits.append(np.hstack([none((1, count)), np.ones((1, count)), none((1, 1 + rows))]))
        right.append([problem.turnover_limit])
    for sector, cap in problem.sector_caps.items():
        members = [float(problem.sectors[name] == sector) for name in problem.tickers]
        limits.append(np.hstack([members, none(count + 1 + rows)])[None, :])
        right.append([cap])
    caps = [0.0 if name in problem.exclusions else cap for name, cap in zip(problem.tickers, problem.caps, strict=True)]
    bounds = [*((0, cap) for cap in caps), *[(0, None)] * count, (None, None), *[(0, None)] * rows]
    result = linprog(cost, np.vstack(limits), np.concatenate(right), bounds=bounds, method="highs-ds")
    return -float(result.fun) * unit if result.status == 0 else None


VARIANTS: list[dict[str, Any]] = [
    {},
    {"risk_aversion": 0.0},
    {"risk_aversion": 25.0},
    {"beta": 0.9},
    {"beta": 0.987},
    {"beta": 0.9999},
    {"turnover_limit": 0.1},
    {"turnover_limit": 0.0},
    {"exclusions": frozenset("CD")},
    {"min_invested": 0.8, "risk_aversion": 5.0},
    {"costs": np.zeros(7)},
    {"previous_weights": np.zeros(7)},
    {"sectors": dict(zip("ABCDEFG", "XXXYYYY", strict=True)), "sector_caps": {"X": 0.2, "Y": 0.5}},
    {"probabilities": np.random.default_rng(5).dirichlet(np.ones(500))},
    {"scenarios": np.random.default_rng(6).normal(0, 0.01, (3, 7))},
]


@pytest.mark.parametrize("change", VARIANTS)
def test_the_objective_equals_that_of_the_program_written_by_hand(
    change: dict[str, Any], optimizer: MeanCVaR, problem: Build
) -> None:
    asked = problem(**change)
    solution = optimizer.solve(asked)
    assert isinstance(solution, Solution)
    assert solution.objective == pytest.approx(by_linprog(asked), abs=2e-9)
    weights = vector(asked, solution)
    assert solution.objective == pytest.approx(exact_objective(asked, weights), abs=1e-15)
    assert within_limits(asked, weights)
    assert -1e-12 <= solution.gap < 1e-8
    assert solution.cash_weight == pytest.approx(1 - weights.sum())


def test_two_names_against_a_grid(optimizer: MeanCVaR, problem: Build) -> None:
    asked = problem(seed=3, names=2, rows=40, caps=np.array([0.7, 0.6]), risk_aversion=0.2)
    steps = np.linspace(0, 1, 101)
    grid = [np.array([a, b]) for a in steps for b in steps if within_limits(asked, np.array([a, b]))]
    best = max(exact_objective(asked, weights) for weights in grid)
    solution = optimizer.solve(asked)
    assert isinstance(solution, Solution)
    assert best - 1e-12 <= solution.objective <= best + 3e-4


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_no_portfolio_within_the_limits_is_better(data: st.DataObject, optimizer: MeanCVaR, problem: Build) -> None:
    names, scenarios = data.draw(st.integers(1, 6)), data.draw(st.integers(2, 60))
    rng = np.random.default_rng(data.draw(st.integers(0, 10_000)))
    asked = problem(
        seed=data.draw(st.integers(0, 10_000)),
        names=names,
        rows=scenarios,
        beta=data.draw(st.floats(0.05, 0.995)),
        risk_aversion=data.draw(st.sampled_from([0.0, 0.01, 0.1, 1.0, 100.0])),
        caps=rng.uniform(0.05, 1, names),
        previous_weights=rng.dirichlet(np.ones(names)) * rng.uniform(0, 0.9),
        min_cash=data.draw(st.floats(0, 0.3)),
        turnover_limit=data.draw(st.one_of(st.none(), st.floats(0.05, 2))),
        probabilities=data.draw(st.sampled_from([None, rng.dirichlet(np.ones(scenarios))])),
    )
    solution = optimizer.solve(asked)
    if isinstance(solution, Infeasible):
        assert by_linprog(asked) is None
        return
    weights = vector(asked, solution)
    assert within_limits(asked, weights)
    for _ in range(200):
        # Steps towards random portfolios stay inside a convex set or are left out.
        other = weights + rng.uniform(0, 1) * (rng.dirichlet(np.ones(names)) * rng.uniform(0, 1) - weights)
        if within_limits(asked, other):
            assert exact_objective(asked, other) <= solution.objective + 1e-9


@pytest.mark.parametrize("factor", [1e-6, 1e-4, 1e-2, 1.0, 1e3])
def test_the_unit_of_the_returns_does_not_matter(factor: float, optimizer: MeanCVaR, problem: Build) -> None:
    plain = problem()
    scaled = replace(
        plain,
        scenarios=plain.scenarios * factor,
        expected_returns=plain.expected_returns * factor,
        costs=plain.costs * factor,
    )
    before, after = optimizer.solve(plain), optimizer.solve(scaled)
    assert isinstance(before, Solution)
    assert isinstance(after, Solution)
    np.testing.assert_allclose(vector(scaled, after), vector(plain, before), atol=1e-7)
    assert after.objective / factor == pytest.approx(before.objective, rel=1e-7)
    assert [row.limit for row in after.binding] == [row.limit for row in before.binding]
    assert after.binding[0].dual / factor == pytest.approx(before.binding[0].dual, rel=1e-6)


def test_the_order_of_names_and_scenarios_does_not_matter(optimizer: MeanCVaR, problem: Build) -> None:
    plain = problem()
    rng = np.random.default_rng(2)
    names, rows = rng.permutation(7), rng.permutation(500)
    shuffled = replace(
        plain,
        tickers=tuple(plain.tickers[i] for i in names),
        scenarios=plain.scenarios[np.ix_(rows, names)],
        expected_returns=plain.expected_returns[names],
    )
    before, after = optimizer.solve(plain), optimizer.solve(shuffled)
    assert isinstance(before, Solution)
    assert isinstance(after, Solution)
    assert after.weights == pytest.approx(before.weights, abs=1e-7)


def test_a_repeated_scenario_equals_a_doubled_probability(optimizer: MeanCVaR, problem: Build) -> None:
    plain = problem(rows=60)
    repeated = replace(plain, scenarios=np.vstack([plain.scenarios, plain.scenarios[:20]]))
    chances = np.full(60, 1 / 80)
    chances[:20] *= 2
    weighted = replace(plain, probabilities=chances)
    first, second = optimizer.solve(repeated), optimizer.solve(weighted)
    assert isinstance(first, Solution)
    assert isinstance(second, Solution)
    assert first.objective == pytest.approx(second.objective, abs=1e-12)


def test_a_scenario_of_probability_0_is_as_if_it_were_not_there(optimizer: MeanCVaR, problem: Build) -> None:
    plain = problem(rows=60)
    crash = np.vstack([plain.scenarios, np.full((1, 7), -1.0)])
    ghost = replace(plain, scenarios=crash, probabilities=np.append(np.full(60, 1 / 60), 0.0))
    first, second = optimizer.solve(plain), optimizer.solve(ghost)
    assert isinstance(first, Solution)
    assert isinstance(second, Solution)
    assert second.scenarios == 60
    assert first.weights == pytest.approx(second.weights, abs=1e-9)


def test_the_same_problem_has_the_same_answer_whatever_was_solved_before(problem: Build) -> None:
    used = MeanCVaR()
    for seed in (4, 5):
        used.solve(problem(seed=seed, turnover_limit=0.3))
    assert used.solve(problem()) == MeanCVaR().solve(problem())


@pytest.mark.parametrize(
    "scenarios",
    [
        np.zeros((200, 7)),
        np.full((200, 7), 0.001),
        np.random.default_rng(0).normal(size=(200, 7)) * 1e-300,
        np.random.default_rng(0).normal(size=(200, 7)) * 1e5,
        np.tile(np.random.default_rng(0).normal(0, 0.01, (1, 7)), (200, 1)),
        np.repeat(np.random.default_rng(0).normal(0, 0.01, (200, 1)), 7, axis=1),
        np.full((2, 7), -0.02),
    ],
    ids=["zero", "constant", "tiny", "huge", "one row", "one column", "all lose"],
)
def test_degenerate_scenarios_are_solved_exactly(scenarios: np.ndarray, optimizer: MeanCVaR, problem: Build) -> None:
    asked = problem(scenarios=scenarios)
    solution = optimizer.solve(asked)
    assert isinstance(solution, Solution)
    size = max(1e-3, float(np.abs(scenarios).max()))
    assert solution.objective == pytest.approx(exact_objective(asked, vector(asked, solution)), abs=1e-12 * size)
    assert 0 <= solution.gap + 1e-12 * size < 1e-7 * size


def test_without_aversion_the_best_names_are_filled_up_to_their_caps(optimizer: MeanCVaR, problem: Build) -> None:
    asked = problem(risk_aversion=0.0, costs=np.zeros(7), expected_returns=np.arange(7) * 1e-3)
    solution = optimizer.solve(asked)
    assert isinstance(solution, Solution)
    cap = 2 / 7
    assert solution.weights == pytest.approx(
        {**dict.fromkeys("ABC", 0.0), "D": 0.98 - 3 * cap, "E": cap, "F": cap, "G": cap}
    )


def test_a_risky_market_without_reward_is_left(optimizer: MeanCVaR, problem: Build) -> None:
    solution = optimizer.solve(problem(expected_returns=np.zeros(7), risk_aversion=50.0, costs=np.zeros(7)))
    assert isinstance(solution, Solution)
    assert solution.cash_weight == 1.0
    assert solution.cvar == 0.0


def test_trades_that_cost_more_than_they_bring_are_not_made(optimizer: MeanCVaR, problem: Build) -> None:
    asked = problem(costs=np.full(7, 0.5))
    solution = optimizer.solve(asked)
    assert isinstance(solution, Solution)
    assert vector(asked, solution).tolist() == asked.previous_weights.tolist()
    assert solution.turnover == 0.0
