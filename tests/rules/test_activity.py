"""What the desk did lately is counted as it happens."""

from datetime import UTC, date, datetime, timedelta

import pytest

from paperdesk.tools.broker import Fill, OrderIntent
from paperdesk.tools.rules import ActivityLog

NOW = datetime(2023, 3, 31, 20, 0, tzinfo=UTC)


def fill(side: str, quantity: float, price: float, ticker: str = "AURX", commission: float = 0.0) -> Fill:
    return Fill.model_validate(
        {
            "client_order_id": "x",
            "ticker": ticker,
            "side": side,
            "quantity": quantity,
            "price": price,
            "open_price": price,
            "commission": commission,
            "session": date(2023, 3, 31),
        }
    )


def order(at: datetime) -> OrderIntent:
    return OrderIntent(
        client_order_id="x", ticker="AURX", side="buy", quantity=1.0, reference_price=10.0, decided_at=at
    )


def test_losses_in_a_row_end_with_a_profit_and_age_with_the_sessions() -> None:
    log = ActivityLog()
    log.session(NOW.date())
    log.filled(fill("buy", 30, 10.0))
    log.filled(fill("sell", 10, 9.0))
    log.filled(fill("sell", 10, 9.5))
    log.session(NOW.date() + timedelta(days=1))
    assert (log.at(NOW).consecutive_losses, log.at(NOW).sessions_since_loss) == (2, 1)
    log.filled(fill("sell", 10, 10.5))
    assert (log.at(NOW).consecutive_losses, log.at(NOW).sessions_since_loss) == (0, None)


@pytest.mark.parametrize(("commission", "losses"), [(0.0, 0), (2.0, 1)])
def test_commissions_can_make_a_loss(commission: float, losses: int) -> None:
    log = ActivityLog()
    log.filled(fill("buy", 10, 10.0, commission=commission))
    log.filled(fill("sell", 10, 10.1))
    assert log.at(NOW).consecutive_losses == losses


def test_a_split_is_no_loss() -> None:
    log = ActivityLog()
    log.filled(fill("buy", 10, 10.0))
    log.session(NOW.date(), {"AURX": 2.0})
    log.filled(fill("sell", 20, 5.5))
    assert log.at(NOW).consecutive_losses == 0


def test_day_trades_are_names_bought_and_sold_in_one_of_five_sessions() -> None:
    log = ActivityLog()
    log.session(NOW.date())
    log.filled(fill("buy", 10, 10.0))
    log.filled(fill("sell", 10, 10.0))
    log.filled(fill("buy", 10, 10.0, ticker="BOLT"))
    assert log.at(NOW).day_trades == 1
    for day in range(1, 6):
        log.session(NOW.date() + timedelta(days=day))
    assert log.at(NOW).day_trades == 0


def test_rates_count_from_the_session_and_within_the_minute() -> None:
    log = ActivityLog()
    log.session(NOW.date())
    log.sent(order(NOW - timedelta(minutes=2)), NOW - timedelta(minutes=2))
    log.sent(order(NOW), NOW)
    log.cancelled(NOW)
    seen = log.at(NOW)
    assert (seen.orders_today, seen.orders_last_minute, seen.cancels_today) == (2, 1, 1)
    assert seen.last_seen == NOW
    assert len(log.at(NOW + timedelta(days=2)).recent) == 0
    log.session(NOW.date() + timedelta(days=1))
    assert log.at(NOW).orders_today == 0


def test_a_person_enables_the_desk_again() -> None:
    log = ActivityLog()
    log.filled(fill("buy", 10, 10.0))
    assert log.at(NOW).unattended_fills == 1
    log.enable()
    assert log.at(NOW).unattended_fills == 0
