"""A small account to judge orders in: 100,000 of equity, 60,000 of it cash, 400 AURX at 100."""

from collections.abc import Callable
from datetime import UTC, date, datetime
from typing import Any

import pytest

from paperdesk.tools.broker.protocol import OrderIntent, PortfolioSnapshot
from paperdesk.tools.rules import Activity, MarketFacts, Policy, RuleContext, RuleEngine, load_policy

NOW = datetime(2023, 3, 31, 20, 0, tzinfo=UTC)
SECRET = b"a secret for tests only"


@pytest.fixture(scope="session")
def facts() -> Callable[..., MarketFacts]:
    def build(**changes: Any) -> MarketFacts:
        usual = {
            "last_close": 50.0,
            "last_session": date(2023, 3, 31),
            "age_sessions": 0,
            "adv_shares": 1_000_000.0,
            "tradable": True,
            "currency": "USD",
            "asset_class": "equity",
            "sector": None,
            "newest_evidence_at": NOW,
            "edge_bps": 20.0,
            "tick_size": 0.01,
        }
        return MarketFacts(**{**usual, **changes})

    return build


@pytest.fixture(scope="session")
def context(facts: Callable[..., MarketFacts]) -> Callable[..., RuleContext]:
    def build(**changes: Any) -> RuleContext:
        prices = {"AURX": 100.0, "BOLT": 50.0, "CIRA": 20.0}
        book = PortfolioSnapshot(at=NOW, cash=60_000.0, equity=100_000.0, positions={"AURX": 400.0}, prices=prices)
        usual = {
            "portfolio": book,
            "equity_previous_close": 100_000.0,
            "equity_peak": 100_000.0,
            "market": {name: facts(last_close=price) for name, price in prices.items()},
            "activity": Activity.none(),
            "live": None,
            "currency": "USD",
            "fractional": False,
            "now": NOW,
        }
        return RuleContext(**{**usual, **changes})

    return build


@pytest.fixture(scope="session")
def order() -> Callable[..., OrderIntent]:
    """A buy of 100 BOLT at 50 (5 % of equity) unless told otherwise."""

    def build(**changes: Any) -> OrderIntent:
        usual = {
            "client_order_id": "a1",
            "ticker": "BOLT",
            "side": "buy",
            "quantity": 100.0,
            "reference_price": 50.0,
            "decided_at": NOW,
        }
        return OrderIntent(**{**usual, **changes})

    return build


@pytest.fixture(scope="session")
def policy() -> Callable[..., Policy]:
    standard = load_policy("standard")

    def build(**changes: Any) -> Policy:
        return Policy(**{**standard.model_dump(), "max_in_flight_per_side": 10, **changes})

    return build


@pytest.fixture(scope="session")
def engine(policy: Callable[..., Policy]) -> Callable[..., RuleEngine]:
    def build(secret: bytes = SECRET, **changes: Any) -> RuleEngine:
        return RuleEngine(policy(**changes), secret)

    return build
