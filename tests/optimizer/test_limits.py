"""What bound the solution, which limits conflict, and which numbers are refused."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from paperdesk.tools.errors import OptimizerError, ProblemError
from paperdesk.tools.optimizer import (
    Infeasible,
    Limit,
    MaximumReturn,
    MeanCVaR,
    MinimumCVaR,
    Problem,
    Solution,
    Utility,
)
from paperdesk.tools.optimizer.engine import Optimum, Tail
from paperdesk.tools.optimizer.form import Form
from paperdesk.tools.optimizer.program import Program
from paperdesk.tools.optimizer.reference import CvxpyEngine

Build = Callable[..., Problem]
SECTORS = dict(zip("ABCDEFG", "XXXYYYY", strict=True))


def with_more(problem: Problem, limit: str, step: float) -> Problem:
    """The problem with one limit relaxed by `step`."""
    kind, _, name = limit.partition(":")
    if kind == "cap":
        caps = np.array(problem.caps)
        caps[problem.tickers.index(name)] += step
        return replace(problem, caps=caps)
    if kind == "sector":
        return replace(problem, sector_caps={**problem.sector_caps, name: problem.sector_caps[name] + step})
    if kind == "cash":
        return replace(problem, min_cash=problem.min_cash - step)
    if kind == "invested":
        return replace(problem, min_invested=problem.min_invested - step)
    return replace(problem, turnover_limit=(problem.turnover_limit or 0.0) + step)


@pytest.mark.parametrize(
    ("change", "limit"),
    [
        ({"caps": np.full(7, 0.15)}, "cap"),
        ({}, "cash"),
        ({"turnover_limit": 0.2}, "turnover"),
        ({"sectors": SECTORS, "sector_caps": {"X": 0.2, "Y": 0.9}}, "sector"),
        ({"min_invested": 0.9, "risk_aversion": 30.0}, "invested"),
    ],
)
def test_a_dual_is_what_a_little_more_of_the_limit_brings(
    change: dict[str, Any], limit: str, optimizer: MeanCVaR, problem: Build
) -> None:
    asked = problem(**change)
    solution = optimizer.solve(asked)
    assert isinstance(solution, Solution)
    binding = next(row for row in solution.binding if row.limit.startswith(limit))
    for sign in (1, -1):
        step = sign * 1e-5
        relaxed = optimizer.solve(with_more(asked, binding.limit, step))
        assert isinstance(relaxed, Solution)
        assert (relaxed.objective - solution.objective) / step == pytest.approx(binding.dual, rel=0.02, abs=1e-7)


def test_a_binding_limit_says_what_a_point_of_it_is_worth(optimizer: MeanCVaR, problem: Build) -> None:
    asked = problem(risk_aversion=0.0, costs=np.zeros(7), expected_returns=np.arange(7) * 1e-3)
    solution = optimizer.solve(asked)
    assert isinstance(solution, Solution)
    # D is the marginal name: cash is worth D's return, and a cap what its name brings beyond D.
    assert {row.limit: pytest.approx(row.dual) for row in solution.binding} == {
        "cap:G": 0.003,
        "cash": 0.003,
        "cap:F": 0.002,
        "cap:E": 0.001,
    }
    sentences = {row.limit: row.sentence for row in solution.binding}
    assert sentences["cap:F"] == "one more point of F's cap would add 0.2 bp per period (return after risk and cost)"


def test_an_exclusion_that_costs_something_is_named(optimizer: MeanCVaR, problem: Build) -> None:
    best = "ABCDEFG"[int(np.argmax(problem().expected_returns))]
    solution = optimizer.solve(problem(exclusions=frozenset(best), risk_aversion=0.0))
    assert isinstance(solution, Solution)
    assert solution.weights[best] == 0.0
    assert f"exclusion:{best}" in {row.limit for row in solution.binding}


def test_a_slack_limit_does_not_bind(optimizer: MeanCVaR, problem: Build) -> None:
    solution = optimizer.solve(problem(turnover_limit=1.9, expected_returns=np.full(7, -0.01)))
    assert isinstance(solution, Solution)
    assert solution.binding == ()


@pytest.mark.parametrize(
    ("change", "conflict", "amount"),
    [
        ({"exclusions": frozenset("A"), "turnover_limit": 0.1}, ("exclusion:A", "turnover"), 0.9 / 7 - 0.1),
        ({"caps": np.r_[0.05, np.ones(6)], "turnover_limit": 0.01}, ("cap:A", "turnover"), 0.9 / 7 - 0.06),
        ({"min_cash": 0.5, "turnover_limit": 0.1}, ("cash", "turnover"), 0.3),
        ({"min_cash": 0.5, "min_invested": 0.7}, ("cash", "invested"), 0.2),
        (
            {"sectors": SECTORS, "sector_caps": {"X": 0.1}, "turnover_limit": 0.1},
            ("sector:X", "turnover"),
            2.7 / 7 - 0.2,
        ),
    ],
)
def test_an_infeasible_problem_names_the_conflict_and_by_how_much(
    change: dict[str, Any], conflict: tuple[str, ...], amount: float, optimizer: MeanCVaR, problem: Build
) -> None:
    asked = problem(**change)
    answer = optimizer.solve(asked)
    assert isinstance(answer, Infeasible)
    assert answer.conflict == conflict
    assert sum(row.amount for row in answer.cheapest) == pytest.approx(amount)
    assert {row.limit for row in answer.alone} == set(conflict)
    for row in answer.alone:
        assert row.amount == pytest.approx(amount)
    assert answer.sentence.startswith("No portfolio satisfies the ")


def test_relaxing_what_it_says_makes_the_problem_solvable(optimizer: MeanCVaR, problem: Build) -> None:
    asked = problem(min_cash=0.5, sectors=SECTORS, sector_caps={"X": 0.1, "Y": 0.1}, turnover_limit=0.1)
    answer = optimizer.solve(asked)
    assert isinstance(answer, Infeasible)
    relaxed = asked
    for row in answer.cheapest:
        relaxed = with_more(relaxed, row.limit, row.amount + 1e-6)
    assert isinstance(optimizer.solve(relaxed), Solution)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"tickers": ()}, "at least one ticker"),
        ({"tickers": tuple("AACDEFG")}, "each only once"),
        ({"scenarios": np.zeros((0, 7))}, "at least two scenarios"),
        ({"scenarios": np.zeros((1, 7))}, "at least two scenarios"),
        ({"scenarios": np.zeros((10, 6))}, "shape"),
        ({"scenarios": np.zeros(7)}, "shape"),
        ({"scenarios": np.full((10, 7), np.nan)}, "NaN"),
        ({"scenarios": np.full((10, 7), 2e6)}, "give fractions, not prices"),
        ({"scenarios": [["a"] * 7]}, "not an array of numbers"),
        ({"expected_returns": np.zeros(6)}, "shape"),
        ({"expected_returns": np.full(7, np.inf)}, "infinity"),
        ({"costs": np.full(7, np.nan)}, "NaN"),
        ({"costs": np.full(7, np.inf)}, "infinity"),
        ({"costs": np.full(7, -0.1)}, "must not be negative"),
        ({"previous_weights": np.full(7, 150.0)}, "1 is the whole equity"),
        ({"caps": np.full(7, 1e9)}, "1 is the whole equity"),
        ({"caps": np.full(7, -0.5)}, "floor of A lies above its cap"),
        ({"floors": np.full(7, 0.9)}, "floor of A lies above its cap"),
        ({"floors": np.full(3, -0.9)}, "shape"),
        ({"min_cash": 1e5}, "min_cash must be"),
        ({"min_cash": float("nan")}, "min_cash must be"),
        ({"max_gross": -1.0}, "max gross must be at least 0"),
        ({"max_short": float("nan")}, "max short must be at least 0"),
        ({"limits": (Limit("tilt", {"GHOST": 1.0}, most=0.1),)}, "names GHOST"),
        ({"limits": (Limit("tilt", {"A": 1.0}),)}, "bounds nothing"),
        ({"limits": (Limit("tilt", {"A": 1.0}, most=0.1, least=0.2),)}, "least above its most"),
        ({"limits": (Limit("tilt", {"A": np.nan}, most=0.1),)}, "not finite"),
        ({"limits": (Limit("tilt", {"A": 1.0}, most=0.1),) * 2}, "same name"),
        ({"beta": 1.0}, "beta must lie"),
        ({"beta": 0.0}, "beta must lie"),
        ({"beta": float("nan")}, "beta must lie"),
        ({"turnover_limit": -0.1}, "turnover limit"),
        ({"probabilities": np.full(500, 1.0)}, "sum to 1"),
        ({"probabilities": np.full(499, 1 / 499)}, "shape"),
        ({"exclusions": frozenset({"GHOST"})}, "not in the universe: GHOST"),
        ({"sectors": {"A": "X"}, "sector_caps": {"X": 0.2}}, "no sector for B"),
        ({"sectors": SECTORS, "sector_caps": {"X": np.nan}}, "cap of sector X must be"),
    ],
)
def test_numbers_that_cannot_be_meant_are_refused(change: dict[str, Any], message: str, problem: Build) -> None:
    with pytest.raises(ProblemError, match=message) as refused:
        problem(**change)
    assert refused.value.field


@pytest.mark.parametrize(
    ("goal", "number", "field"),
    [
        (Utility, -1.0, "risk_aversion"),
        (Utility, float("inf"), "risk_aversion"),
        (MinimumCVaR, float("nan"), "target_return"),
        (MaximumReturn, float("inf"), "cvar_limit"),
    ],
)
def test_goals_that_cannot_be_meant_are_refused(goal: Callable[[float], object], number: float, field: str) -> None:
    with pytest.raises(ProblemError) as refused:
        goal(number)
    assert refused.value.field == field


def test_a_problem_does_not_change_with_the_arrays_it_was_made_of(problem: Build) -> None:
    caps = np.full(7, 0.3)
    asked = problem(caps=caps)
    caps[:] = 0.0
    assert asked.caps.tolist() == [0.3] * 7
    with pytest.raises(ValueError, match="read-only"):
        asked.caps[0] = 1.0


class Liar(CvxpyEngine):
    """An engine that returns weights that are not the best, as solvers do on badly scaled returns."""

    def solve(self, program: Program, form: Form, tail: Tail) -> Optimum | None:
        truth = super().solve(program, form, tail)
        assert truth is not None
        return replace(truth, x=truth.x * 0.98)


def test_an_answer_that_is_not_the_optimum_is_refused(problem: Build) -> None:
    with pytest.raises(OptimizerError, match="was refused"):
        MeanCVaR(engine=Liar()).solve(problem())
