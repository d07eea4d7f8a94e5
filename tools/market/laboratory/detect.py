"""Four simple rules and a test of the right size: does a rule find what is planted, and nothing that is not?

A rule ranks companies by something that agents can see, at dates so far apart that their forward returns do not
overlap. The outcome of a company is its forward return less its beta times the fund's, over its risk, both estimated
from the year before. The date's coefficient is the mean over companies of standardised rank times outcome: what a
portfolio earns that holds each company in proportion to its rank, in units of risk. The test is a one-sided t-test on
the mean coefficient.

Where nothing is planted a simple return beyond the factors has the mean 0 whatever is known, so the coefficients have
the mean 0 and are uncorrelated from date to date, however strongly companies move together and however slowly a signal
changes: what inflates a pooled regression only widens the spread of the coefficients here (Fama and MacBeth 1973).
Ranks are taken of the signal only: the rank of a return has another mean for a volatile company than for a quiet one.

| rule | signal, as seen | forward sessions | dates |
| --- | --- | --- | --- |
| `post_earnings_drift` | operating income over the one guided to, by the releases | 40 | 36 days after a quarter |
| `tone_drift` | tone of the last release by the lexicon | 40 | 36 days after a quarter |
| `momentum` | total return of 12 months without the last one | 21 | every 21 sessions |
| `value` | 12-month net income of the filings over market value | 21 | every 21 sessions |
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from .factors import Matrix
from .plan import EDGES, EdgeName
from .script import release_tone, write_script
from .timetable import NEVER
from .world import MOMENTUM_SESSIONS, MOMENTUM_SKIPPED, World

RULES: tuple[EdgeName, ...] = tuple(EDGES)
"""A rule for each edge, named after it."""
FRESH_SESSIONS = 15
"""A release older than this at the date of an event rule is passed over."""
EVENT_DAYS = 36
"""From a quarter's end to the date of the event rules: by then almost all releases are out."""
SMALLEST = 8
"""Fewer companies with a signal give no coefficient."""
RISK_SESSIONS, LEAST_SESSIONS = 252, 60
"""History for beta and risk, and the least of it."""


@dataclass(frozen=True)
class Seen:
    """A market as agents see it; T sessions, N companies, one column per company."""

    wealth: Matrix
    """(T, N) total return index from closes in cents, dividends and splits; NaN where not traded."""
    event_dates: tuple[int, ...]
    """Sessions at which the event rules look."""
    surprise: Matrix
    """(T, N) operating income of the newest release over the one that the release before guided to, minus 1; known at
    the close of the session; NaN without a release in the last `FRESH_SESSIONS`."""
    tone: Matrix
    """(T, N) likewise, the newest release's tone by the lexicon."""
    earnings_yield: Matrix
    """(T, N) 12-month net income of the filings that are public over market value."""


@dataclass(frozen=True)
class Finding:
    """What a rule found."""

    rule: EdgeName
    dates: int
    mean: float
    """Mean coefficient, in units of risk over the rule's horizon."""
    t: float
    p: float
    """One-sided: the chance of a mean at least as high where nothing is planted."""


def total_return_index(close: Matrix, dividend: Matrix, split: Matrix) -> Matrix:
    """(T, N) growth of a share with dividends reinvested, 1 at its first close; NaN where it is not traded."""
    growth = np.ones_like(close)
    with np.errstate(invalid="ignore"):
        growth[1:] = split[1:] * (close[1:] + dividend[1:]) / close[:-1]
    growth = np.where(np.isfinite(growth), growth, 1.0)
    return np.where(np.isfinite(close), np.cumprod(growth, axis=0), np.nan)


def seen(world: World) -> Seen:
    """What agents of a world see, without rendering it: the same figures as in its texts, tables and bars."""
    table, business = world.table, world.business
    count = table.count
    surprise = released_surprise(
        np.round(business.operating_income / 1e6, 1),
        np.round(business.guided_revenue / 1e6, 1),
        np.round(100 * business.guided_margin, 1),
    )
    # guidance stands in the release before: without one there is nothing to compare with
    surprise[1:] = np.where(table.reacts[:-1] < NEVER, surprise[1:], np.nan)
    tone = release_tone(world, write_script(world))
    days = np.array(table.days, dtype="datetime64[D]")
    ends = np.array([end for _, end in table.quarters], dtype="datetime64[D]")
    dates = np.searchsorted(days, ends + EVENT_DAYS) - table.before
    fresh = np.full((2, count, len(world.cast)), np.nan)
    for quarter, company in zip(*(axis.tolist() for axis in np.nonzero(table.reacts < count)), strict=True):
        start = table.reacts[quarter, company]
        fresh[:, start : start + FRESH_SESSIONS, company] = [[surprise[quarter, company]], [tone[quarter, company]]]
    close = world.close
    return Seen(
        wealth=total_return_index(close, world.dividend_as_traded, world.split),
        event_dates=tuple(int(t) for t in dates if 0 <= t < count),
        surprise=fresh[0],
        tone=fresh[1],
        earnings_yield=_reported_income(world) / (close * world.shares_per_first * world.cast.shares),
    )


def released_surprise(operating_income: Matrix, guided_revenue: Matrix, guided_margin: Matrix) -> Matrix:
    """Operating income over the guided one, minus 1; NaN where a loss was guided to.

    Args:
        operating_income: millions of USD, as released.
        guided_revenue: millions of USD, as the release before expects.
        guided_margin: operating margin in per cent, likewise.
    """
    guided = guided_revenue * guided_margin / 100
    # a share of a loss has no meaning
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(guided > 0, operating_income / guided - 1, np.nan)


def _reported_income(world: World) -> Matrix:
    """(T, N) net income of the last four quarters that were filed before the session."""
    table, income = world.table, world.business.net_income
    trailing = np.full_like(income, np.nan)
    trailing[3:] = income[3:] + income[2:-1] + income[1:-2] + income[:-3]
    reported = np.full((table.count, len(world.cast)), np.nan)
    for quarter, company in zip(*(axis.tolist() for axis in np.nonzero(table.filed < table.count)), strict=True):
        reported[max(0, table.filed[quarter, company] + 1) :, company] = trailing[quarter, company]
    return reported


def find(market: Seen, rule: EdgeName) -> Finding:
    """Apply one rule to a market."""
    horizon = EDGES[rule].horizon_sessions
    wealth = market.wealth
    if rule in ("post_earnings_drift", "tone_drift"):
        signal = market.surprise if rule == "post_earnings_drift" else market.tone
        pairs = [(signal[t], t) for t in market.event_dates if LEAST_SESSIONS <= t < len(wealth) - horizon]
    elif rule == "momentum":
        dates = range(MOMENTUM_SESSIONS, len(wealth) - horizon, horizon)
        pairs = [(wealth[t - MOMENTUM_SKIPPED] / wealth[t - MOMENTUM_SESSIONS], t) for t in dates]
    else:
        pairs = [(market.earnings_yield[t], t) for t in range(LEAST_SESSIONS, len(wealth) - horizon, horizon)]
    values = [coefficient(signal, outcome(wealth, t, horizon)) for signal, t in pairs]
    return _tested(rule, np.array([value for value in values if value is not None]))


def outcome(wealth: Matrix, t: int, horizon: int) -> NDArray[np.float64]:
    """(N,) forward returns from the close of session t, less beta times the fund's, over risk; NaN where unknown.

    Beta and risk are those of the last `RISK_SESSIONS` daily returns, of which there have to be `LEAST_SESSIONS`; the
    fund holds all companies in equal parts.
    """
    past = wealth[max(0, t - RISK_SESSIONS) : t + 1]
    daily = past[1:] / past[:-1] - 1
    there = np.isfinite(daily)
    counts = np.maximum(there.sum(axis=0), 1)
    fund = np.where(there, daily, 0.0).sum(axis=1) / np.maximum(there.sum(axis=1), 1)
    own = np.where(there, daily - np.where(there, daily, 0.0).sum(axis=0) / counts, 0.0)
    beta = (fund - fund.mean()) @ own / ((fund - fund.mean()) ** 2).sum()
    risk = np.sqrt((own**2).sum(axis=0) / counts)
    forward = wealth[t + horizon] / wealth[t] - 1
    known = np.isfinite(forward)
    hedged = forward - beta * forward[known].mean() if known.any() else forward
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(counts >= LEAST_SESSIONS, hedged / (risk * np.sqrt(horizon)), np.nan)


def coefficient(signal: NDArray[np.float64], outcome: NDArray[np.float64]) -> float | None:
    """Mean of standardised rank times outcome; None where fewer than `SMALLEST` companies have both."""
    both = np.isfinite(signal) & np.isfinite(outcome)
    if both.sum() < SMALLEST:
        return None
    ranks = _ranks(signal[both])
    size = np.sqrt(np.mean(ranks**2))
    return float(np.mean(ranks * outcome[both]) / size) if size > 0 else None


def _ranks(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Ranks less their mean; equal values share theirs."""
    _, inverse, counts = np.unique(values, return_inverse=True, return_counts=True)
    upper = np.cumsum(counts)
    ranks = (upper - (counts - 1) / 2)[inverse]
    return np.asarray(ranks - ranks.mean(), dtype=np.float64)


def _tested(rule: EdgeName, coefficients: NDArray[np.float64]) -> Finding:
    from scipy import stats

    count = len(coefficients)
    if count < 2:
        return Finding(rule, count, 0.0, 0.0, 1.0)
    t = float(coefficients.mean() / (coefficients.std(ddof=1) / np.sqrt(count)))
    return Finding(rule, count, float(coefficients.mean()), t, float(stats.t.sf(t, count - 1)))
