"""What holds for every market and every order: identity, conservation, an independent ledger.

The oracle below knows nothing of backtrader: plain numbers, a binary search for what the cash pays for.
"""

import math
from collections import Counter, defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from paperdesk.tools.broker.simulated import Costs, StepReport
from paperdesk.tools.market.bars import Bars

RATIOS = [2.0, 10.0, 1.5, 0.1, 1 / 3]
"""Splits, fractional and reverse ones among them."""
EXACT = 1e-6
"""In currency; DESIGN asks for it in every session."""


@dataclass
class Oracle:
    """The account as one would keep it on paper."""

    bars: Bars
    costs: Costs
    cash: float
    held: dict[str, int] = field(default_factory=lambda: defaultdict(int))
    last: dict[str, float] = field(default_factory=dict)
    """Last close by ticker."""

    def session(self, row: int, orders: list[tuple[str, str, int]]) -> None:
        """Live through one session with the accepted orders (side, ticker, quantity)."""
        split_today = set()
        for i, name in enumerate(self.bars.tickers):
            ratio = self.bars.split[row, i]
            if ratio != 1:
                split_today.add(name)
                if name in self.last:
                    self.last[name] /= ratio
            exact = self.held[name] * ratio
            self.cash += exact * self.bars.dividend[row, i]
            whole = round(exact) if abs(exact - round(exact)) < 1e-9 else math.floor(exact)
            if exact - whole > 1e-9:
                opening = self.bars.open[row, i]
                self.cash += (exact - whole) * (self.last[name] if math.isnan(opening) else opening)
            self.held[name] = whole
        used: dict[str, float] = defaultdict(float)
        for wanted_side in ("sell", "buy"):
            for side, name, quantity in orders:
                if side == wanted_side and name not in split_today:
                    self._trade(row, side, name, quantity, used)
        for i, name in enumerate(self.bars.tickers):
            if not math.isnan(self.bars.close[row, i]):
                self.last[name] = self.bars.close[row, i]

    def _trade(self, row: int, side: str, name: str, quantity: int, used: dict[str, float]) -> None:
        i = self.bars.tickers.index(name)
        opening = self.bars.open[row, i]
        if math.isnan(opening) or math.isnan(self.bars.close[row, i]):
            return
        sign = 1 if side == "buy" else -1
        price = opening * (1 + sign * (self.costs.slippage_bps + self.costs.spread_bps / 2) / 10_000)
        if self.costs.volume_limit is not None:
            quantity = min(quantity, math.floor(self.bars.volume[row, i] * self.costs.volume_limit - used[name] + 1e-9))
        low, high = 0, max(0, quantity)
        if side == "buy":
            while low < high:
                middle = (low + high + 1) // 2
                low, high = (middle, high) if self._cost(middle, price) <= self.cash else (low, middle - 1)
        traded = high
        change = -self._cost(traded, price) if side == "buy" else traded * price - self._commission(traded, price)
        if traded == 0 or self.cash + change < 0:
            return
        self.cash += change
        self.held[name] += sign * traded
        used[name] += traded

    def _commission(self, shares: int, price: float) -> float:
        by_size = shares * self.costs.commission_per_share + shares * price * self.costs.commission_bps / 10_000
        return max(by_size, self.costs.commission_minimum) if shares else 0.0

    def _cost(self, shares: int, price: float) -> float:
        return shares * price + self._commission(shares, price)


def market(bars_of: Callable[..., Bars], rng: np.random.Generator, names: int, length: int) -> Bars:
    """A rough market: gaps, halts, late listings, delistings, splits, dividends, thin volume."""
    shape = (length, names)
    level = np.exp(rng.uniform(0, 6, names))
    split = np.where(rng.random(shape) < 0.06, rng.choice(RATIOS, shape), 1.0)
    split[0] = 1.0
    opens = level * np.exp(np.cumsum(rng.normal(0, 0.05, shape), axis=0)) / np.cumprod(split, axis=0)
    closes = opens * np.exp(rng.normal(0, 0.03, shape))
    gone = rng.random(shape) < 0.08
    rows = np.arange(length)[:, None]
    gone |= rows < rng.choice([0, 0, 3], names)
    gone |= rows >= rng.choice([length, length, length - 4], names)
    half = rng.random(shape) < 0.02
    opens[gone], closes[gone | half] = np.nan, np.nan
    tickers = [f"N{i}" for i in range(names)]
    volume = np.where(rng.random(shape) < 0.1, 0.0, np.floor(np.exp(rng.uniform(2, 12, shape))))
    dividend = np.where(rng.random(shape) < 0.08, np.nan_to_num(opens) * rng.uniform(0, 0.05, shape), 0.0)
    highs = np.fmax(opens, closes) * np.exp(rng.exponential(0.02, shape))
    lows = np.fmin(opens, closes) * np.exp(-rng.exponential(0.02, shape))
    return bars_of(
        {t: opens[:, i] for i, t in enumerate(tickers)},
        {t: closes[:, i] for i, t in enumerate(tickers)},
        highs={t: highs[:, i] for i, t in enumerate(tickers)},
        lows={t: lows[:, i] for i, t in enumerate(tickers)},
        volume={t: volume[:, i] for i, t in enumerate(tickers)},
        dividend={(t, r): dividend[r, i] for i, t in enumerate(tickers) for r in range(length)},
        split={(t, r): split[r, i] for i, t in enumerate(tickers) for r in range(length)},
    )


COSTS = st.builds(
    Costs,
    commission_bps=st.sampled_from([0.0, 3.7, 50.0]),
    commission_per_share=st.sampled_from([0.0, 0.0071]),
    commission_minimum=st.sampled_from([0.0, 1.3]),
    slippage_bps=st.sampled_from([0.0, 7.3, 110.0]),
    spread_bps=st.sampled_from([0.0, 9.1]),
    volume_limit=st.sampled_from([None, 0.1, 1.0]),
)


def random_orders(rng: np.random.Generator, desk) -> list[tuple[str, str, float, str]]:
    """Submit a few orders around what the account can do; those that were accepted."""
    accepted = []
    account = desk.broker.account()
    for ticker in rng.permutation(list(account.prices))[: int(rng.integers(0, 5))]:
        side = "sell" if rng.random() < 0.4 else "buy"
        base = account.positions.get(ticker, 0) if side == "sell" else account.equity / account.prices[ticker]
        quantity: float = base * rng.uniform(0.05, 1.1)
        if not desk.broker.capabilities.fractional:
            quantity = float(math.floor(quantity))
        if quantity > 0:
            answer = desk.submit(side, str(ticker), quantity)
            assert answer.status == "accepted" or (side == "sell" and "free to sell" in answer.reason)
            if answer.status == "accepted":
                accepted.append((side, str(ticker), quantity, answer.client_order_id))
    return accepted


def check_identity(report: StepReport) -> None:
    """Cash and positions make the equity, and neither is negative."""
    value = sum(shares * report.prices[name] for name, shares in report.positions.items())
    assert math.isclose(report.cash + value, report.equity, abs_tol=EXACT)
    assert report.cash >= 0
    assert all(shares > 0 for shares in report.positions.values())


def check_conservation(report: StepReport, before: StepReport, costs: Costs) -> None:
    """Corporate actions and fills explain the change of cash and of every position."""
    paid = sum(action.amount for action in report.actions if action.action != "split")
    shares = defaultdict(float, before.positions)
    for action in report.actions:
        assert shares[action.ticker] == pytest.approx(action.shares, abs=1e-9)
        if action.action == "split":
            shares[action.ticker] *= action.amount
        elif action.action == "cash_in_lieu":
            shares[action.ticker] = math.floor(shares[action.ticker] + 1e-9)
    for fill in report.fills:
        sign = 1 if fill.side == "buy" else -1
        shares[fill.ticker] += sign * fill.quantity
        paid -= sign * fill.quantity * fill.price + fill.commission
        assert fill.price == pytest.approx(fill.open_price * (1 + sign * costs.distance_bps / 10_000), rel=1e-12)
        assert fill.commission == pytest.approx(costs.commission(fill.quantity, fill.price), rel=1e-12)
    assert report.cash == pytest.approx(before.cash + paid, abs=EXACT)
    assert {name: held for name, held in shares.items() if held > 1e-9} == pytest.approx(report.positions, abs=1e-6)


def check_orders(report: StepReport, submitted: list[tuple[str, str, float, str]]) -> None:
    """Every order is accounted for: filled, or ended with what is missing."""
    missing = {end.client_order_id: end.unfilled_quantity for end in report.ended}
    got = {fill.client_order_id: fill.quantity for fill in report.fills}
    assert len(got) == len(report.fills)
    assert set(missing) | set(got) == {key for *_, key in submitted}
    for *_, quantity, key in submitted:
        assert got.get(key, 0) + missing.get(key, 0) == pytest.approx(quantity, abs=2e-9)


@settings(max_examples=80)
@given(
    seed=st.integers(0, 2**32 - 1),
    names=st.integers(1, 4),
    length=st.integers(6, 25),
    costs=COSTS,
    fractional=st.booleans(),
)
def test_identity_and_conservation_hold_in_every_session(desk_on, bars_of, seed, names, length, costs, fractional):
    rng = np.random.default_rng(seed)
    bars = market(bars_of, rng, names, length)
    desk = desk_on(bars, cash=10_000, costs=costs, fractional=fractional)
    oracle = Oracle(bars, costs, 10_000.0)
    oracle.session(0, [])
    before = desk.broker.report
    for row in range(1, length):
        submitted = random_orders(rng, desk)
        report = desk.step()
        check_identity(report)
        check_conservation(report, before, costs)
        check_orders(report, submitted)
        if not fractional:
            oracle.session(row, [(side, name, int(quantity)) for side, name, quantity, _ in submitted])
            assert {name: shares for name, shares in oracle.held.items() if shares} == report.positions
            assert report.cash == pytest.approx(oracle.cash, abs=EXACT)
            assert all(report.prices[name] == pytest.approx(oracle.last[name]) for name in report.positions)
        before = report


def test_the_random_markets_exercise_what_they_are_meant_to(desk_on, bars_of):
    seen: Counter[str] = Counter()
    for seed in range(30):
        rng = np.random.default_rng(seed)
        costs = Costs(commission_bps=3.7, commission_minimum=1.3, volume_limit=0.1)
        desk = desk_on(market(bars_of, rng, 4, 25), cash=10_000, costs=costs)
        for _ in range(24):
            random_orders(rng, desk)
            report = desk.step()
            seen.update(action.action for action in report.actions)
            seen.update(fill.side for fill in report.fills)
            seen.update(end.reason.split(" ")[-1] for end in report.ended)
            seen.update(end.status for end in report.ended)
    common = {"dividend", "split", "cash_in_lieu", "buy", "sell", "expired", "rejected", "cancelled", "commission"}
    assert all(seen[what] >= 10 for what in common), seen
