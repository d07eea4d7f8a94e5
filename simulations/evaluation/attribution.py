"""What each agent's views earned: Shapley (1953) over the agents of the desk, decision by decision.

At each decision the portfolio manager's problem is solved again for every group of agents, with the views of that group
alone and all else as recorded: scenarios, posture, limits, the portfolio held. A group's profit is what its weights
would have earned until the next decision, from close to close, before costs. An agent's share is the mean of what it
adds to the groups of the others, over all orders of joining; so the shares add up to what the desk's proposal earned
beyond one without any view. What a decision changes about later portfolios is not counted, nor is a decision whose
recorded weights do not come out of everybody's views.
"""

from collections.abc import Mapping
from datetime import date
from itertools import combinations
from math import factorial, fsum

import numpy as np

from ...agents.portfolio_manager import Proposal
from ...memory.journal.events import DecisionOpened
from ...orchestration.portfolio_nodes import give_way, wish_of
from ...tools.errors import InputError
from ...tools.market.view import MarketView
from ...tools.optimizer import Infeasible, MeanCVaR
from ...tools.optimizer.scenarios import known_scenarios
from ...tools.rules import load_policy
from ...tools.toolbox import optimise, portfolio_tools
from ..stages import settings_of
from .document import AgentProfit
from .figures import Estimate
from .metrics import SESSIONS_PER_YEAR, DegenerateTrack
from .record import SessionRecord
from .resampling import interval

MOST_AGENTS = 6
"""2^6 groups; a larger desk would be slow, and nobody could read it."""

SAME = 1e-4
"""Difference of weights up to which a proposal solved again is the recorded one."""

Group = frozenset[str]


def attribution_of(record: SessionRecord, draws: int, seed: int) -> tuple[AgentProfit, ...]:
    """What each agent's views earned, a year, with intervals over decisions; empty where nobody had a view.

    Raises:
        InputError: the desk has more than `MOST_AGENTS` agents with views.
    """
    shares = shares_by_decision(record)
    agents = sorted({agent for row in shares for agent in row})
    years = (len(record.bars) - 1) / SESSIONS_PER_YEAR
    rng = np.random.default_rng(seed)
    found = []
    for agent in agents:
        profits = np.array([row.get(agent, 0.0) for row in shares])
        drawn = profits[rng.integers(0, len(profits), (draws, len(profits)))].sum(axis=1) / years
        value = float(profits.sum() / years)
        try:
            low, high = interval(drawn)
            profit = Estimate(value=value, low=low, high=high)
        except DegenerateTrack:
            profit = Estimate(value=value)
        found.append(AgentProfit(agent=agent, profit=profit, decisions=int(np.count_nonzero(profits))))
    return tuple(found)


def shares_by_decision(record: SessionRecord) -> list[dict[str, float]]:
    """Of each decision, what every agent with a view added, as a part of equity."""
    opened = {event.decision: event for event in record.opened}
    ends = [*record.window.decisions[1:], record.window.sessions[-1]]
    optimizer = MeanCVaR()
    rows: list[dict[str, float]] = []
    for event in record.proposals:
        proposal, start = Proposal.model_validate(event.proposal), opened[event.decision]
        end = ends[record.window.decisions.index(start.session)]
        if proposal.expected_return is None:  # the desk stayed as it was: nobody's view moved anything
            rows.append({})
            continue
        agents = sorted({agent for view in proposal.views for agent in view.parts})
        if len(agents) > MOST_AGENTS:
            raise InputError(f"{len(agents)} agents have views: profits are shared among at most {MOST_AGENTS}.")
        proposed = _weights(record, proposal, start, agents, optimizer)
        everybody = proposed[frozenset(agents)]
        if any(abs(everybody[name] - weight) > SAME for name, weight in proposal.weights.items()):
            # Somebody else had a hand in it (a risk officer's limits, a fork): whose profit it was cannot be said.
            rows.append({})
            continue
        earned = _earned(record, start, end)
        worth = {
            group: fsum(weight * earned[name] for name, weight in weights.items())
            for group, weights in proposed.items()
        }
        rows.append({agent: _shapley(agent, agents, worth) for agent in agents})
    return rows


def weights_with(
    record: SessionRecord, proposal: Proposal, opened: DecisionOpened, group: Group, optimizer: MeanCVaR
) -> Mapping[str, float]:
    """The weights that the desk would have proposed with the views of a group alone; all else as recorded."""
    view: MarketView = record.market.view(opened.as_of)
    settings = settings_of(record.config)
    current = opened.portfolio.weights()
    free = tuple(name for name in record.window.universe if name in proposal.reference)
    scenarios = known_scenarios(view, free, settings.scenario_sessions, settings.min_history)
    kept = {name: current.get(name, 0.0) for name in record.window.universe if name not in proposal.reference}
    alpha = {view.ticker: fsum(v for agent, v in view.parts.items() if agent in group) for view in proposal.views}
    policy = load_policy(record.config.policy)
    wish = wish_of(
        settings,
        opened.portfolio,
        {name: earned + alpha.get(name, 0.0) for name, earned in proposal.reference.items()},
        kept,
        cap=min(settings.max_weight, policy.max_position_weight),
        max_gross=policy.max_gross,
        risk_aversion=proposal.risk_aversion,
    )
    tools = portfolio_tools(optimizer, scenarios)
    solution, _ = give_way(wish, lambda asked: optimise(tools, **dict(asked)))
    if isinstance(solution, Infeasible):
        return {name: current.get(name, 0.0) for name in record.window.universe}
    return {name: kept[name] if name in kept else solution.weights[name] for name in record.window.universe}


def _weights(
    record: SessionRecord, proposal: Proposal, opened: DecisionOpened, agents: list[str], optimizer: MeanCVaR
) -> dict[Group, Mapping[str, float]]:
    groups = [frozenset(g) for size in range(len(agents) + 1) for g in combinations(agents, size)]
    return {group: weights_with(record, proposal, opened, group, optimizer) for group in groups}


def _earned(record: SessionRecord, opened: DecisionOpened, end: date) -> dict[str, float]:
    """Total return of each name from the close of the decision to a later one; names that did not trade earn 0."""
    market = record.market
    first = market.dataset.bars.sessions.index(opened.session) + 1
    last = market.dataset.bars.sessions.index(end) + 1
    columns = [market.column(name) for name in record.window.universe]
    growth = np.nanprod(1 + market.total_returns[first:last][:, columns], axis=0) - 1
    return dict(zip(record.window.universe, growth.tolist(), strict=True))


def _shapley(agent: str, agents: list[str], worth: Mapping[Group, float]) -> float:
    others = [name for name in agents if name != agent]
    count = len(agents)
    total = 0.0
    for size in range(count):
        chance = factorial(size) * factorial(count - size - 1) / factorial(count)
        for group in combinations(others, size):
            total += chance * (worth[frozenset(group) | {agent}] - worth[frozenset(group)])
    return total
