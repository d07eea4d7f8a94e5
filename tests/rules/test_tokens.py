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
