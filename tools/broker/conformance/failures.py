"""What every broker must keep when answers are lost, connections break, snapshots are stale and clocks are off."""

from collections.abc import Callable
from datetime import timedelta

from ...errors import BrokerError
from ..stand_in.faults import Fault, Operation
from .bench import TOKEN, Bench, an_error, must, near
from .promise import Check, registering

FOUND: list[Check] = []
"""In the order of this file."""
check = registering(FOUND)


def _unclear(fault: Fault, times: int = 1) -> Callable[[Bench], None]:
    def run(b: Bench) -> None:
        order = b.order()
        b.stage.injector.plan(fault, "submit", times=times)
        answer = b.broker.submit(order)
        must(answer.status != "rejected", f"it was answered {answer}, but whether it arrived is not known")
        b.stage.injector.plan(fault, "submit", times=times - 1)
        guarded = b.guard().submit(order, TOKEN)
        must(guarded.status == "accepted", f"looked up and sent again, it was answered {guarded}")
        b.stage.trade()
        must(near(b.held(), 10), f"10 shares were ordered and {b.held()} are held")

    return run


def _unclear_through_the_guard(fault: Fault, times: int) -> Callable[[Bench], None]:
    def run(b: Bench) -> None:
        b.stage.injector.plan(fault, "submit", times=times)
        answer = b.guard().submit(b.order(), TOKEN)
        must(answer.status == "accepted", f"it was answered {answer}")
        b.stage.trade()
        must(near(b.held(), 10), f"10 shares were ordered and {b.held()} are held")

    return run


FOUND += [
    Check(
        "an_order_whose_answer_is_lost_is_not_sent_twice",
        "unknown states",
        "After a lost answer the order is unknown, not refused; it is found under its id, and executed once.",
        _unclear("answer_lost"),
        frozenset({"answer_lost"}),
    ),
    Check(
        "an_order_that_never_arrived_is_sent_again",
        "unknown states",
        "After a lost request the look-up finds nothing, and the same order goes out once more.",
        _unclear("request_lost"),
        frozenset({"request_lost"}),
    ),
    Check(
        "a_burst_of_refusals_for_now_is_waited_out",
        "unknown states",
        "Two answers of the kind 429 in a row end in one order.",
        _unclear_through_the_guard("busy", 2),
        frozenset({"busy"}),
    ),
    Check(
        "a_burst_of_gateway_timeouts_makes_one_order",
        "unknown states",
        "Two answers of the kind 504, behind which the order was taken, end in one order.",
        _unclear_through_the_guard("gateway_timeout", 2),
        frozenset({"gateway_timeout"}),
    ),
]


@check("unknown states", "disconnect")
def a_failed_look_up_is_no_none(b: Bench) -> None:
    """While the venue does not answer, `order` raises: None would say that the order never arrived."""
    order = b.bought()
    b.stage.injector.plan("disconnect", "order", "orders", times=50)
    with an_error("a look-up without an answer did not raise"):
        b.broker.order(order.client_order_id)


@check("restarts")
def a_restart_sees_what_was_done(b: Bench) -> None:
    """A new connection sees the same orders, positions and executions, with the same ids."""
    start = b.stage.now()
    order = b.bought()
    fills = b.broker.fills(start)
    again = b.reopen()
    must(b.state(order).status == "filled", "the order is not known to the new connection")
    must(near(b.held(), 10), "the position is not known to the new connection")
    must(again.fills(start) == fills, "the executions are others than before")


@check("restarts", "answer_lost")
def a_restart_between_intent_and_answer_finds_the_order(b: Bench) -> None:
    """An order whose answer was lost with its connection is found by the next one."""
    order = b.order()
    b.stage.injector.plan("answer_lost", "submit")
    b.broker.submit(order)
    b.reopen()
    must(b.guard().settle(order.client_order_id) is not None, "the order is not found")
    b.stage.trade()
    must(near(b.held(), 10), f"10 shares were ordered and {b.held()} are held")


@check("disconnects", "disconnect")
def a_broken_connection_is_made_again(b: Bench) -> None:
    """After a disconnection the next questions are answered again."""
    b.bought()
    operations: tuple[Operation, ...] = ("account", "positions", "order", "orders", "fills", "clock")
    b.stage.injector.plan("disconnect", *operations, times=1)
    for _ in range(2):
        try:
            b.broker.account()
        except BrokerError:
            continue
    must(near(b.broker.account().positions.get(b.ticker, 0.0), 10), "the account is not read again")


@check("snapshots", "failed_snapshot")
def a_failed_snapshot_is_an_error(b: Bench) -> None:
    """Where account or positions cannot be read, they raise; an empty account would look like one without positions."""
    b.bought()
    b.stage.injector.standing.add("failed_snapshot")
    with an_error("account() did not raise"):
        b.broker.account()
    with an_error("positions() did not raise"):
        b.broker.positions()
    b.stage.injector.standing.clear()
    must(near(b.held(), 10), "the account is not read again after it")


@check("snapshots", "stale_snapshot")
def a_stale_snapshot_is_not_taken_for_the_truth(b: Bench) -> None:
    """Cash of before the last trades together with the positions after them is an error, not an account."""
    b.bought(150)
    b.stage.injector.standing.add("stale_snapshot")
    with an_error("an account of two moments was returned"):
        b.broker.account()


@check("clock", "clock_skew")
def a_clock_that_is_off_shows(b: Bench) -> None:
    """`clock` tells the venue's time as it is, so that the desk can see that one of the two is wrong."""
    b.stage.injector.standing.add("clock_skew")
    skew = abs(b.broker.clock().at - b.stage.now())
    must(skew > timedelta(minutes=30), f"the clock was an hour off, and it told {skew}")
