"""Opponents do what they say, on what was known."""

from dataclasses import replace

import numpy as np
import pytest

from paperdesk.simulations.account import accounts_of
from paperdesk.simulations.config import SessionConfig
from paperdesk.simulations.evaluation.baselines import follow
from paperdesk.simulations.evaluation.chance import random_track, trades_by_decision
from paperdesk.simulations.evaluation.strategies import bonds_of, held, strategies, targets_of
from paperdesk.simulations.window import window_of
from paperdesk.tools.broker.protocol import Fill
from paperdesk.tools.market.records import Company
from paperdesk.tools.market.view import Market, open_market

CONFIG = SessionConfig(model="scorecard")
MARKET = open_market("generated")
WINDOW = window_of(CONFIG, MARKET)


def changed_after(market: Market, row: int) -> Market:
    """The market with all prices after a session multiplied by noise."""
    bars, noise = market.dataset.bars, np.random.default_rng(3).uniform(0.5, 2.0, market.dataset.bars.close.shape)
    noise[: row + 1] = 1.0
    prices = {name: getattr(bars, name) * noise for name in ("open", "high", "low", "close")}
    return Market(replace(market.dataset, bars=replace(bars, **prices)))


def test_no_rule_sees_beyond_its_view() -> None:
    sessions = MARKET.dataset.bars.sessions
    for day in WINDOW.decisions[::4]:
        other = changed_after(MARKET, sessions.index(day))
        as_of = MARKET.calendar.close_of(day)
        for rule in strategies(MARKET, 0.95):
            found = rule.weigh(MARKET.view(as_of), MARKET.tickers)
            assert found == rule.weigh(other.view(as_of), MARKET.tickers), rule.name


@pytest.mark.parametrize("rule", strategies(MARKET, 0.95), ids=lambda rule: rule.name)
def test_weights_are_those_of_a_long_account(rule) -> None:
    for day in WINDOW.decisions:
        found = rule.weigh(MARKET.view(MARKET.calendar.close_of(day)), MARKET.tickers)
        assert set(found) <= set(MARKET.tickers)
        assert all(weight >= -1e-9 for weight in found.values())
        assert sum(found.values()) <= 1 + 1e-6


def test_momentum_holds_the_third_that_rose_most() -> None:
    rule = next(r for r in strategies(MARKET, 0.95) if r.name == "momentum 12-1")
    view = MARKET.view(MARKET.calendar.close_of(WINDOW.decisions[5]))
    growth = {name: float(np.prod(1 + view.returns([name], 252)[name].to_numpy()[:-21])) for name in MARKET.tickers}
    best = sorted(growth, key=lambda name: -growth[name])[: round(len(growth) / 3)]
    assert rule.weigh(view, MARKET.tickers) == {name: 1 / len(best) for name in best}


def test_a_position_follows_the_last_signal() -> None:
    yes, no = True, False
    assert not held(np.array([no, no]), np.array([no, no]))
    assert held(np.array([yes, no, no]), np.array([no, no, no]))
    assert not held(np.array([yes, no, no]), np.array([no, no, yes]))
    assert held(np.array([yes, no, yes]), np.array([no, yes, no]))


def test_sixty_forty_needs_bonds_and_splits_as_it_says() -> None:
    assert bonds_of(MARKET) == ()
    first, *others = MARKET.tickers
    companies = {**MARKET.companies, first: Company(first, "Long Treasury Fund", "Bonds")}
    market = Market(replace(MARKET.dataset, companies=companies))
    rule = strategies(market, 0.95)[0]
    assert rule.name == "60/40"
    found = rule.weigh(market.view(market.calendar.close_of(WINDOW.decisions[0])), market.tickers)
    assert found[first] == pytest.approx(0.4)
    assert sum(found[name] for name in others) == pytest.approx(0.6)


def test_a_rule_trades_on_the_ledger_at_its_costs() -> None:
    rule = next(r for r in strategies(MARKET, 0.95) if r.name == "volatility target")
    accounts = accounts_of(CONFIG, MARKET, WINDOW)
    track = follow(rule.name, accounts, WINDOW.universe, WINDOW.decisions, targets_of(rule, MARKET, WINDOW.universe))
    assert len(track.equity) == len(WINDOW.sessions)
    assert track.trading.costs > 0
    assert track.trading.costs / track.trading.traded * 1e4 == pytest.approx(6.0, rel=0.02)


def fills(parts: dict[str, float], day_after: int) -> list[Fill]:
    session = WINDOW.sessions[day_after]
    return [
        Fill(
            client_order_id=f"{session}{name}", ticker=name, side="buy" if part > 0 else "sell",
            quantity=abs(part) * 1e6 / 100, price=100.0, open_price=100.0, commission=1.0, session=session,
        )
        for name, part in parts.items()
    ]  # fmt: skip


def test_random_accounts_trade_as_much_as_the_desk_in_other_names() -> None:
    a, b, c, *_ = MARKET.tickers
    second = WINDOW.sessions.index(WINDOW.decisions[1]) + 1
    done = [*fills({a: 0.25, b: 0.25}, 1), *fills({a: -0.2, c: 0.2}, second)]
    trades = trades_by_decision(done, WINDOW.decisions, dict.fromkeys(WINDOW.decisions, 1e6))
    assert trades[WINDOW.decisions[0]].purchases == pytest.approx((0.25, 0.25))
    assert trades[WINDOW.decisions[1]].sales == pytest.approx((0.2,))
    accounts = accounts_of(CONFIG, MARKET, WINDOW)
    tracks = [
        random_track(accounts, WINDOW.universe, trades, 0.3, np.random.default_rng(seed)) for seed in (1, 2, 3, 1)
    ]
    for track in tracks:  # parts of an equity that moves between the decisions
        assert track.trading.traded == pytest.approx(0.9e6, rel=0.1)
        assert track.trading.fills == 4
    assert tracks[0].equity.equals(tracks[3].equity)
    assert not tracks[0].equity.equals(tracks[1].equity)


def test_a_purchase_goes_no_further_than_the_desks_own_limit() -> None:
    a, *_ = MARKET.tickers
    trades = trades_by_decision(fills({a: 0.9}, 1), WINDOW.decisions, dict.fromkeys(WINDOW.decisions, 1e6))
    track = random_track(accounts_of(CONFIG, MARKET, WINDOW), WINDOW.universe, trades, 0.3, np.random.default_rng(0))
    assert track.trading.fills == 3  # 0.3 each
    assert track.trading.traded == pytest.approx(0.9e6, rel=0.03)
