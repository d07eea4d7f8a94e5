"""Returns before any edge: market and sectors, two states, volatility that clusters, fat tails, earnings days.

The log return of company i on session t is
    r_it = beta_i m_t + s_kt + e_it + j_it + (what is planted)
- The market m has two states (calm, turbulent) that follow a Markov chain. Its volatility is that of the state times
  exp(h_t - var h); h is an AR(1) whose shocks are correlated with yesterday's return at `LEVERAGE` (stochastic
  volatility, Taylor 1986; the asymmetry, Harvey and Shephard 1996).
- The sector factors s and the specific parts e share a part of the state's and of h's volatility (a common factor in
  idiosyncratic volatility: Herskovic, Kelly, Lustig and Van Nieuwerburgh 2016); e has an AR(1) of its own as well.
- All shocks are Student t scaled to unit variance; each part has the mean -variance/2, so that its simple return has
  the mean 0, and the market has `PREMIUM` in both states: knowing the state foretells risk, not return.
- j: on the session that first trades on a release the price moves by `REACTION` per standard deviation of surprise,
  and some noise, both times the company's risk over the usual one.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from .cast import Cast, Vector
from .plan import LaboratoryPlan
from .streams import MARKET, SECTOR, SHARES, stream
from .timetable import Timetable

Matrix = NDArray[np.float64]

PREMIUM = 0.00028
"""Daily expected simple return of the market, about 7 % a year."""
STAY = (0.992, 0.976)
"""Probability that tomorrow has today's state: calm, turbulent."""
MARKET_RISK = (0.0074, 0.0150)
"""Daily standard deviation of the market by state."""
COMMON_RISK = (0.90, 1.30)
"""Factor of sector and specific risk by state."""
PERSISTENCE, KICK, LEVERAGE = 0.98, 0.10, -0.6
"""Of the market's log volatility h."""
SHARED = 0.75
"""How much of h sectors and companies share."""
OWN_PERSISTENCE, OWN_KICK = 0.97, 0.11
"""Of a company's own log volatility."""
SECTOR_RISK = 0.0058
TAIL = 6.0
"""Degrees of freedom of market and sector shocks."""
OWN_TAIL = 4.5
"""Degrees of freedom of a company's shocks."""
SHOCK_LIMIT = 10.0
"""In standard deviations: keeps the expected value of exp(return) finite."""
REACTION, REACTION_NOISE = 0.035, 0.022
"""Log return per standard deviation of surprise, and the noise around it, at `USUAL_RISK`."""
USUAL_RISK = 0.0125


@dataclass(frozen=True)
class Factors:
    """What all companies share, over T sessions and S sectors."""

    states: NDArray[np.int64]
    """(T,) 0 calm, 1 turbulent."""
    level: Vector
    """(T,) the market's log volatility h less its variance: what sectors and companies share a part of."""
    market_risk: Vector
    """(T,) standard deviation of the market's return."""
    market: Vector
    """(T,) log returns."""
    sectors: Matrix
    """(T, S) log returns."""


def student(rng: np.random.Generator, freedom: float, count: int) -> Vector:
    """Student t shocks of mean 0 and variance 1, within `SHOCK_LIMIT`."""
    shocks = rng.standard_t(freedom, count) * np.sqrt((freedom - 2) / freedom)
    return np.asarray(np.clip(shocks, -SHOCK_LIMIT, SHOCK_LIMIT), dtype=np.float64)


def persistent(kicks: Matrix, persistence: float) -> Matrix:
    """AR(1) from its shocks along the first axis, starting with shock 0 at its stationary size."""
    values = np.empty_like(kicks)
    values[0] = kicks[0] / np.sqrt(1 - persistence**2)
    for t in range(1, len(kicks)):
        values[t] = persistence * values[t - 1] + kicks[t]
    return values


def draw_factors(plan: LaboratoryPlan, count: int) -> Factors:
    """Market and sectors over `count` sessions."""
    rng = stream(plan.seed, MARKET)
    leaps = rng.random(count)
    states = np.zeros(count, dtype=np.int64)
    for t in range(1, count):
        states[t] = states[t - 1] if leaps[t] < STAY[states[t - 1]] else 1 - states[t - 1]
    shocks = student(rng, TAIL, count)
    kicks = KICK * np.sqrt(1 - LEVERAGE**2) * rng.standard_normal(count)
    kicks[1:] += KICK * LEVERAGE * shocks[:-1]
    level = persistent(kicks, PERSISTENCE) - KICK**2 / (1 - PERSISTENCE**2)
    risk = np.asarray(MARKET_RISK)[states] * np.exp(level)
    common = SECTOR_RISK * shared_risk(states, level)
    sectors = np.column_stack([student(stream(plan.seed, SECTOR, k), TAIL, count) for k in range(plan.sectors)])
    return Factors(
        states=states,
        level=level,
        market_risk=risk,
        market=np.asarray(PREMIUM - risk**2 / 2 + risk * shocks, dtype=np.float64),
        sectors=common[:, None] * sectors - common[:, None] ** 2 / 2,
    )


def shared_risk(states: NDArray[np.int64], level: Vector) -> Vector:
    """Factor of sector and specific risk that comes from the state and from h."""
    return np.asarray(np.asarray(COMMON_RISK)[states] * np.exp(SHARED * level), dtype=np.float64)


@dataclass(frozen=True)
class Specific:
    """What belongs to one company each; T sessions by N companies."""

    returns: Matrix
    """Log returns e, without earnings days."""
    risk: Matrix
    """Standard deviation of `returns`."""
    reaction: Matrix
    """Log returns j of the sessions that first trade on a release; 0 on the others."""


def draw_specific(plan: LaboratoryPlan, cast: Cast, table: Timetable, factors: Factors, surprise: Matrix) -> Specific:
    """The companies' own returns.

    Args:
        plan: the seed.
        cast: the companies.
        table: when releases are traded on.
        factors: what they share.
        surprise: (Q, N) standard normal.
    """
    count, quarters = table.count, len(table.quarters)
    kicks, shocks = np.empty((count, len(cast))), np.empty((count, len(cast)))
    noise = np.empty((quarters, len(cast)))
    for number in range(len(cast)):
        rng = stream(plan.seed, SHARES, number)
        kicks[:, number] = rng.standard_normal(count)
        shocks[:, number] = student(rng, OWN_TAIL, count)
        noise[:, number] = rng.standard_normal(quarters)
    own = persistent(OWN_KICK * kicks, OWN_PERSISTENCE) - OWN_KICK**2 / (1 - OWN_PERSISTENCE**2)
    risk = cast.risk * shared_risk(factors.states, factors.level)[:, None] * np.exp(own)
    reaction = np.zeros((count, len(cast)))
    rows, columns = np.nonzero((table.reacts >= 0) & (table.reacts < count))
    scale = (cast.risk / USUAL_RISK)[columns]
    moved = scale * (REACTION * surprise[rows, columns] + REACTION_NOISE * noise[rows, columns])
    reaction[table.reacts[rows, columns], columns] = moved - scale**2 * (REACTION**2 + REACTION_NOISE**2) / 2
    return Specific(returns=risk * shocks - risk**2 / 2, risk=risk, reaction=reaction)
