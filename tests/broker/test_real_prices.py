"""Eight real instruments over five years, with their splits and dividends."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from paperdesk.tools.broker.simulated import Costs
from paperdesk.tools.market.bars import Bars


@pytest.fixture(scope="module")
def real_bars(us8: Path) -> Bars:
    """The us8 prices as traded: the file is adjusted to the newest split, so later splits are taken out again."""
    table = pd.read_csv(us8 / "prices.csv.gz", parse_dates=["date"])
    wide = {name: table.pivot(index="date", columns="ticker", values=name) for name in table.columns[2:]}
    split = wide["split"].replace(0, 1.0).to_numpy()
    later = np.vstack([np.cumprod(split[::-1], axis=0)[::-1][1:], np.ones(split.shape[1])])
    prices = {name: wide[name].to_numpy() * later for name in ("open", "high", "low", "close", "dividend")}
    days = tuple(stamp.date() for stamp in wide["open"].index)
    volume = wide["volume"].to_numpy() / later
    return Bars(days, tuple(wide["open"].columns), **prices, volume=volume, split=split)


def test_buying_and_holding_earns_the_total_return_of_the_prices(desk_on, real_bars):
    desk = desk_on(real_bars, cash=1_000_000, fractional=True)
    for ticker in real_bars.tickers:
        desk.buy(ticker, 100_000 / real_bars.close[0, real_bars.column(ticker)])
    while desk.broker.remaining:
        report = desk.step()
        assert report.cash + sum(n * report.prices[t] for t, n in report.positions.items()) == pytest.approx(
            report.equity, abs=1e-6
        )
    growth = np.cumprod(real_bars.split, axis=0)
    bought = 100_000 / real_bars.close[0]
    final = bought * growth[-1] * real_bars.close[-1]
    dividends = (bought * growth * real_bars.dividend)[2:].sum()  # bought at the open of row 1
    expected = 1_000_000 - (bought * real_bars.open[1]).sum() + dividends + final.sum()
    assert desk.reports[-1].equity == pytest.approx(expected, rel=1e-12)
    assert len([a for r in desk.reports for a in r.actions if a.action == "split"]) == 5


def test_monthly_rebalancing_over_five_years_keeps_the_identity_and_stays_near_its_targets(desk_on, real_bars):
    desk = desk_on(real_bars, cash=1_000_000, costs=Costs(commission_bps=1, slippage_bps=5))
    rng = np.random.default_rng(11)
    while desk.broker.remaining:
        if (len(real_bars.sessions) - desk.broker.remaining) % 21 == 0:
            account = desk.broker.account()
            weights = dict(zip(real_bars.tickers, 0.97 * rng.dirichlet(np.ones(8)), strict=True))
            for ticker, weight in weights.items():
                change = int(account.equity * weight / account.prices[ticker]) - account.positions.get(ticker, 0)
                if change:
                    desk.submit("buy" if change > 0 else "sell", ticker, abs(change))
            report = desk.step()
            reached = {t: n * report.prices[t] / report.equity for t, n in report.positions.items()}
            cancelled = {end.ticker for end in report.ended if end.status == "cancelled"}
            off = {t: reached.get(t, 0) - w for t, w in weights.items() if t not in cancelled}
            assert max(map(abs, off.values())) < 0.03, off
        else:
            report = desk.step()
        value = sum(n * report.prices[t] for t, n in report.positions.items())
        assert report.cash + value == pytest.approx(report.equity, abs=1e-6)
        assert report.cash >= 0
    assert len(desk.broker.fills()) > 400
    assert not [end for r in desk.reports for end in r.ended if end.status == "rejected"]
