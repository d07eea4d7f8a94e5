"""Whatever is thrown at the broker, nothing that breaks a rule becomes an order there.

`PAPERDESK_HOSTILE_ORDERS` sets how many are thrown; the benchmark of the rules throws 100,000.
"""

import math
import os
import random
from collections import Counter
from datetime import UTC, date, datetime, timedelta
from typing import Any

import numpy as np

from paperdesk.tools.broker import OrderIntent, PortfolioSnapshot, VerdictToken
from paperdesk.tools.broker.simulated import Costs, SimulatedBroker
from paperdesk.tools.market.bars import Bars
from paperdesk.tools.rules import ActivityLog, MarketFacts, Policy, RuleContext, RuleEngine, load_policy

ORDERS = int(os.environ.get("PAPERDESK_HOSTILE_ORDERS", "4000"))
TICKERS = tuple(f"N{i}" for i in range(6))
BARRED = "N5"
ODD: list[Any] = [math.nan, math.inf, -math.inf, 1e308, -5.0, 0.0, 5e-324, True, "7", None, b"x", [1.0]]


def close_of(day: date) -> datetime:
    return datetime(day.year, day.month, day.day, 21, tzinfo=UTC)


def bars_of(rng: np.random.Generator, length: int) -> Bars:
    price = 40 * np.exp(np.cumsum(rng.normal(0, 0.01, (length, len(TICKERS))), axis=0))
    days = tuple(date(2031, 3, 3) + timedelta(days=i) for i in range(length))
    flat = np.ones(price.shape)
    return Bars(days, TICKERS, price, price, price, price, flat * 1e5, flat * 0, flat)


class Attack:
    """A desk that sends what it should not: unjudged, altered, reused, malformed and oversized orders."""

    def __init__(self, seed: int, policy: Policy) -> None:
        self.random = random.Random(seed)
        self.policy, self.engine = policy, RuleEngine(policy, b"a secret for tests only")
        self.log, self.number = ActivityLog(), 0
        self.tokens: list[tuple[OrderIntent, VerdictToken]] = []
        self.accepted: list[OrderIntent] = []
        self.seen: Counter[str] = Counter()
        self.broker = SimulatedBroker(
            bars_of(np.random.default_rng(seed), 40),
            cash=100_000,
            costs=Costs(volume_limit=None),
            authorise=self.authorise,
            close_of=close_of,
        )

    def authorise(self, order: OrderIntent, token: VerdictToken) -> None:
        account = self.broker.account()
        self.engine.authorise(order, token, state_version=account.version(), now=account.at)

    def context(self, account: PortfolioSnapshot) -> RuleContext:
        return RuleContext(
            portfolio=account,
            equity_previous_close=account.equity,
            equity_peak=account.equity,
            market={
                name: MarketFacts(
                    last_close=price,
                    last_session=account.at.date(),
                    age_sessions=0,
                    adv_shares=1e5,
                    tradable=True,
                    currency="USD",
                    asset_class="equity",
                    sector="A" if name < "N3" else "B",
                    newest_evidence_at=account.at,
                    edge_bps=5.0,
                )
                for name, price in account.prices.items()
            },
            activity=self.log.at(account.at),
            live=None,
            currency="USD",
            in_flight=tuple(self.accepted),
            fractional=False,
            now=account.at,
        )

    def order(self, account: PortfolioSnapshot) -> OrderIntent:
        """Of any size; one in four malformed."""
        pick, self.number = self.random, self.number + 1
        ticker = pick.choice((*TICKERS, "GHOST") if pick.random() < 0.1 else TICKERS)
        price = account.prices.get(ticker, 40.0)
        fields: dict[str, Any] = {
            "client_order_id": f"o{self.number if pick.random() < 0.9 else pick.randrange(50)}",
            "ticker": ticker,
            "side": pick.choice(["buy", "buy", "sell"]),
            "quantity": float(round(pick.random() ** 4 * account.equity / price)) or 1.0,
            "reference_price": price * (pick.choice([0.3, 1.5]) if pick.random() < 0.1 else 1.0),
            "decided_at": account.at + timedelta(days=pick.choice([0, 0, 0, 0, 1, -9])),
            "reduces": pick.random() < 0.1,
            "order_type": "market",
            "limit_price": None,
            "stop_price": None,
            "replaces": None,
        }
        if pick.random() < 0.25:
            fields[pick.choice(list(fields))] = pick.choice(ODD)
        return OrderIntent.model_construct(**fields)

    def token(self, order: OrderIntent, account: PortfolioSnapshot) -> tuple[str, OrderIntent, VerdictToken]:
        """By its rights, or by one of the ways around them."""
        way = self.random.choice(["judged"] * 6 + ["forged", "stolen", "altered", "grown", "late"])
        report = self.engine.judge(order, self.context(account))
        if way != "forged" and report.token and report.order:
            self.tokens = [*self.tokens[-20:], (report.order, report.token)]
            if way in ("judged", "late"):
                return way, report.order, report.token
            if way == "grown":
                return way, report.order.model_copy(update={"quantity": report.order.quantity * 10}), report.token
            if way == "altered":
                return way, report.order, report.token.model_copy(update={"terms": order.terms_hash()[::-1]})
        others = [token for other, token in self.tokens if other != report.order]
        if way == "stolen" and others:
            return way, order, self.random.choice(others)
        expires = account.at + timedelta(days=1)
        return "forged", order, VerdictToken(terms="t", policy="p", state_version="s", expires_at=expires, mac="m")

    def fire(self) -> None:
        account = self.broker.account()
        way, order, token = self.token(self.order(account), account)
        if way == "late":
            if self.broker.remaining:
                self.step()
            else:
                way = "judged"
        before = {row.client_order_id for row in self.broker.open_orders()}
        answer = self.broker.submit(order, token)
        new = {row.client_order_id for row in self.broker.open_orders()} - before
        self.seen[f"{way} {answer.status}"] += 1
        if new:
            assert way == "judged", f"an order that was {way} reached the broker: {order}"
            self.accepted.append(order)
            assert_within(self.policy, account, self.accepted)

    def step(self) -> None:
        self.broker.step()
        self.accepted = []


def assert_within(policy: Policy, account: PortfolioSnapshot, orders: list[OrderIntent]) -> None:
    """The limits, worked out anew from plain numbers."""
    equity, price, slack = account.equity, account.prices, 1 + 1e-9
    last = orders[-1]
    OrderIntent.model_validate(last.model_dump(), strict=True)
    assert last.ticker in TICKERS
    assert last.ticker != BARRED
    assert last.quantity == int(last.quantity)
    assert abs(last.reference_price / price[last.ticker] - 1) <= policy.price_collar
    assert len({order.client_order_id for order in orders}) == len(orders)
    entries = [order.ticker for order in orders if order.side == "buy"]
    assert len(set(entries)) == len(entries)
    assert not set(entries) & {order.ticker for order in orders if order.side == "sell"}
    for name in TICKERS:
        leaving = sum(order.quantity for order in orders if (order.ticker, order.side) == (name, "sell"))
        assert leaving <= account.positions.get(name, 0.0)
    if last.side == "sell":
        return
    bought = sum(o.quantity * max(o.reference_price, price[o.ticker]) for o in orders if o.side == "buy")
    sold = sum(o.quantity * min(o.reference_price, price[o.ticker]) for o in orders if o.side == "sell")
    after = (account.positions.get(last.ticker, 0.0) + last.quantity) * price[last.ticker]
    assert after <= policy.max_position_weight * equity * slack
    assert last.notional <= policy.max_order_notional_fraction * equity * slack
    assert last.quantity <= policy.max_adv_fraction * 1e5 * slack
    assert bought + sold <= policy.max_turnover * equity * slack
    cost = policy.cost_estimate_bps * 1e-4
    assert account.cash - bought * (1 + cost) + sold * (1 - cost) >= (policy.min_cash_weight - 1e-9) * equity


def test_nothing_that_breaks_a_rule_reaches_the_broker() -> None:
    policy = load_policy("standard").model_copy(update={"restricted": (BARRED,), "max_turnover": 0.8})
    attack, thrown, round_number = Attack(1, policy), 0, 1
    seen: Counter[str] = Counter()
    while thrown < ORDERS:
        for _ in range(min(12, ORDERS - thrown)):
            attack.fire()
            thrown += 1
        if not attack.broker.remaining:
            round_number += 1
            seen += attack.seen
            attack = Attack(round_number, policy)
        attack.step()
    seen += attack.seen
    assert sum(seen.values()) == thrown
    assert seen["judged accepted"] > 0.02 * thrown
    for way in ("forged", "stolen", "altered", "grown", "late"):
        assert seen[f"{way} rejected"] > 0.003 * thrown
        assert seen[f"{way} accepted"] == 0, way
