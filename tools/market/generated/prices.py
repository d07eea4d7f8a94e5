"""Prices of the generated market: factors, fat tails, volatility that clusters, and an honest edge.

The log return of a company on session t is
    r_t = beta * market_t + sector_t + specific_t + reaction_t + drift_t.
The market has two states (calm, turbulent) that follow a Markov chain; all shocks are Student t with 5 degrees of
freedom scaled to unit variance; the log volatility of `specific` is an AR(1). On the session after a release the price
opens with `reaction = REACTION * surprise + noise`; over the next `DRIFT_SESSIONS` it drifts by `DRIFT * surprise` in
all.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

import numpy as np
from numpy.typing import NDArray

from ..bars import Bars, Matrix
from .cast import CompanyPlan
from .process import Quarter
from .reporting import Report

REACTION = 0.035
"""Immediate log return per standard deviation of surprise."""
REACTION_NOISE = 0.015
DRIFT = 0.02
"""The planted edge: log return per standard deviation of surprise, spread over the following `DRIFT_SESSIONS`."""
DRIFT_SESSIONS = 40
"""Sessions of drift; they begin after the session of the reaction."""
CALM, TURBULENT = 0, 1
STAY = (0.99, 0.97)
"""Probability that tomorrow has today's state: calm, turbulent."""
MARKET_MEAN = (0.0008, -0.0012)
"""Daily mean of the market factor by state."""
MARKET_RISK = (0.0065, 0.0185)
"""Daily standard deviation of the market factor by state."""
SECTOR_RISK = 0.005
TAIL = 5
"""Degrees of freedom of all shocks."""

Vector = NDArray[np.float64]


@dataclass(frozen=True)
class Factors:
    """What all companies share; arrays of length T."""

    states: NDArray[np.int64]
    market: Vector
    """Daily log returns."""
    sectors: dict[str, Vector]


@dataclass(frozen=True)
class Track:
    """One instrument's columns of `Bars`; arrays of length T, NaN prices before its listing."""

    open: Vector
    high: Vector
    low: Vector
    close: Vector
    volume: Vector
    dividend: Vector
    split: Vector


def shocks(rng: np.random.Generator, count: int) -> Vector:
    """Fat-tailed shocks of mean 0 and variance 1."""
    return np.asarray(rng.standard_t(TAIL, count) * np.sqrt((TAIL - 2) / TAIL), dtype=np.float64)


def draw_factors(sectors: Sequence[str], count: int, rng: np.random.Generator) -> Factors:
    """The market's states and returns and the sectors' returns over `count` sessions; the first is calm."""
    states = np.zeros(count, dtype=np.int64)
    leaps = rng.random(count)
    for t in range(1, count):
        states[t] = states[t - 1] if leaps[t] < STAY[states[t - 1]] else 1 - states[t - 1]
    risk = np.asarray(MARKET_RISK)[states]
    market = np.asarray(MARKET_MEAN)[states] - risk**2 / 2 + risk * shocks(rng, count)
    return Factors(states, market, {name: SECTOR_RISK * shocks(rng, count) for name in sectors})


def edge(reports: Sequence[Report], sessions: Sequence[date], rng: np.random.Generator) -> tuple[Vector, Vector]:
    """The log returns that a company's surprises cause: (reaction, drift), both (T,)."""
    reaction, drift = np.zeros(len(sessions)), np.zeros(len(sessions))
    row = {day: t for t, day in enumerate(sessions)}
    for report in reports:
        t = row[report.announced] + 1
        noise = REACTION_NOISE * float(rng.standard_normal())
        if t < len(sessions):
            reaction[t] += REACTION * report.quarter.surprise + noise
            drift[t + 1 : t + 1 + DRIFT_SESSIONS] += DRIFT * report.quarter.surprise / DRIFT_SESSIONS
    return reaction, drift


def _dividends(quarters: Sequence[Quarter], sessions: Sequence[date]) -> Vector:
    """Cash per share of the first session by ex-date, which is the eleventh session of a quarter's last month."""
    paid = np.zeros(len(sessions))
    for quarter in quarters:
        days = [t for t, day in enumerate(sessions) if (day.year, day.month) == (quarter.end.year, quarter.end.month)]
        if len(days) > 10:
            paid[days[10]] = quarter.dividend_per_share
    return paid


def draw_track(
    plan: CompanyPlan,
    factors: Factors,
    quarters: Sequence[Quarter],
    reports: Sequence[Report],
    sessions: Sequence[date],
    rng: np.random.Generator,
) -> Track:
    """One company's bars: open, high, low and close in whole cents, consistent with each other."""
    count = len(sessions)
    reaction, drift = edge(reports, sessions, rng)
    log_risk = np.zeros(count)
    kicks = rng.standard_normal(count)
    for t in range(1, count):
        log_risk[t] = 0.97 * log_risk[t - 1] + 0.10 * kicks[t]
    risk = plan.specific_risk * np.exp(log_risk - 0.085)
    specific = risk * shocks(rng, count) - risk**2 / 2
    ordinary = plan.beta * factors.market + factors.sectors[plan.sector] + specific + drift
    daily_risk = np.sqrt((plan.beta * np.asarray(MARKET_RISK)[factors.states]) ** 2 + SECTOR_RISK**2 + risk**2)
    overnight = reaction + 0.3 * ordinary + 0.3 * daily_risk * rng.standard_normal(count)
    total = reaction + ordinary
    reach = 0.45 * daily_risk * np.abs(rng.standard_normal((2, count)))

    first = next((t for t, day in enumerate(sessions) if plan.listed is None or day >= plan.listed), count)
    split = np.ones(count)
    if plan.split is not None:
        split[next(t for t, day in enumerate(sessions) if day >= plan.split.effective)] = plan.split.ratio
    factor: Vector = np.asarray(np.cumprod(split), dtype=np.float64)
    dividend: Vector = np.round(_dividends(quarters, sessions) / factor, 4)
    dividend[: first + 1] = 0.0

    price = np.full((4, count), np.nan)
    earnings = plan.quarterly_revenue * 4 * plan.operating_margin * (1 - plan.tax_rate)
    last = earnings * plan.earnings_multiple / plan.shares
    for t in range(first, count):
        # a dividend leaves the price at the open, a split divides it
        start = last / split[t] * np.exp(overnight[t]) - dividend[t]
        last = last / split[t] * np.exp(total[t]) - dividend[t]
        top, bottom = max(start, last) * np.exp(reach[0, t]), min(start, last) * np.exp(-reach[1, t])
        price[:, t] = np.round((start, top, bottom, last), 2)
    usual = np.exp(0.25 * rng.standard_normal(count) - 0.5)
    activity = usual + np.abs(total) / daily_risk * 0.4 + 2.5 * (reaction != 0)
    volume: Vector = np.round(0.012 * plan.shares * factor * activity, -2)
    volume[np.isnan(price[3])] = 0.0
    return Track(price[0], price[1], price[2], price[3], volume, dividend, split)


def index_track(tracks: Sequence[Track], rng: np.random.Generator, start: float = 100.0) -> Track:
    """An equal-weighted fund of the tracks that traded both today and yesterday.

    It is rebalanced daily and reinvests dividends.
    """
    count = len(tracks[0].close)
    before = np.array([np.concatenate([[np.nan], track.close[:-1]]) / track.split for track in tracks])
    paid = np.array([track.dividend for track in tracks])
    # (4, T): mean over companies of each price, dividend included, over the close before
    moves = np.array([
        np.nanmean((np.array([getattr(track, name) for track in tracks]) + paid)[:, 1:] / before[:, 1:], axis=0)
        for name in ("open", "high", "low", "close")
    ])  # fmt: skip
    close = start * np.concatenate([[1.0], np.cumprod(moves[3])])
    scaled = np.concatenate([np.full((4, 1), start), moves * close[:-1]], axis=1)
    # highs of six companies do not fall on one moment: the fund's range is narrower than their mean range
    high = np.maximum(scaled[0], close) + 0.6 * (scaled[1] - np.maximum(scaled[0], close))
    low = np.minimum(scaled[0], close) - 0.6 * (np.minimum(scaled[0], close) - scaled[2])
    volume = np.asarray(np.round(2.0e6 * np.exp(0.3 * rng.standard_normal(count)), -2), dtype=np.float64)
    prices = [np.round(column, 2) for column in (scaled[0], high, low, close)]
    return Track(prices[0], prices[1], prices[2], prices[3], volume, np.zeros(count), np.ones(count))


def stack(tickers: Sequence[str], tracks: Sequence[Track], sessions: Sequence[date]) -> Bars:
    """The tracks side by side."""
    columns: dict[str, Matrix] = {
        name: np.column_stack([getattr(track, name) for track in tracks])
        for name in ("open", "high", "low", "close", "volume", "dividend", "split")
    }
    return Bars(sessions=tuple(sessions), tickers=tuple(tickers), **columns)
