"""Whatever is asked, what is approved leaves a portfolio within the policy."""

from collections.abc import Callable
from datetime import UTC, date, datetime
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from paperdesk.tools.broker.protocol import OrderIntent, PortfolioSnapshot
from paperdesk.tools.rules import Activity, MarketFacts, Policy, RuleContext, RuleEngine, load_policy

Build = Callable[..., Any]
NOW = datetime(2023, 3, 31, 20, 0, tzinfo=UTC)
TICKERS = ("AURX", "BOLT", "CIRA", "DELV", "EONY")
ODD: st.SearchStrategy[Any] = st.sampled_from(
    [float("nan"), float("inf"), -float("inf"), 1e308, -5.0, 0.0, 5e-324, True, "7", None]
)


@st.composite
def accounts(draw: st.DrawFn) -> RuleContext:
    prices = {name: draw(st.floats(0.5, 900)) for name in TICKERS}
    held = {name: float(draw(st.integers(1, 500))) for name in TICKERS if draw(st.booleans())}
    cash = draw(st.floats(0, 300_000))
    equity = cash + sum(shares * prices[name] for name, shares in held.items())
    market = {
        name: MarketFacts(
            last_close=price,
            last_session=date(2023, 3, 31),
            age_sessions=draw(st.integers(0, 1)),
            adv_shares=draw(st.floats(100, 1e6)),
            tradable=draw(st.integers(0, 9)) > 0,
            currency="USD",
            asset_class="equity",
            sector=draw(st.sampled_from(["Energy", "Health", None])),
            newest_evidence_at=NOW,
            edge_bps=10.0,
        )
        for name, price in prices.items()
    }
    equity = equity or 1.0
    return RuleContext(
        portfolio=PortfolioSnapshot(at=NOW, cash=cash, equity=equity, positions=held, prices=prices),
        equity_previous_close=equity * draw(st.floats(0.95, 1.05)),
        equity_peak=equity * draw(st.floats(1.0, 1.7)),
        market=market,
        activity=Activity.none(),
        live=None,
        currency="USD",
        fractional=draw(st.booleans()),
        now=NOW,
    )


@st.composite
def policies(draw: st.DrawFn) -> Policy:
    """Any limits; those that stop the desk as a whole are left wide, or little would be approved."""
    limits = {
        "max_position_weight": draw(st.floats(0.1, 1.0)),
        "max_order_notional_fraction": draw(st.floats(0.2, 1.0)),
        "max_gross": draw(st.floats(0.3, 1.2)),
        "min_cash_weight": draw(st.floats(0.0, 0.4)),
        "max_positions": draw(st.integers(1, 5)),
        "max_turnover": draw(st.floats(0.2, 2.0)),
        "max_adv_fraction": draw(st.floats(0.01, 1.0)),
        "credit_in_flight_sells": draw(st.booleans()),
        "daily_loss_limit": 0.5,
    }
    return load_policy("lenient").model_copy(update=limits)


@st.composite
def orders(draw: st.DrawFn, context: RuleContext) -> OrderIntent:
    """Two in three well meant but of any size, the others hostile."""
    hostile = draw(st.integers(0, 2)) == 0
    ticker = draw(st.sampled_from([*TICKERS, "GHOST"] if hostile else TICKERS))
    price = context.portfolio.prices.get(ticker, 10.0) * draw(st.floats(0.8, 1.2))
    size = draw(st.floats(0.01, 1.0)) * context.equity / price
    return OrderIntent.model_construct(
        client_order_id=f"o{draw(st.integers(0, 9))}",
        ticker=ticker,
        side=draw(st.sampled_from(["buy", "buy", "sell"])),
        quantity=draw(ODD) if hostile else max(1.0, float(round(size))),
        reference_price=draw(ODD) if hostile and draw(st.booleans()) else price,
        decided_at=NOW,
        reduces=hostile,
    )


@settings(max_examples=150, deadline=None)
@given(data=st.data(), context=accounts(), policy=policies())
def test_what_is_approved_leaves_the_portfolio_within_the_policy(
    data: st.DataObject, context: RuleContext, policy: Policy
) -> None:
    engine = RuleEngine(policy, b"a secret for tests only")
    approved: list[OrderIntent] = []
    here = context
    for _ in range(6):
        order = data.draw(orders(context))
        report = engine.judge(order, here)
        if report.order is not None:
            OrderIntent.model_validate(report.order.model_dump(), strict=True)
            assert report.order.quantity <= order.quantity
            approved.append(report.order)
            here = here.after(report.order)
    assert len({order.client_order_id for order in approved}) == len(approved)
    _assert_within(policy, context, approved)


def _assert_within(policy: Policy, context: RuleContext, approved: list[OrderIntent]) -> None:
    book, slack = context.portfolio, 1 + 1e-9
    sold = {name: sum(o.quantity for o in approved if o.ticker == name and o.side == "sell") for name in TICKERS}
    bought = {name: sum(o.quantity for o in approved if o.ticker == name and o.side == "buy") for name in TICKERS}
    for name in TICKERS:
        assert sold[name] <= book.positions.get(name, 0.0) * slack
    buys = [order for order in approved if order.side == "buy"]
    if not buys:
        return
    after = {name: book.positions.get(name, 0.0) + bought[name] - sold[name] for name in TICKERS}
    for name in {order.ticker for order in buys}:
        assert after[name] * book.prices[name] <= policy.max_position_weight * book.equity * slack
    rate = policy.cost_estimate_bps * 1e-4
    spent = sum(order.notional for order in buys) * (1 + rate)
    gained = sum(order.notional for order in approved if order.side == "sell") * (1 - rate)
    # An order approved late may sell what an earlier buy did not count on: more cash, never less.
    assert book.cash + gained - spent >= (policy.min_cash_weight - 1e-9) * book.equity
    gross = sum(shares * book.prices[name] for name, shares in after.items())
    assert gross <= policy.max_gross * book.equity * slack
    last = max(i for i, order in enumerate(approved) if order.side == "buy")
    turned = sum(order.notional for order in approved[: last + 1])
    assert turned <= policy.max_turnover * book.equity * slack
    held = {name for name, shares in book.positions.items() if shares > 0}
    opened = {order.ticker for order in buys} - held
    assert not opened or sum(shares > 0 for shares in after.values()) <= policy.max_positions


@pytest.mark.parametrize("value", [float("nan"), float("inf"), 1e308, -1.0, 0.0, True, "7", None])
@pytest.mark.parametrize("field", ["quantity", "reference_price"])
def test_an_order_built_past_its_validation_is_vetoed_with_a_clean_report(
    field: str, value: object, engine: Build, order: Build, context: Build
) -> None:
    fields = {**order().model_dump(), field: value}
    report = engine().judge(OrderIntent.model_construct(**fields), context())
    assert report.verdict == "veto"
    assert type(report).model_validate_json(report.model_dump_json()) == report


def test_an_order_without_fields_is_vetoed(engine: Build, context: Build) -> None:
    nothing: dict[str, Any] = {}
    assert engine().judge(OrderIntent.model_construct(**nothing), context()).verdict == "veto"


def test_a_buy_that_claims_to_reduce_gets_no_exit_s_privileges(engine: Build, order: Build, context: Build) -> None:
    report = engine().judge(order(reduces=True), context())
    assert report.issues[0].rule == "well_formed"
