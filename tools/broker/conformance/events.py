"""What every broker must keep of executions, as they are asked for and as they are pushed."""

from datetime import timedelta

from ..updates import Streaming, UpdateFeed
from .bench import Bench, must, near
from .promise import Check, registering

FOUND: list[Check] = []
"""In the order of this file."""
check = registering(FOUND)


@check("events", "duplicate_events")
def executions_told_twice_count_once(b: Bench) -> None:
    """An execution that the venue reports twice is one execution."""
    start = b.stage.now()
    b.bought()
    b.stage.injector.standing.add("duplicate_events")
    fills = b.broker.fills(start)
    must(near(sum(fill.quantity for fill in fills), 10), f"the executions add up to {fills}")


@check("events", "out_of_order_events")
def executions_come_in_order(b: Bench) -> None:
    """Executions that the venue reports in another order come in the order of their time."""
    start = b.stage.now()
    for _ in range(3):
        b.bought()
    b.stage.injector.standing.add("out_of_order_events")
    times = [fill.at for fill in b.broker.fills(start)]
    must(len(times) >= 3 and times == sorted(times), f"they came in the order {times}")


@check("events")
def only_executions_since_the_time_are_told(b: Bench) -> None:
    """`fills` holds nothing of before the time that was asked for."""
    b.bought()
    later = b.stage.now() + timedelta(seconds=1)
    must(b.broker.fills(later) == [], "an execution of before was told")


def _feed(b: Bench) -> UpdateFeed:
    """The feed, once it is connected."""
    must(isinstance(b.broker, Streaming), "capabilities.streams is true, and there is no updates()")
    assert isinstance(b.broker, Streaming)
    feed = b.broker.updates()
    must(feed is b.broker.updates(), "each call of updates() makes another feed")
    must(b.until(lambda: feed.live), "the feed did not connect")
    return feed


def _filled(feed: UpdateFeed, client_order_id: str) -> bool:
    state = feed.state(client_order_id)
    return state is not None and state.status == "filled"


@check("stream", "streams", "partial")
def news_of_an_order_is_pushed(b: Bench) -> None:
    """The feed tells an order's fills unasked: as many shares, at the prices, as the venue says when asked."""
    feed, start = _feed(b), b.stage.now()
    order = b.order()
    b.broker.submit(order)
    b.stage.trade(0.4)
    b.stage.trade()
    key = order.client_order_id
    must(b.until(lambda: _filled(feed, key)), f"it is {feed.state(key)}")
    must(feed.state(key) == b.state(order), f"pushed was {feed.state(key)}, asked it is {b.state(order)}")
    pushed = [(row.ticker, row.side, row.quantity, row.price, row.at) for row in feed.executions(start)]
    asked = [(row.ticker, row.side, row.quantity, row.price, row.at) for row in b.broker.fills(start)]
    must(pushed == asked and len(pushed) == 2, f"pushed were {pushed}, asked they are {asked}")
    must([news.order.filled_quantity for news in feed.take()][-1] == 10, "the news does not end with the last fill")
    must(feed.take() == [], "news is told again")


@check("stream", "streams", "partial", "duplicate_events", "out_of_order_events")
def pushes_twice_and_late_change_nothing(b: Bench) -> None:
    """Events that are pushed twice and in another order make no second execution, and take no order back."""
    feed, start = _feed(b), b.stage.now()
    b.stage.injector.standing.update(("duplicate_events", "out_of_order_events"))
    order = b.order()
    b.broker.submit(order)
    b.stage.trade(0.4)
    b.stage.trade()
    key = order.client_order_id
    must(b.until(lambda: len(feed.executions(start)) == 2), f"pushed were {feed.executions(start)}")
    told = feed.executions(start)
    must(near(sum(row.quantity for row in told), 10), f"they add up to {told}")
    must([row.at for row in told] == sorted(row.at for row in told), "they are not in the order of their time")
    state = feed.state(key)
    must(state is not None and state.status == "filled", f"an order that was filled is {state}")


@check("stream", "streams", "disconnect")
def a_stream_that_breaks_says_so_and_comes_back(b: Bench) -> None:
    """A broken stream connects again by itself, says that it is another connection, and tells what comes."""
    feed = _feed(b)
    b.stage.injector.plan("disconnect", "updates")
    missed = b.order()
    b.broker.submit(missed)
    must(b.until(lambda: feed.connections == 2 and feed.live), "it did not connect again")
    must(bool(feed.trouble), "it does not say what was wrong")
    b.stage.trade()
    must(b.state(missed).status == "filled", "asked, the venue does not know what the stream has missed")
    order = b.bought()
    must(
        b.until(lambda: (state := feed.state(order.client_order_id)) is not None and state.status == "filled"),
        "silence",
    )


@check("stream", "streams", "request_lost")
def nothing_is_concluded_from_a_silent_stream(b: Bench) -> None:
    """An order of which a connected stream says nothing is found when the venue is asked; closing ends the stream."""
    feed, start, told = _feed(b), b.stage.now(), b.stage.injector.told
    b.stage.injector.plan("request_lost", "updates", times=50)
    order = b.bought()
    key = order.client_order_id
    b.until(lambda: "request_lost" in told or _filled(feed, key))
    must(feed.live and "request_lost" in told, "the stream of this stage was not silent")
    must(b.state(order).status == "filled", "it is not known")
    must(near(sum(fill.quantity for fill in b.broker.fills(start)), 10), "its executions are not told")
    must(not _filled(feed, key), "an event that was lost was told")
    b.broker.close()
    must(b.until(lambda: not feed.live), "the stream goes on after the broker was closed")
