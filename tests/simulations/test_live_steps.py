"""Single steps of a live desk: what it tells of a feed that breaks, and how long the refreshing of data may take."""

from typing import Any

from paperdesk.simulations.live.opening import Trader
from paperdesk.simulations.live.standing import Standing
from paperdesk.tools.broker.updates import UpdateFeed


def trader(feed: UpdateFeed | None, told: list[str]) -> Trader:
    """One that only listens."""
    nothing: Any = None
    return Trader(
        config=nothing, journal=nothing, broker=nothing, rules=nothing, clock=nothing, calendar=nothing, tickers=(),
        standing=Standing(), decision=lambda: None, beat=told.append, feed=feed,
    )  # fmt: skip


def test_why_a_feed_is_not_connected_is_told_once_each_time():
    feed, told = UpdateFeed(), list[str]()
    desk = trader(feed, told)
    desk.tell_news()
    assert told == [], "it has not failed yet"
    feed.lost("the stream refuses the keys")
    for _ in range(3):
        desk.tell_news()
    assert told == ["the stream refuses the keys: the broker is asked in turn"]
    feed.lost("the stream cannot be reached")
    desk.tell_news()
    assert told[1:] == ["the stream cannot be reached: the broker is asked in turn"]
    feed.connected()
    desk.tell_news()
    feed.lost("the stream cannot be reached")
    desk.tell_news()
    assert len(told) == 3, "it was back in between"
    trader(None, told).tell_news()
    assert len(told) == 3
