"""Daily bars from what happened: opens, ranges and volumes around the closes, and the fund of all companies."""

import numpy as np

from ..bars import Bars
from .factors import COMMON_RISK, SECTOR_RISK, Matrix
from .names import INDEX_TICKER
from .streams import FUND, QUOTES, stream
from .world import World

OVERNIGHT = 0.3
"""Share of an ordinary session's return, and of its risk, that comes before the open."""
REACH = 0.45
"""Size of a high above open and close, in daily standard deviations of a half-normal number."""
TURNOVER = 0.006
"""Usual daily volume over shares."""
FUND_START = 100.0
FUND_REACH = 0.6
"""Highs of many companies do not fall on one moment: the fund's range is narrower than their mean range."""


def draw_bars(world: World) -> Bars:
    """All bars, tickers in alphabetical order; prices in whole cents.

    A dividend leaves the price at the open, a split divides it.
    """
    count, companies = world.price.shape
    numbers = np.empty((5, count, companies))
    for n in range(companies):
        numbers[:, :, n] = stream(world.plan.seed, QUOTES, n).standard_normal((5, count))
    risk = daily_risk(world)
    # what a share lost to its dividend is no part of its return
    before = world.price / np.exp(world.returns) + world.dividend / np.exp(world.returns)
    ordinary = world.returns - world.specific.reaction
    overnight = world.specific.reaction + OVERNIGHT * (ordinary + risk * numbers[0])
    start = before * np.exp(overnight) - world.dividend
    # an open below the dividend cannot be
    start = np.where(start > 0, start, world.price)
    top = np.maximum(start, world.price) * np.exp(REACH * risk * np.abs(numbers[1]))
    bottom = np.minimum(start, world.price) * np.exp(-REACH * risk * np.abs(numbers[2]))
    activity = np.exp(0.3 * numbers[3]) * (0.6 + 0.4 * np.abs(world.returns) / risk)
    activity += 1.5 * (world.specific.reaction != 0)
    factor, traded = world.shares_per_first, world.traded
    volume = np.where(traded, np.maximum(np.round(TURNOVER * world.cast.shares * factor * activity, -2), 100.0), 0.0)
    prices = [np.where(traded, np.round(column / factor, 2), np.nan) for column in (start, top, bottom)]
    split = np.where(traded, world.split, 1.0)
    columns = [*prices, world.close, volume, world.dividend_as_traded, split]
    fund = _fund(world, columns)
    names = [identity.ticker for identity in world.cast.identities] + [INDEX_TICKER]
    order = np.argsort(names)
    stacked = [np.column_stack([own, extra])[:, order] for own, extra in zip(columns, fund, strict=True)]
    return Bars(world.table.sessions, tuple(names[i] for i in order), *stacked)


def daily_risk(world: World) -> Matrix:
    """(T, N) standard deviation of each company's return on an ordinary session."""
    cast, factors = world.cast, world.factors
    sector = SECTOR_RISK * np.asarray(COMMON_RISK)[factors.states]
    market = cast.beta * factors.market_risk[:, None]
    return np.asarray(np.sqrt(market**2 + sector[:, None] ** 2 + world.specific.risk**2), dtype=np.float64)


def _fund(world: World, columns: list[Matrix]) -> list[Matrix]:
    """An equal-weighted fund of the companies, rebalanced daily, dividends reinvested, without a fee; (T,) each."""
    opens, highs, lows, closes, _, dividend, split = columns
    count = len(closes)
    growth = [split[1:] * (column[1:] + dividend[1:]) / closes[:-1] for column in (opens, highs, lows, closes)]
    both = np.isfinite(growth[3])
    members = np.maximum(both.sum(axis=1), 1)
    moves = np.array([np.where(both, column, 0.0).sum(axis=1) / members for column in growth])
    moves[:, ~both.any(axis=1)] = 1.0
    close = FUND_START * np.concatenate([[1.0], np.cumprod(moves[3])])
    start, top, bottom = (np.concatenate([[FUND_START], move * close[:-1]]) for move in moves[:3])
    high = np.maximum(start, close) + FUND_REACH * (top - np.maximum(start, close))
    low = np.minimum(start, close) - FUND_REACH * (np.minimum(start, close) - bottom)
    volume = np.round(2.0e6 * np.exp(0.3 * stream(world.plan.seed, FUND).standard_normal(count)), -2)
    prices = [np.round(column, 2) for column in (start, high, low, close)]
    return [*prices, volume, np.zeros(count), np.ones(count)]
