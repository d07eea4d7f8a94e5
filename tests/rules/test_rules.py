"""Each rule stops what it is there for, and nothing else would have."""

from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime, timedelta
from types import MappingProxyType
from typing import Any, NamedTuple

import pytest

from paperdesk.tools.broker.protocol import OrderIntent, Quote
from paperdesk.tools.rules import (
    RULES,
    Activity,
    Finding,
    LiveFacts,
    MarketFacts,
    Policy,
    RuleContext,
    RuleEngine,
    sanity,
)
from paperdesk.tools.rules.activity import RecentOrder

Build = Callable[..., Any]
SECRET = b"a secret for tests only"
NOTHING: Mapping[str, Any] = MappingProxyType({})
NOW = datetime(2023, 3, 31, 20, 0, tzinfo=UTC)
LATER = NOW + timedelta(minutes=1)


class Case(NamedTuple):
    rule: str
    quantity: float | None
    """Shares permitted; None: vetoed."""
    order: Mapping[str, Any] = NOTHING
    policy: Mapping[str, Any] = NOTHING
    facts: Mapping[str, Any] = NOTHING
    """Of BOLT, the ticker of the order unless told otherwise."""
    context: Mapping[str, Any] = NOTHING
    flying: tuple[Mapping[str, Any], ...] = ()
    message: str = ""


OTHER = {"client_order_id": "b2", "ticker": "CIRA", "reference_price": 20.0}
SELL = {"ticker": "AURX", "side": "sell", "reference_price": 100.0, "reduces": True}
LIMIT = {"order_type": "limit", "limit_price": 50.0}
STOP = {**SELL, "order_type": "stop", "stop_price": 90.0, "quantity": 100.0}
STOPPED = {**STOP, "client_order_id": "st"}
AGAINST = {**OTHER, "ticker": "AURX", "reference_price": 100.0}
SAME_SIDE = {"client_order_id": "b2", "quantity": 7.0}
SHORTS = {"permissions": {"equity": ("buy", "sell")}}
EARNINGS = {"ticker": "BOLT", "first": date(2023, 3, 30), "last": date(2023, 3, 31), "why": "earnings"}
SENT = RecentOrder(ticker="BOLT", side="buy", quantity=100.0, price=50.0, at=NOW - timedelta(minutes=30))
SOLD = SENT.model_copy(update={"side": "sell"})


def active(**changes: Any) -> Activity:
    return Activity.none().model_copy(update=changes)


def quote(**changes: Any) -> Quote:
    usual = {"bid": 50.0, "ask": 50.05, "bid_shares": 500.0, "ask_shares": 500.0, "at": NOW}
    return Quote(**{**usual, **changes})


def live(**changes: Any) -> LiveFacts:
    usual = {
        "connected": True,
        "latency_ms": 20.0,
        "self_test_at": NOW,
        "minutes_to_close": 300.0,
        "quotes": {"BOLT": quote()},
        "broker_positions": {"AURX": 400.0},
    }
    return LiveFacts(**{**usual, **changes})


TIERS = [
    {"drawdown": 0.1, "action": "half_size"},
    {"drawdown": 0.2, "action": "reduce_only"},
    {"drawdown": 0.3, "action": "halt"},
]

CASES = [
    Case("tradable", None, facts={"tradable": False}, message="halted or delisted"),
    Case("tradable", None, facts={"tradable": False}, order={"side": "buy"}),
    Case("decided_in_the_past", None, order={"decided_at": LATER}, message="check the clock"),
    Case("reference_fresh", None, facts={"age_sessions": 2}, message="2 sessions old (limit 1)"),
    Case("price_collar", None, order={"reference_price": 61.0}, message="22.0% off"),
    Case("price_collar", None, order={"reference_price": 39.0}),
    Case("new_client_id", None, context={"known_client_ids": frozenset({"a1"})}, message="was sent before"),
    Case("new_terms", None, flying=({"client_order_id": "b2"},), message="in flight already"),
    Case("lot_size", 10, order={"quantity": 10.7}, message="whole shares"),
    Case("holdings", 400, order={**SELL, "quantity": 401.0}, message="Only 400 AURX"),
    Case(
        "holdings", 100, order={**SELL, "quantity": 150.0}, flying=({**SELL, "client_order_id": "b2", "quantity": 300},)
    ),
    Case("may_open", None, order={"side": "sell"}, facts={"borrowable_shares": 1e6}, message="be sold short"),
    Case("restricted_list", None, policy={"restricted": ("BOLT",)}, message="restricted list"),
    Case("restricted_list", None, policy={"restricted": ("AURX",)}, order=SELL),
    Case("allowed_list", None, policy={"allowed": ("AURX",)}, message="allow-list"),
    Case("max_order_quantity", 60, policy={"max_order_quantity": 60.0}, message="more than the 60 shares"),
    Case("max_order_notional", 80, policy={"max_order_notional_fraction": 0.04}, message="5.0% of equity (limit 4.0%)"),
    Case("min_order_notional", None, order={"quantity": 3.0}, policy={"min_order_notional": 151.0}, message="150.00"),
    Case("adv_share", 60, facts={"adv_shares": 1200.0}, message="8.3% of its average daily volume"),
    Case("adv_share", 20, facts={"adv_shares": 1200.0}, flying=({"client_order_id": "b2", "quantity": 40.0},)),
    Case("adv_share", None, facts={"adv_shares": None}, message="No average volume"),
    Case("position_weight", 80, policy={"max_position_weight": 0.04}, message="5.0% of equity (limit 4.0%)"),
    Case(
        "position_weight", 50, policy={"max_position_weight": 0.06}, flying=({"client_order_id": "b2", "quantity": 70},)
    ),
    Case("position_weight", None, {**OTHER, "ticker": "AURX", "reference_price": 100.0}, {"max_position_weight": 0.39}),
    Case("gross_exposure", 40, policy={"max_gross": 0.42}, message="45.0% of equity"),
    Case("gross_exposure", 20, policy={"max_gross": 0.42}, flying=({**OTHER, "quantity": 50},)),
    Case("cash_floor", 99, policy={"min_cash_weight": 0.55}, message="in cash (at least 55.0%)"),
    Case("cash_floor", 79, policy={"min_cash_weight": 0.55}, flying=({**OTHER, "quantity": 50},)),
    Case("position_count", None, policy={"max_positions": 1}, message="position number 2"),
    Case("position_count", None, policy={"max_positions": 2}, flying=({**OTHER, "quantity": 50},)),
    Case("turnover_budget", 60, policy={"max_turnover": 0.03}, message="turn over 5.0%"),
    Case(
        "turnover_budget",
        20,
        policy={"max_turnover": 0.03},
        flying=({**SELL, "client_order_id": "b2", "quantity": 20},),
    ),
    Case("currency", None, facts={"currency": "EUR"}, message="quoted in EUR, the account is in USD"),
    Case("currency", None, facts={"currency": None}, message="no known currency"),
    Case("repeated_terms", None, context={"activity": active(recent=(SENT,))}, message="look that one up"),
    Case("self_trade", None, order={**SELL, "quantity": 50.0}, flying=(AGAINST,), message="cancel it before you sell"),
    Case("protective_stop", None, order={"replaces": "zz"}, message="no order zz in flight"),
    Case("protective_stop", None, order={**STOP, "stop_price": 89.0, "replaces": "st"}, flying=(STOPPED,)),
    Case("protective_stop", None, order={**SELL, "replaces": "st"}, flying=(STOPPED,), message="only a person removes"),
    Case("clock_runs_forward", None, context={"activity": active(last_seen=LATER)}, message="check the clock"),
    Case("order_age", None, order={"decided_at": NOW - timedelta(days=2)}, message="decided 2,880 minutes ago"),
    Case("evidence_fresh", None, facts={"newest_evidence_at": None}, message="No evidence on BOLT"),
    Case("evidence_fresh", None, facts={"newest_evidence_at": LATER}, message="check the clock"),
    Case("evidence_fresh", None, facts={"newest_evidence_at": NOW - timedelta(days=31)}, message="31 days old"),
    Case("on_tick", None, order={**LIMIT, "limit_price": 49.995}, facts={"tick_size": 0.01}, message="round it"),
    Case("on_tick", None, order=LIMIT, facts={"tick_size": None}, message="tick size of BOLT is not known"),
    Case("price_collar", None, order={**LIMIT, "limit_price": 39.0}, facts={"tick_size": 0.01}, message="limit price"),
    Case("edge", None, facts={"edge_bps": None}, message="No expected return"),
    Case("edge", None, facts={"edge_bps": -51.0}, message="at least -50"),
    Case("edge", None, facts={"edge_bps": 2001.0}, message="check the forecast"),
    Case("event_window", None, policy={"event_windows": (EARNINGS,)}, message="earnings"),
    Case("event_window", None, policy={"event_windows": ({**EARNINGS, "ticker": "*"},)}),
    Case("may_open", None, facts={"asset_class": None}, message="asset class of BOLT is not known"),
    Case("may_open", None, facts={"asset_class": "crypto"}, message="no crypto be bought"),
    Case(
        "edge",
        None,
        order={"side": "sell"},
        policy=SHORTS,
        facts={"borrowable_shares": 1e6, "edge_bps": 20.0, "cost_bps": 20.0},
        message="expected to earn -60.0 bp after costs",
    ),
    Case("short_locate", None, order={"side": "sell"}, policy=SHORTS, message="locate them"),
    Case("short_locate", 40, order={"side": "sell"}, policy=SHORTS, facts={"borrowable_shares": 40.0}),
    Case("order_type", None, order=LIMIT, policy={"order_types": ("market",)}, facts={"tick_size": 0.01}),
    Case(
        "in_flight_per_side", None, policy={"max_in_flight_per_side": 1}, flying=(SAME_SIDE,), message="wait for them"
    ),
    Case("nothing_unclear", None, context={"unknown_orders": ("q7",)}, message="q7: look them up"),
    Case("message_rate", None, context={"activity": active(orders_last_minute=600)}, message="order 601"),
    Case("orders_a_day", None, context={"activity": active(orders_today=2000)}, message="order 2001 today"),
    Case("cancels_a_day", None, context={"activity": active(cancels_today=1001)}, message="cancelled today"),
    Case("fills_a_day", None, context={"activity": active(fills_today=1000)}, message="1000 fills today"),
    Case("unattended_fills", None, context={"activity": active(unattended_fills=500)}, message="enable the desk"),
    Case("loss_streak", None, context={"activity": active(consecutive_losses=10, sessions_since_loss=1)}),
    Case("wash_trade", None, context={"activity": active(recent=(SOLD,))}, message="looks like a wash"),
    Case("pattern_day_trading", None, policy={"day_trading_equity": 2e5}, context={"activity": active(day_trades=3)}),
    Case("connected", None, context={"live": live(connected=None)}, message="connect before"),
    Case("quote", None, context={"live": live(quotes={"BOLT": quote(ask=50.5)})}, message="spread of BOLT is 100 bp"),
    Case("quote", None, context={"live": live(quotes={"BOLT": quote(ask=49.9)})}, message="crossed"),
    Case("quote", None, context={"live": live(quotes={"BOLT": quote(at=NOW - timedelta(seconds=20))})}),
    Case("quote", None, context={"live": live(quotes={"BOLT": quote(at=LATER)})}, message="from the future"),
    Case("shown_size", 60, context={"live": live(quotes={"BOLT": quote(ask_shares=20.0)})}, message="Only 20 BOLT"),
    Case("latency", None, context={"live": live(latency_ms=None)}, message="is not known"),
    Case("latency", None, context={"live": live(latency_ms=2001.0)}, message="2001 ms"),
    Case("self_test", None, context={"live": live(self_test_at=None)}, message="run the self-test"),
    Case("self_test", None, context={"live": live(self_test_at=NOW - timedelta(days=1))}, message="repeat it"),
    Case("marking_the_close", None, context={"live": live(minutes_to_close=4.0)}, message="closes in 4 minutes"),
    Case("marking_the_close", None, context={"live": live(minutes_to_close=None)}, message="not known"),
    Case("ledger_equals_broker", None, context={"live": live(broker_positions={"AURX": 401.0})}, message="reconcile"),
    Case("ledger_equals_broker", None, context={"live": live(broker_positions=None)}, message="ask for them"),
    Case("sector_weight", 40, policy={"max_sector_weight": 0.42}, message="unclassified would be 45.0%"),
    Case("sector_weight", 30, policy={"max_sector_weight": 0.015}, facts={"sector": "Energy"}),
    Case("net_exposure", 40, policy={"max_net": 0.42}, message="45.0% of equity"),
    Case("trade_risk", 66, policy={"max_trade_risk": 0.001}, message="could lose 0.15%"),
    Case("cost_budget", 50, policy={"max_cost_fraction": 0.00005}, message="would cost 0.01%"),
    Case("cash_floor", 19, policy={"min_cash_weight": 0.55}, context={"unsettled_cash": 4000.0}),
    Case("daily_loss", None, context={"equity_previous_close": 109_000.0}, message="only exits pass"),
    Case("daily_loss", 62, policy={"daily_loss_limit": 0.001}),
    Case("daily_loss", 42, policy={"daily_loss_limit": 0.001}, flying=({**OTHER, "quantity": 50},)),
    Case(
        "drawdown",
        20,
        policy={"drawdown_tiers": TIERS, "max_position_weight": 0.02},
        context={"equity_peak": 115_000.0},
    ),
    Case("drawdown", None, policy={"drawdown_tiers": TIERS}, context={"equity_peak": 126_000.0}, message="only exits"),
    Case("drawdown", None, SELL, {"drawdown_tiers": TIERS}, context={"equity_peak": 150_000.0}, message="halted"),
]


@pytest.mark.parametrize("case", CASES, ids=[f"{case.rule}-{i}" for i, case in enumerate(CASES)])
def test_a_rule_stops_what_it_is_there_for_and_no_other_rule_would(
    case: Case, order: Build, context: Build, policy: Build, facts: Build
) -> None:
    here = context(**case.context, in_flight=tuple(order(**terms) for terms in case.flying))
    here = here.model_copy(update={"market": {**here.market, "BOLT": facts(**case.facts)}})
    asked = order(**case.order)
    report = RuleEngine(policy(**case.policy), SECRET).judge(asked, here)

    finding = next(row for row in report.findings if row.rule == case.rule)
    assert finding.severity == ("veto" if case.quantity is None else "clamp")
    assert case.message in finding.message
    assert (report.order.quantity if report.order else None) == case.quantity

    without = tuple(rule for rule in RULES if rule.name != case.rule)
    lax = RuleEngine(policy(**case.policy), SECRET, without).judge(asked, here)
    assert lax.order is not None
    assert case.quantity is None or lax.order.quantity > case.quantity


def test_every_rule_has_a_case() -> None:
    special = {"kill_switch", "watch_list", "ledger_complete"}
    assert {rule.name for rule in RULES} == {case.rule for case in CASES} | special


def test_an_ordinary_order_is_approved_with_value_and_limit_of_every_rule(
    engine: Build, order: Build, context: Build
) -> None:
    report = engine().judge(order(), context())
    assert report.verdict == "approve"
    assert report.issues == ()
    weight = next(row for row in report.findings if row.rule == "position_weight")
    assert (weight.value, weight.limit) == (0.05, 0.35)
    assert len(report.findings) >= 18


def test_a_report_survives_json(engine: Build, order: Build, context: Build) -> None:
    report = engine(max_position_weight=0.04).judge(order(), context())
    assert type(report).model_validate_json(report.model_dump_json()) == report


def test_the_watch_list_only_warns(engine: Build, order: Build, context: Build) -> None:
    report = engine(watch=("BOLT",)).judge(order(), context())
    assert report.verdict == "approve"
    assert [row.severity for row in report.issues] == ["warn"]


@pytest.mark.parametrize(
    "change",
    [
        {"equity": 99_000.0},
        {"cash": 60_001.0},
        {"prices": {"BOLT": 50.0}},
    ],
)
def test_nothing_is_bought_on_a_ledger_that_does_not_add_up_but_exits_pass(
    change: dict[str, Any], engine: Build, order: Build, context: Build
) -> None:
    here = context()
    here = here.model_copy(update={"portfolio": here.portfolio.model_copy(update=change)})
    report = engine().judge(order(), here)
    assert report.verdict == "veto"
    assert "ledger_complete" in {row.rule for row in report.issues}
    assert engine().judge(order(**SELL), here).verdict == "approve"


def test_an_exit_passes_every_entry_limit(engine: Build, order: Build, context: Build, facts: Build) -> None:
    here = context(equity_previous_close=200_000.0, equity_peak=140_000.0)
    here = here.model_copy(update={"market": {"AURX": facts(last_close=100.0, adv_shares=1.0)}})
    tight = engine(
        max_order_quantity=1.0,
        max_order_notional_fraction=0.001,
        min_order_notional=1e6,
        max_position_weight=0.01,
        max_gross=0.01,
        min_cash_weight=1.0,
        max_turnover=0.001,
        allowed=("BOLT",),
    )
    assert tight.judge(order(**SELL, quantity=400.0), here).verdict == "approve"
    assert tight.judge(order(**{**SELL, "side": "buy", "reduces": False}), here).verdict == "veto"


def test_a_clamped_order_that_has_become_too_small_is_vetoed(engine: Build, order: Build, context: Build) -> None:
    report = engine(max_position_weight=0.01, min_order_notional=2_000.0).judge(order(), context())
    assert report.verdict == "veto"
    assert [row.rule for row in report.findings if row.severity == "veto"] == ["min_order_notional"]


def test_a_clamp_below_one_share_is_a_veto_unless_shares_are_divisible(
    engine: Build, order: Build, context: Build
) -> None:
    tight = {"max_position_weight": 0.0004, "min_order_notional": 0.0}
    assert engine(**tight).judge(order(), context()).verdict == "veto"
    report = engine(**tight).judge(order(), context(fractional=True))
    assert report.verdict == "clamp"
    assert report.order.quantity == pytest.approx(0.8)


def test_sells_in_flight_free_cash_only_where_the_policy_says_so(engine: Build, order: Build, context: Build) -> None:
    selling = context(in_flight=(order(**SELL, client_order_id="b2", quantity=400.0),))
    big = {"min_cash_weight": 0.6, "max_turnover": 2.0}
    assert engine(**big).judge(order(), selling).verdict == "approve"
    assert engine(**big, credit_in_flight_sells=False).judge(order(), selling).verdict == "veto"


def test_a_rule_that_raises_vetoes_with_its_reason(policy: Build, order: Build, context: Build) -> None:
    @sanity
    def broken(order: OrderIntent, context: RuleContext, policy: Policy) -> Finding | None:
        raise ZeroDivisionError("no volume")

    report = RuleEngine(policy(), SECRET, (*RULES, broken)).judge(order(), context())
    assert report.verdict == "veto"
    assert report.issues[0].message == "The rule broken broke (ZeroDivisionError: no volume): nothing passes."


@pytest.mark.parametrize("missing", ["last_close", "last_session", "age_sessions"])
def test_missing_market_data_blocks_even_an_exit(
    missing: str, engine: Build, order: Build, context: Build, facts: Build
) -> None:
    partial: MarketFacts = facts(**{"last_close": 100.0, missing: None})
    here = context(market={"AURX": partial})
    assert engine().judge(order(**SELL), here).issues[0].rule == "known_instrument"
    assert (
        engine().judge(order(), here).explain()
        == "BOLT is unknown to the market: trade only instruments of the data set."
    )


def test_orders_of_one_decision_cannot_use_the_same_room(engine: Build, order: Build, context: Build) -> None:
    orders = [order(client_order_id=f"c{i}", quantity=300.0 + i) for i in range(4)]
    judged = engine(max_position_weight=0.40, max_turnover=2.0).judge_all(orders, context())
    bought = sum(row.report.order.quantity for row in judged if row.report.order)
    assert bought * 50 <= 40_000
    assert [row.report.verdict for row in judged] == ["approve", "approve", "clamp", "veto"]


def test_sells_are_judged_before_buys(engine: Build, order: Build, context: Build) -> None:
    judged = engine().judge_all([order(), order(**SELL, client_order_id="b2")], context())
    assert [row.order.side for row in judged] == ["sell", "buy"]
