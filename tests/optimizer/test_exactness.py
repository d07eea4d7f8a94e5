"""The engine against the whole model in cvxpy, over all goals, limits, scales and probabilities; cold and warm."""

from dataclasses import replace
from datetime import date
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from paperdesk.tools.market.view import open_market
from paperdesk.tools.optimizer import (
    Infeasible,
    MaximumReturn,
    MeanCVaR,
    MinimumCVaR,
    Problem,
    Solution,
    Utility,
)
from paperdesk.tools.optimizer.reference import CvxpyEngine
from paperdesk.tools.optimizer.relax import relaxed
from paperdesk.tools.optimizer.scenarios import historical_scenarios
from paperdesk.tools.optimizer.selection import ScenarioSelection
from paperdesk.tools.optimizer.tail import conditional_value_at_risk
from paperdesk.tools.optimizer.tidy import worst_violation

from .drawn import by_cvxpy, drawn

SEEDS = st.integers(0, 2**32 - 1)


def terms(problem: Problem, solution: Solution) -> float:
    """What an error of the objective is relative to: its parts, and where all is cash, the scenarios."""
    aversion = problem.goal.risk_aversion if isinstance(problem.goal, Utility) else 1.0
    unit = float(np.sqrt(np.mean(problem.scenarios**2)))
    return abs(solution.expected_return) + aversion * abs(solution.cvar) + solution.cost + 1e-2 * unit


def check(problem: Problem, solution: Solution) -> None:
    """The figures are those of the weights, the limits hold, and the parts add up."""
    weights = np.array([solution.weights[name] for name in problem.tickers])
    cvar = conditional_value_at_risk(-problem.scenarios @ weights, problem.chances, problem.beta)
    unit = float(np.abs(problem.scenarios).max()) or 1.0
    assert solution.cvar == pytest.approx(cvar, abs=1e-12 * unit)
    assert worst_violation(problem, weights) <= 1e-9
    if isinstance(problem.goal, MaximumReturn):
        assert cvar <= problem.goal.cvar_limit + 1e-9 * unit
    net = solution.expected_return - solution.cost
    if isinstance(problem.goal, MinimumCVaR) and problem.goal.target_return is not None:
        assert net >= problem.goal.target_return - 1e-9 * unit
    assert sum(solution.component_cvar.values()) == pytest.approx(cvar, abs=1e-9 * unit)
    assert solution.gap <= 1e-9 * terms(problem, solution)


@settings(max_examples=100)
@given(seed=SEEDS)
def test_the_objective_is_that_of_the_whole_model(seed: int) -> None:
    problem = drawn(seed)
    expected = by_cvxpy(problem)
    answers = [MeanCVaR().solve(problem), MeanCVaR(engine=ScenarioSelection(border=0)).solve(problem)]
    for answer in answers:
        if isinstance(answer, Infeasible):
            assert expected is None
            continue
        check(problem, answer)
        assert expected is not None
        assert answer.objective == pytest.approx(expected, abs=1e-8 * terms(problem, answer), rel=0)


@settings(max_examples=25)
@given(seed=SEEDS)
def test_the_reference_engine_agrees(seed: int) -> None:
    problem = drawn(seed)
    answer, reference = MeanCVaR().solve(problem), MeanCVaR(engine=CvxpyEngine()).solve(problem)
    assert answer.status == reference.status
    if isinstance(answer, Solution) and isinstance(reference, Solution):
        check(problem, reference)
        assert answer.objective == pytest.approx(reference.objective, abs=1e-8 * terms(problem, answer), rel=0)


@settings(max_examples=30)
@given(seed=SEEDS, exponent=st.integers(-6, 3))
def test_the_unit_of_returns_does_not_matter(seed: int, exponent: int) -> None:
    scale = 10.0**exponent
    plain, scaled = MeanCVaR().solve(drawn(seed)), MeanCVaR().solve(drawn(seed, scale))
    assert plain.status == scaled.status
    if isinstance(plain, Solution) and isinstance(scaled, Solution):
        assert scaled.objective / scale == pytest.approx(plain.objective, abs=1e-8 * terms(drawn(seed), plain), rel=0)


@settings(max_examples=40)
@given(seed=SEEDS)
def test_the_order_of_names_and_scenarios_does_not_matter(seed: int) -> None:
    problem = drawn(seed)
    rng = np.random.default_rng(seed)
    names, rows = rng.permutation(len(problem.tickers)), rng.permutation(len(problem.scenarios))
    shuffled = replace(
        problem,
        tickers=tuple(problem.tickers[place] for place in names),
        scenarios=problem.scenarios[np.ix_(rows, names)],
        probabilities=None if problem.probabilities is None else problem.probabilities[rows],
        **{
            field: getattr(problem, field)[names]
            for field in ("expected_returns", "costs", "previous_weights", "floors", "caps")
        },
    )
    one, other = MeanCVaR().solve(problem), MeanCVaR().solve(shuffled)
    assert one.status == other.status
    if isinstance(one, Solution) and isinstance(other, Solution):
        assert other.objective == pytest.approx(one.objective, abs=1e-9 * terms(problem, one), rel=0)


@pytest.mark.slow
@settings(max_examples=20)
@given(seed=SEEDS, border=st.sampled_from([0, 64]), steps=st.lists(st.integers(0, 40), min_size=4, max_size=8))
def test_a_warm_engine_answers_as_a_cold_one(seed: int, border: int, steps: list[int]) -> None:
    rng = np.random.default_rng(seed)
    history = rng.standard_t(4, (700, 6)) * 0.01
    warm = MeanCVaR(warm=True, engine=ScenarioSelection(warm=True, border=border))
    held, start = np.full(6, 1 / 6), 0
    goal = (Utility(0.3), MinimumCVaR(0.0), MaximumReturn(0.012))[seed % 3]
    for step in steps:
        start += step
        size = 300 if rng.random() < 0.8 else int(rng.integers(200, 350))
        chances = rng.dirichlet(np.ones(size)) if rng.random() < 0.2 else None
        problem = Problem(
            tickers=tuple("ABCDEF"),
            scenarios=history[start : start + size],
            goal=goal,
            expected_returns=rng.normal(0.0005, 0.0005, 6),
            costs=np.full(6, 0.0005) * (rng.random() < 0.8),
            previous_weights=held,
            caps=np.full(6, float(rng.uniform(0.2, 0.5))),
            floors=np.full(6, float(rng.choice([0.0, -0.1]))),
            turnover_limit=float(rng.uniform(0.2, 1.0)),
            probabilities=chances,
        )
        one, other = warm.solve(problem), MeanCVaR().solve(problem)
        assert one.status == other.status
        if isinstance(one, Solution) and isinstance(other, Solution):
            check(problem, one)
            assert one.objective == pytest.approx(other.objective, abs=1e-9 * terms(problem, one), rel=0)
            held = np.array(list(one.weights.values()))


@pytest.mark.slow
@settings(max_examples=60)
@given(seed=SEEDS)
def test_a_conflict_is_smallest_and_its_relaxation_works(seed: int) -> None:
    problem = drawn(seed)
    answer = MeanCVaR().solve(problem)
    if isinstance(answer, Solution):
        return
    assert answer.conflict
    assert answer.cheapest
    assert isinstance(MeanCVaR().solve(relaxed(problem, answer.cheapest)), Solution)
    for row in answer.alone:
        assert row.limit in answer.conflict
        assert isinstance(MeanCVaR().solve(relaxed(problem, [row])), Solution)
        less = row.model_copy(update={"amount": 0.98 * row.amount - 1e-6})
        assert isinstance(MeanCVaR().solve(relaxed(problem, [less])), Infeasible)


@pytest.mark.parametrize("goal", [Utility(0.0), Utility(0.5), MinimumCVaR(), MaximumReturn(0.02)])
def test_ties_are_broken_alike_every_time(goal: Utility | MinimumCVaR | MaximumReturn) -> None:
    column = np.random.default_rng(0).standard_t(4, (300, 1)) * 0.01
    problem = Problem(
        tickers=tuple("ABCDE"),
        scenarios=np.repeat(column, 5, axis=1),
        goal=goal,
        expected_returns=np.array(0.001),
        caps=np.array(0.3),
        min_invested=0.5,
    )
    used = MeanCVaR()
    used.solve(drawn(1))
    answers = {used.solve(problem).model_dump_json() for _ in range(3)} | {MeanCVaR().solve(problem).model_dump_json()}
    assert len(answers) == 1


def test_an_optimizer_goes_from_one_size_to_another() -> None:
    warm = MeanCVaR(warm=True)
    returns = np.random.default_rng(0).standard_t(4, (300, 8)) * 0.01
    for names in (5, 8, 5):
        problem = Problem(tickers=tuple("ABCDEFGH"[:names]), scenarios=returns[:, :names], goal=MinimumCVaR())
        problem = replace(problem, min_invested=1.0)
        answer = warm.solve(problem)
        assert isinstance(answer, Solution)
        assert answer.objective == pytest.approx(by_cvxpy(problem), rel=1e-8)


def test_real_prices_roll_through_all_goals(us8: Path) -> None:
    market = open_market(us8)
    returns = market.view(market.calendar.close_of(date(2025, 8, 8))).returns(market.tickers, 1200)
    scenarios = historical_scenarios(returns, 600)
    count = len(scenarios.tickers)
    for goal in (Utility(0.2), MinimumCVaR(), MinimumCVaR(0.0005), MaximumReturn(0.03)):
        warm = MeanCVaR(warm=True)
        held = np.full(count, 1 / count)
        for start in range(0, 500, 100):
            window = scenarios.returns[start : start + 500]
            problem = Problem(
                tickers=scenarios.tickers,
                scenarios=window,
                goal=goal,
                expected_returns=window.mean(axis=0),
                costs=np.array(0.0006),
                previous_weights=held,
                caps=np.array(0.4),
                min_cash=0.03,
                turnover_limit=1.0,
                window=scenarios.window,
            )
            answer = warm.solve(problem)
            expected = by_cvxpy(problem)
            if isinstance(answer, Infeasible):
                assert expected is None
                continue
            check(problem, answer)
            assert answer.window == scenarios.window
            assert answer.objective == pytest.approx(expected, abs=1e-8 * terms(problem, answer), rel=0)
            held = np.array(list(answer.weights.values()))
