"""A verdict token permits one submission of one order, here and now."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from paperdesk.tools.rules import PolicyError, RuleError

Build = Callable[..., Any]


def test_a_token_works_once(engine: Build, order: Build, context: Build) -> None:
    desk, here = engine(), context()
    report = desk.judge(order(), here)
    state = {"state_version": here.portfolio.version(), "now": here.now}
    desk.authorise(report.order, report.token, **state)
    with pytest.raises(RuleError, match="was used before"):
        desk.authorise(report.order, report.token, **state)


def test_a_refused_attempt_does_not_use_the_token_up(engine: Build, order: Build, context: Build) -> None:
    desk, here = engine(), context()
    report = desk.judge(order(), here)
    with pytest.raises(RuleError):
        desk.authorise(report.order, report.token, state_version="other", now=here.now)
    desk.authorise(report.order, report.token, state_version=here.portfolio.version(), now=here.now)


@pytest.mark.parametrize(
    ("terms", "arguments", "message"),
    [
        ({"quantity": 101.0}, {}, "terms are not those"),
        ({"ticker": "CIRA"}, {}, "terms are not those"),
        ({}, {"state_version": "later"}, "portfolio has changed"),
        ({}, {"late": timedelta(minutes=1440)}, "expired"),
    ],
)
def test_other_terms_another_state_or_a_late_submission_are_refused(
    terms: dict[str, Any], arguments: dict[str, Any], message: str, engine: Build, order: Build, context: Build
) -> None:
    desk, here = engine(), context()
    report = desk.judge(order(), here)
    with pytest.raises(RuleError, match=message):
        desk.authorise(
            order(**terms),
            report.token,
            state_version=arguments.get("state_version", here.portfolio.version()),
            now=here.now + arguments.get("late", timedelta(0)),
        )


@pytest.mark.parametrize("field", ["terms", "policy", "state_version", "mac"])
def test_an_altered_token_is_refused(field: str, engine: Build, order: Build, context: Build) -> None:
    desk, here = engine(), context()
    report = desk.judge(order(), here)
    forged = report.token.model_copy(update={field: "ä"})
    with pytest.raises(RuleError, match="not issued by this rule engine"):
        desk.authorise(report.order, forged, state_version=here.portfolio.version(), now=here.now)


def test_a_token_with_a_later_expiry_is_refused(engine: Build, order: Build, context: Build) -> None:
    desk, here = engine(), context()
    report = desk.judge(order(), here)
    forged = report.token.model_copy(update={"expires_at": report.token.expires_at + timedelta(days=1)})
    with pytest.raises(RuleError, match="not issued by this rule engine"):
        desk.authorise(report.order, forged, state_version=here.portfolio.version(), now=here.now)


def test_a_token_of_another_engine_is_refused(engine: Build, order: Build, context: Build) -> None:
    here = context()
    report = engine(secret=b"another secret, as long").judge(order(), here)
    with pytest.raises(RuleError, match="not issued by this rule engine"):
        engine().authorise(report.order, report.token, state_version=here.portfolio.version(), now=here.now)


def test_a_token_of_another_policy_is_refused(engine: Build, order: Build, context: Build) -> None:
    here = context()
    report = engine(max_gross=0.9).judge(order(), here)
    with pytest.raises(RuleError, match="another policy"):
        engine().authorise(report.order, report.token, state_version=here.portfolio.version(), now=here.now)


def test_equal_sessions_derive_equal_tokens(engine: Build, order: Build, context: Build) -> None:
    assert engine().judge(order(), context()) == engine().judge(order(), context())


def test_a_veto_carries_no_token(engine: Build, order: Build, context: Build) -> None:
    report = engine(restricted=("BOLT",)).judge(order(), context())
    assert report.token is None
    assert report.order is None


def test_a_short_secret_is_refused(engine: Build) -> None:
    with pytest.raises(PolicyError, match="at least 16 bytes"):
        engine(secret=b"short")


def test_an_approval_that_a_later_judgement_does_not_count_is_void(engine: Build, order: Build, context: Build) -> None:
    desk, here = engine(), context()
    first = desk.judge(order(), here)
    second = desk.judge(order(client_order_id="b2", quantity=90.0), here)
    state = {"state_version": here.portfolio.version(), "now": here.now}
    with pytest.raises(RuleError, match="later judgement did not count it"):
        desk.authorise(first.order, first.token, **state)
    desk.authorise(second.order, second.token, **state)


def test_orders_sent_in_this_state_must_be_counted(engine: Build, order: Build, context: Build) -> None:
    desk, here = engine(), context()
    first = desk.judge(order(), here)
    desk.authorise(first.order, first.token, state_version=here.portfolio.version(), now=here.now)
    other = order(client_order_id="b2", quantity=90.0)
    assert desk.judge(other, here).issues[0].rule == "all_counted"
    assert [row.report.verdict for row in desk.judge_all([other], here)] == ["veto"]
    assert desk.judge(other, here.after(first.order)).verdict == "approve"


def test_only_a_person_cancels_a_protective_stop(engine: Build, order: Build, context: Build) -> None:
    terms = {"ticker": "AURX", "side": "sell", "reference_price": 100.0, "reduces": True}
    stop = order(**terms, order_type="stop", stop_price=90.0)
    here = context(in_flight=(stop, order(client_order_id="b2")))
    assert engine().judge_cancel("a1", here).severity == "veto"
    assert engine().judge_cancel("b2", here).severity == "pass"
    assert engine().judge_cancel("zz", here).severity == "veto"


def test_in_reduce_only_a_short_sale_is_no_exit(tmp_path: Any, engine: Build, order: Build, context: Build) -> None:
    switch = tmp_path / "stop"
    desk, here = engine(kill_switch=switch, permissions={"equity": ("buy", "sell")}), context()
    exit_terms = {"ticker": "AURX", "side": "sell", "reference_price": 100.0, "reduces": True}
    report = desk.judge(order(**exit_terms), here)
    switch.write_text("reduce-only")
    desk.authorise(report.order, report.token, state_version=here.portfolio.version(), now=here.now)
    assert desk.judge(order(side="sell", reduces=True, client_order_id="c3"), here).issues[0].rule == "all_counted"
    assert engine().judge(order(side="sell", reduces=True), here).issues[0].rule == "well_formed"
