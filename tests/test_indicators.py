"""Indicators against their definitions, computed here in plain numpy from the view's own history."""

from collections.abc import Callable
from dataclasses import replace
from datetime import date
from pathlib import Path

import empyrical
import numpy as np
import pandas as pd
import pytest

from paperdesk.tools.errors import InputError
from paperdesk.tools.indicators import LOOKBACK, indicators
from paperdesk.tools.market.view import Market, MarketView, open_market
from paperdesk.tools.measures import MEASURES

ALL = {
    "return_1m", "momentum_3m", "momentum_12_1", "distance_sma_50", "distance_sma_200", "rsi_14", "macd_histogram",
    "volatility_1m", "volatility_3m", "drawdown_12m", "max_drawdown_12m", "beta_12m", "idiosyncratic_volatility_12m",
    "volume_ratio",
}  # fmt: skip


@pytest.fixture(scope="module")
def market() -> Market:
    return open_market("generated")


def at(market: Market, day: date) -> MarketView:
    return market.view(market.calendar.close_of(day))


def figures(view: MarketView, ticker: str) -> dict[str, float]:
    return {item.measure: item.value for item in indicators(view, ticker) if item.value is not None}


def wilder_rsi(close: np.ndarray, days: int = 14) -> float:
    change = np.diff(close)
    up, down = np.maximum(change, 0), np.maximum(-change, 0)
    rise, fall = up[:days].mean(), down[:days].mean()
    for i in range(days, len(change)):
        rise = (rise * (days - 1) + up[i]) / days
        fall = (fall * (days - 1) + down[i]) / days
    return float(100 * rise / (rise + fall))


def test_all_figures_agree_with_their_definitions(market: Market) -> None:
    view = at(market, date(2023, 11, 15))
    for ticker in ("BRQL", "TRVX"):
        history = view.history(ticker, sessions=LOOKBACK)
        close, volume = history["close"].to_numpy(), history["volume"].to_numpy()
        returns = view.returns((ticker,), 252)[ticker].to_numpy()
        found = figures(view, ticker)
        assert set(found) == ALL
        assert found["return_1m"] == pytest.approx(np.prod(1 + returns[-21:]) - 1)
        assert found["momentum_3m"] == pytest.approx(np.prod(1 + returns[-63:]) - 1)
        assert found["momentum_12_1"] == pytest.approx(np.prod(1 + returns[-252:-21]) - 1)
        assert found["distance_sma_50"] == pytest.approx(close[-1] / close[-50:].mean() - 1)
        assert found["distance_sma_200"] == pytest.approx(close[-1] / close[-200:].mean() - 1)
        assert found["rsi_14"] == pytest.approx(wilder_rsi(close))
        assert found["volatility_3m"] == pytest.approx(returns[-63:].std(ddof=1) * np.sqrt(252))
        assert found["drawdown_12m"] == pytest.approx(close[-1] / close[-252:].max() - 1)
        assert found["volume_ratio"] == pytest.approx(volume[-20:].mean() / volume[-60:].mean())
        assert found["volatility_1m"] == pytest.approx(returns[-21:].std(ddof=1) * np.sqrt(252))
        assert found["max_drawdown_12m"] == pytest.approx(empyrical.max_drawdown(returns))
        fund = view.returns(("HXSI",), 252)["HXSI"].to_numpy()
        slope, intercept = np.polyfit(fund, returns, 1)
        left = returns - intercept - slope * fund
        assert found["beta_12m"] == pytest.approx(slope)
        assert found["beta_12m"] == pytest.approx(empyrical.beta(returns, fund))
        assert found["idiosyncratic_volatility_12m"] == pytest.approx(np.sqrt((left**2).sum() / 250 * 252))


def test_macd_agrees_with_exponential_averages(market: Market) -> None:
    view = at(market, date(2023, 11, 15))
    close = view.history("ZEPL", sessions=LOOKBACK)["close"]
    line = close.ewm(span=12, adjust=False).mean() - close.ewm(span=26, adjust=False).mean()
    histogram = line - line.ewm(span=9, adjust=False).mean()
    # the two differ only in how the averages begin, which 300 sessions have forgotten
    assert figures(view, "ZEPL")["macd_histogram"] == pytest.approx(
        float(histogram.iloc[-1] / close.iloc[-1]), abs=1e-6
    )


def test_a_split_leaves_no_trace_in_any_figure(market: Market) -> None:
    split_day = date(2023, 6, 12)
    before, after = (figures(at(market, day), "TRVX") for day in (date(2023, 6, 9), split_day))
    # one ordinary session lies between the two: without adjustment the one-month return would be below -60 %
    for name in ("return_1m", "momentum_3m", "distance_sma_50", "distance_sma_200", "drawdown_12m"):
        assert after[name] == pytest.approx(before[name], abs=0.12)
    assert after["volume_ratio"] < 2
    assert after["volatility_3m"] < 0.8


def test_a_short_history_leaves_figures_out(market: Market) -> None:
    assert figures(at(market, date(2022, 6, 14)), "MELQ") == {}
    assert set(figures(at(market, date(2022, 7, 20)), "MELQ")) == {"return_1m", "volatility_1m"}
    assert "momentum_12_1" not in figures(at(market, date(2023, 6, 1)), "MELQ")
    assert set(figures(at(market, date(2023, 7, 3)), "MELQ")) == ALL


def test_evidence_names_its_session_unit_and_source(market: Market) -> None:
    day = date(2023, 7, 3)  # closes early
    view = at(market, day)
    for item in indicators(view, "VYDN"):
        assert item.id == f"VYDN/{item.measure}/2023-07-03"
        assert item.available_at == market.calendar.close_of(day)
        assert item.unit == MEASURES[item.measure].unit
        assert (item.kind, item.source) == ("indicator", "prices")
        assert item.period.endswith("2023-07-03")


def test_an_unknown_ticker_is_refused(market: Market) -> None:
    with pytest.raises(InputError, match="NOPE"):
        indicators(at(market, date(2023, 7, 3)), "NOPE")


def test_real_momentum_equals_the_vendor_s_adjusted_closes(us8: Path) -> None:
    view = at(open_market(us8), date(2024, 6, 28))
    rows = pd.read_csv(us8 / "prices.csv.gz")
    for ticker in ("NVDA", "JPM"):
        adjusted = rows[(rows["ticker"] == ticker) & (rows["date"] <= "2024-06-28")]["adj_close"].to_numpy()
        found = figures(view, ticker)
        assert found["momentum_3m"] == pytest.approx(adjusted[-1] / adjusted[-64] - 1, abs=5e-4)
        assert found["momentum_12_1"] == pytest.approx(adjusted[-22] / adjusted[-253] - 1, abs=5e-4)


def with_closes(market: Market, ticker: str, change: Callable[[np.ndarray], np.ndarray]) -> Market:
    """The market with other closes of one instrument."""
    bars = market.dataset.bars
    close = bars.close.copy()
    close[:, bars.column(ticker)] = change(close[:, bars.column(ticker)])
    return Market(replace(market.dataset, bars=replace(bars, close=close)))


def test_the_market_has_no_beta_to_itself(market: Market) -> None:
    found = set(figures(at(market, date(2023, 11, 15)), "HXSI"))
    assert found.isdisjoint({"beta_12m", "idiosyncratic_volatility_12m"})
    assert "max_drawdown_12m" in found


def test_a_company_that_is_the_whole_universe_has_no_beta_to_itself(market: Market) -> None:
    dataset = market.dataset
    alone = Market(replace(dataset, benchmark=None, companies={"VYDN": dataset.companies["VYDN"]}))
    found = set(figures(at(alone, date(2023, 11, 15)), "VYDN"))
    assert found.isdisjoint({"beta_12m", "idiosyncratic_volatility_12m"})
    assert "max_drawdown_12m" in found
    # Beside it, the fund that is no company is compared with it.
    assert "beta_12m" in figures(at(alone, date(2023, 11, 15)), "HXSI")


def test_without_a_benchmark_beta_is_to_the_equally_weighted_universe(market: Market) -> None:
    alone = Market(replace(market.dataset, benchmark=None))
    view = at(alone, date(2023, 11, 15))
    returns = view.returns(view.tickers, 252)
    universe = returns.mean(axis=1)
    betas = [figures(view, ticker)["beta_12m"] for ticker in view.tickers]
    assert betas == pytest.approx([empyrical.beta(returns[name], universe) for name in view.tickers])
    assert np.mean(betas) == pytest.approx(1)


def test_a_return_over_a_halt_is_compared_with_the_market_s_over_the_same_days(market: Market) -> None:
    day = date(2023, 11, 15)
    last = market.dataset.bars.sessions.index(day)
    halt = np.arange(last - 40, last - 30)

    def halted(close: np.ndarray) -> np.ndarray:
        gaps = close.copy()
        gaps[halt] = np.nan
        return gaps

    view = at(with_closes(market, "BRQL", halted), day)
    # no figure may notice that the fund of a market stood still together with the company
    both = at(with_closes(with_closes(market, "BRQL", halted), "HXSI", halted), day)
    assert figures(view, "BRQL")["beta_12m"] == pytest.approx(figures(both, "BRQL")["beta_12m"])
    history = view.history("BRQL", LOOKBACK)
    fund = view.history("HXSI")["close"].reindex(history.index)
    total = (1 + view.returns(("BRQL",), 400)["BRQL"].dropna()).cumprod().iloc[-253:]
    index = (1 + view.returns(("HXSI",), 400)["HXSI"]).cumprod().reindex(total.index)
    assert fund.notna().all()
    expected = empyrical.beta(total.pct_change().iloc[1:], index.pct_change().iloc[1:])
    assert figures(view, "BRQL")["beta_12m"] == pytest.approx(expected)


def test_beta_needs_a_year_in_common_with_the_market(market: Market) -> None:
    def listed_late(close: np.ndarray) -> np.ndarray:
        late = close.copy()
        late[: market.dataset.bars.sessions.index(date(2023, 3, 1))] = np.nan
        return late

    view = at(with_closes(market, "HXSI", listed_late), date(2023, 11, 15))
    found = set(figures(view, "BRQL"))
    assert "momentum_12_1" in found
    assert found.isdisjoint({"beta_12m", "idiosyncratic_volatility_12m"})


def test_a_price_that_never_moves_has_no_rsi_and_no_volatility_but_no_invented_figure(market: Market) -> None:
    found = figures(at(with_closes(market, "MELQ", lambda close: np.full_like(close, 10.0)), date(2022, 9, 15)), "MELQ")
    assert "rsi_14" not in found  # TA-Lib says 0, which would read as oversold
    assert found["volatility_1m"] == 0
    assert found["return_1m"] == 0


def test_momentum_leaves_the_last_month_out(market: Market) -> None:
    view = at(market, date(2023, 11, 15))
    plain = figures(view, "BRQL")

    def jump(close: np.ndarray) -> np.ndarray:
        later = close.copy()
        later[len(view.sessions) - 21 :] *= 3
        return later

    jumped = figures(at(with_closes(market, "BRQL", jump), date(2023, 11, 15)), "BRQL")
    assert jumped["momentum_12_1"] == pytest.approx(plain["momentum_12_1"])
    assert jumped["return_1m"] == pytest.approx(3 * (1 + plain["return_1m"]) - 1, rel=0.02)


def test_older_history_than_the_look_back_changes_nothing(market: Market) -> None:
    bars, day = market.dataset.bars, date(2023, 11, 15)
    first = bars.sessions.index(day) - LOOKBACK + 1
    recent = Market(
        replace(market.dataset, bars=bars.select(bars.tickers, bars.sessions[first], bars.sessions[-1]), window=None)
    )
    for ticker in market.tickers:
        whole, cut = figures(at(market, day), ticker), figures(at(recent, day), ticker)
        assert whole == pytest.approx(cut, abs=1e-12)
        assert set(whole) == set(cut)


def test_a_volume_that_never_changed_is_no_volume() -> None:
    market = open_market("sp20")
    view = market.view(market.calendar.close_of(market.dataset.bars.sessions[-1]))
    assert "volume_ratio" not in {item.measure for item in indicators(view, "AAPL")}
