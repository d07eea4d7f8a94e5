"""What a venue pushes: whatever comes twice, late or not at all, a feed never goes back and never counts twice."""

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from paperdesk.tools.broker.protocol import Execution, OrderState
from paperdesk.tools.broker.updates import KEPT, OrderUpdate, UpdateFeed

NOON = datetime(2026, 11, 20, 17, tzinfo=UTC)


def news_of(key: str, parts: list[int], ends: str) -> list[OrderUpdate]:
    """An order of 100 shares that fills in these parts, and how it ends."""
    terms = {"client_order_id": key, "ticker": "AURX", "side": "buy", "quantity": 100.0}
    found, filled = [OrderUpdate(order=state(terms, 0, "open"), at=NOON)], 0
    for i, part in enumerate(parts):
        filled += part
        made = Execution(
            execution_id=f"{key}-{i}", client_order_id=key, ticker="AURX", side="buy", quantity=part, price=50,
            at=NOON + timedelta(seconds=i + 1),
        )  # fmt: skip
        now = state(terms, filled, "filled" if filled == 100 else "partially_filled")
        found.append(OrderUpdate(order=now, execution=made, at=made.at))
    if filled < 100:
        found.append(OrderUpdate(order=state(terms, filled, ends), at=NOON + timedelta(hours=1)))
    return found


def state(terms: dict[str, object], filled: int, status: str) -> OrderState:
    return OrderState.model_validate({**terms, "filled_quantity": float(filled), "status": status})


PARTS = st.lists(st.integers(1, 40), max_size=4).filter(lambda parts: sum(parts) <= 100)
ENDS = st.sampled_from(["cancelled", "expired"])


@given(PARTS, PARTS, ENDS, st.data())
def test_twice_and_in_any_order_come_to_the_same_as_once_in_order(a, b, ends, data):
    news = news_of("a", a, ends) + news_of("b", b, ends)
    again = data.draw(st.lists(st.sampled_from(news)))
    feed, straight = UpdateFeed(), UpdateFeed()
    for update in news:
        straight.tell(update)
    for update in data.draw(st.permutations(news + again)):
        feed.tell(update)
    for key in ("a", "b"):
        last = [update.order for update in news if update.order.client_order_id == key][-1]
        assert feed.state(key) == straight.state(key) == last
    assert feed.executions(NOON) == straight.executions(NOON)
    assert sum(made.quantity for made in feed.executions(NOON)) == sum(a) + sum(b)
    told = [row.execution.execution_id for row in feed.take() if row.execution is not None]
    assert len(told) >= len(set(told)) == len(a) + len(b)
    assert feed.take() == []


def test_a_feed_that_runs_for_days_remembers_a_bounded_number():
    feed = UpdateFeed()
    for i in range(KEPT + 100):
        for update in news_of(f"k{i}", [100], ""):
            feed.tell(update)
    assert len(feed.take()) == KEPT
    assert len(feed.executions(NOON)) == KEPT
    assert feed.state("k0") is None
    assert feed.state(f"k{KEPT + 99}") is not None


def test_a_broken_feed_says_why_and_counts_its_connections():
    feed = UpdateFeed()
    assert (feed.live, feed.connections, feed.trouble) == (False, 0, "")
    feed.connected()
    feed.lost("it broke")
    assert (feed.live, feed.connections, feed.trouble) == (False, 1, "it broke")
    feed.connected()
    assert (feed.live, feed.connections) == (True, 2)
