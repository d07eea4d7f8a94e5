"""What every broker must keep. Each check is a function whose docstring says the promise."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta

from ...errors import BrokerError
from ..protocol import Broker
from ..stand_in.faults import Fault, Operation
from .bench import TOKEN, Bench, an_error, must, near
from .stage import Stage


@dataclass(frozen=True)
class Check:
    """One promise."""

    name: str
    topic: str
    about: str
    run: Callable[[Bench], None]
    needs: frozenset[str]
    """Faults, and of the broker `replaces`, `limit`, `fractional`; of the stage `partial`."""

    def missing(self, stage: Stage, broker: Broker) -> list[str]:
        """What it needs and does not find here."""
        able = broker.capabilities
        found: set[str] = set(stage.faults)
        found |= {"partial"} if stage.partial else set()
        found |= {"replaces"} if able.replaces else set()
        found |= {"limit"} if "limit" in able.order_types else set()
        found |= {"fractional"} if able.fractional else set()
        return sorted(self.needs - found)


_FOUND: list[Check] = []


def _check(topic: str, *needs: str) -> Callable[[Callable[[Bench], None]], Callable[[Bench], None]]:
    def register(function: Callable[[Bench], None]) -> Callable[[Bench], None]:
        about = " ".join((function.__doc__ or "").split())
        _FOUND.append(Check(function.__name__, topic, about, function, frozenset(needs)))
        return function

    return register


@_check("account")
def it_is_a_paper_account(b: Bench) -> None:
    """The endpoint proves to be a paper account, and says the same each time."""
    must(b.broker.capabilities.paper, "capabilities.paper is not true")
    must(b.broker.capabilities == b.reopen().capabilities, "the capabilities changed with a new connection")


@_check("account")
def the_account_adds_up(b: Bench) -> None:
    """Cash plus positions at their prices is the equity, and `positions` counts the same shares as `account`."""
    for _ in range(2):
        account = b.broker.account()
        value = sum(shares * account.prices[name] for name, shares in account.positions.items())
        must(near(account.cash + value, account.equity), f"{account.cash} + {value} is not {account.equity}")
        must(account.positions == b.broker.positions(), "positions() and account().positions differ")
        b.bought()
    must(near(b.held(), 20), f"20 shares were bought and {b.held()} are held")


@_check("account")
def the_clock_is_the_venues(b: Bench) -> None:
    """The clock has a zone and tells the venue's time; the next close and open lie ahead."""
    clock = b.broker.clock()
    must(abs(clock.at - b.stage.now()) < timedelta(minutes=1), f"it says {clock.at}, and it is {b.stage.now()}")
    must(clock.next_close > clock.at and clock.next_open > clock.at, "the next open or close is in the past")


@_check("orders")
def an_id_that_was_never_seen_is_none(b: Bench) -> None:
    """`order` returns None for an id that the venue never saw; to cancel it raises."""
    must(b.broker.order("never-seen-0000") is None, "an id that was never sent has a state")
    with an_error("cancelling an order that does not exist did not raise"):
        b.broker.cancel("never-seen-0000")


@_check("orders")
def a_purchase_fills_once(b: Bench) -> None:
    """A purchase is accepted, found under its id, filled in full, and moves shares and cash by what was executed."""
    before, start = b.broker.account(), b.stage.now()
    order = b.bought()
    state = b.state(order)
    must(state.status == "filled" and near(state.filled_quantity, 10), f"it is {state}")
    must((state.ticker, state.side, state.quantity) == (order.ticker, "buy", 10), f"its terms changed: {state}")
    fills = [fill for fill in b.broker.fills(start) if fill.client_order_id == order.client_order_id]
    must(near(sum(fill.quantity for fill in fills), 10), f"its executions add up to {fills}")
    paid = sum(fill.quantity * fill.price + fill.commission for fill in fills)
    after = b.broker.account()
    must(abs(before.cash - after.cash - paid) < 0.02, f"cash moved by {before.cash - after.cash}, paid was {paid}")
    must(order.client_order_id not in [row.client_order_id for row in b.broker.open_orders()], "it is still open")


@_check("orders")
def a_sale_ends_the_position(b: Bench) -> None:
    """A sale of all that is held leaves no position behind, not even a rest of rounding."""
    b.bought()
    order = b.order("sell")
    must(b.broker.submit(order).status == "accepted", "the sale was not accepted")
    b.stage.trade()
    must(b.ticker not in b.broker.positions(), f"{b.broker.positions()} is left")


@_check("idempotency")
def the_same_order_twice_is_one_order(b: Bench) -> None:
    """The same order under the same id, sent again before or after it filled, is not executed again."""
    order = b.order()
    for _ in range(3):
        answer = b.broker.submit(order)
        must(answer.status == "accepted", f"the repetition was answered {answer}")
    b.stage.trade()
    must(b.broker.submit(order).status == "accepted", "the repetition after the fill was not accepted")
    b.stage.trade()
    must(near(b.held(), 10), f"10 shares were ordered and {b.held()} are held")


@_check("idempotency")
def other_terms_under_a_known_id_are_refused(b: Bench) -> None:
    """Another order under an id that is taken is rejected, and changes nothing."""
    order = b.bought()
    for changes in ({"quantity": 11.0}, {"side": "sell"}, {"ticker": b.stage.tickers[1]}):
        answer = b.broker.submit(order.model_copy(update=changes))
        must(answer.status == "rejected" and bool(answer.reason), f"{changes} under its id was answered {answer}")
    b.stage.trade()
    must(near(b.held(), 10) and near(b.held(b.stage.tickers[1]), 0), "it changed the account")


@_check("idempotency")
def an_id_stays_used_after_a_cancel(b: Bench) -> None:
    """An order that was cancelled does not come back to life when it is sent again."""
    order = b.away()
    b.broker.submit(order)
    b.broker.cancel(order.client_order_id)
    b.broker.submit(order)
    must(not b.broker.open_orders(), "the cancelled order is open again")
    must(b.state(order).status == "cancelled", f"it is {b.state(order).status}")


@_check("rejects")
def what_the_account_cannot_do_is_rejected(b: Bench) -> None:
    """A sale of what is not held and an unknown name are rejected with a reason."""
    for order in (b.order("sell"), b.order(ticker="NOSUCHNAME")):
        answer = b.broker.submit(order)
        must(answer.status == "rejected" and bool(answer.reason), f"{order.side} {order.ticker} was answered {answer}")
    must(not b.broker.open_orders(), "a rejected order is open")
    b.stage.trade()
    must(not b.broker.positions(), "a rejected order was executed")


@_check("rejects")
def more_than_the_cash_is_never_spent(b: Bench) -> None:
    """A purchase beyond the cash is rejected or cut to it; there is no credit."""
    b.broker.submit(b.order(quantity=1_000_000.0))
    b.stage.trade()
    must(b.broker.account().cash >= -0.01, f"the cash is {b.broker.account().cash}")


@_check("cancels")
def an_open_order_is_cancelled_and_stays_so(b: Bench) -> None:
    """A cancelled order is no longer open, never fills, and is returned as it is when it is cancelled again."""
    order, other = b.away(), b.away()
    b.broker.submit(order)
    b.broker.submit(other)
    listed = [row.client_order_id for row in b.broker.open_orders()]
    must(listed == [order.client_order_id, other.client_order_id], "open_orders does not list both in their order")
    must(b.broker.cancel(order.client_order_id).status == "cancelled", "it was not cancelled")
    must(b.broker.cancel(order.client_order_id).status == "cancelled", "the second time it was not returned as it is")
    left = [row.client_order_id for row in b.broker.open_orders()]
    must(left == [other.client_order_id], "another one was touched")
    b.broker.cancel(other.client_order_id)
    b.stage.trade()
    must(near(b.held(), 0), "a cancelled order was executed")


@_check("cancels")
def a_filled_order_cannot_be_cancelled(b: Bench) -> None:
    """Cancelling an order that was filled returns it as it is."""
    order = b.bought()
    must(b.broker.cancel(order.client_order_id).status == "filled", "its state changed")
    must(near(b.held(), 10), "the position changed")


@_check("partial fills", "partial")
def a_part_is_reported_and_the_rest_fills_later(b: Bench) -> None:
    """An order filled in part says so and stays open; its executions add up, each with an id of its own."""
    order, start = b.order(), b.stage.now()
    b.broker.submit(order)
    b.stage.trade(0.4)
    state = b.state(order)
    must(state.status == "partially_filled" and 0 < state.filled_quantity < 10, f"it is {state}")
    must(near(b.held(), state.filled_quantity), f"{b.held()} are held of {state.filled_quantity} filled")
    must(order.client_order_id in [row.client_order_id for row in b.broker.open_orders()], "it is not open")
    b.stage.trade()
    fills = b.broker.fills(start)
    must(near(sum(fill.quantity for fill in fills), 10) and len(fills) >= 2, f"the executions are {fills}")
    must(len({fill.execution_id for fill in fills}) == len(fills), "two executions have one id")


@_check("partial fills", "partial")
def the_rest_of_a_partial_fill_can_be_cancelled(b: Bench) -> None:
    """Cancelling the rest keeps what was filled."""
    order = b.order()
    b.broker.submit(order)
    b.stage.trade(0.4)
    state = b.broker.cancel(order.client_order_id)
    must(state.status == "cancelled" and 0 < state.filled_quantity < 10, f"it is {state}")
    b.stage.trade()
    must(near(b.held(), state.filled_quantity), f"{b.held()} are held of {state.filled_quantity} filled")


@_check("replace", "replaces", "limit")
def a_replacement_takes_the_place_of_the_old_order(b: Bench) -> None:
    """After a replacement only the new order is open, with its own terms; the two never fill both."""
    old = b.away()
    b.broker.submit(old)
    new = b.order(quantity=6, order_type="limit", limit_price=0.6, replaces=old.client_order_id)
    answer = b.broker.replace(new)
    must(answer.status == "accepted", f"it was answered {answer}")
    must(
        [row.client_order_id for row in b.broker.open_orders()] == [new.client_order_id], "not only the new one is open"
    )
    must(b.state(old).status == "cancelled", f"the old one is {b.state(old).status}")
    must(near(b.state(new).quantity, 6), "the new one has other terms")


@_check("replace", "replaces", "limit")
def what_has_ended_cannot_be_replaced(b: Bench) -> None:
    """Replacing an order that was filled or never existed is rejected, and sends nothing."""
    old = b.bought()
    for target in (old.client_order_id, "never-seen-0000"):
        answer = b.broker.replace(b.away(replaces=target))
        must(answer.status == "rejected", f"it was answered {answer}")
    must(not b.broker.open_orders(), "something was sent all the same")


@_check("rounding", "fractional")
def fractions_leave_no_dust(b: Bench) -> None:
    """Parts of a share add up: ten tenths are a share, and selling it leaves nothing."""
    for _ in range(10):
        b.bought(0.1)
    must(near(b.held(), 1), f"{b.held()} are held")
    b.broker.submit(b.order("sell", 1.0))
    b.stage.trade()
    must(b.ticker not in b.broker.positions(), f"{b.broker.positions()} is left")


@_check("rounding")
def a_part_of_a_share_is_refused_where_there_is_none(b: Bench) -> None:
    """Where only whole shares trade, half a share is refused before it leaves; elsewhere it is exact."""
    answer = b.guard().submit(b.order(quantity=0.5), TOKEN)
    b.stage.trade()
    wanted = 0.5 if b.broker.capabilities.fractional else 0.0
    must((answer.status == "accepted") == (wanted > 0), f"it was answered {answer}")
    must(near(b.held(), wanted), f"{b.held()} are held")


@_check("verdicts")
def nothing_leaves_without_its_token(b: Bench) -> None:
    """An order without a valid verdict token is refused by the guard, and the venue never sees it."""
    order = b.order()
    answer = b.guard().submit(order, TOKEN.model_copy(update={"mac": "no"}))
    must(answer.status == "rejected" and "token" in answer.reason, f"it was answered {answer}")
    must(b.broker.order(order.client_order_id) is None, "it reached the venue")


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


_FOUND += [
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


@_check("unknown states", "disconnect")
def a_failed_look_up_is_no_none(b: Bench) -> None:
    """While the venue does not answer, `order` raises: None would say that the order never arrived."""
    order = b.bought()
    b.stage.injector.plan("disconnect", "order", "orders", times=50)
    with an_error("a look-up without an answer did not raise"):
        b.broker.order(order.client_order_id)


@_check("restarts")
def a_restart_sees_what_was_done(b: Bench) -> None:
    """A new connection sees the same orders, positions and executions, with the same ids."""
    start = b.stage.now()
    order = b.bought()
    fills = b.broker.fills(start)
    again = b.reopen()
    must(b.state(order).status == "filled", "the order is not known to the new connection")
    must(near(b.held(), 10), "the position is not known to the new connection")
    must(again.fills(start) == fills, "the executions are others than before")


@_check("restarts", "answer_lost")
def a_restart_between_intent_and_answer_finds_the_order(b: Bench) -> None:
    """An order whose answer was lost with its connection is found by the next one."""
    order = b.order()
    b.stage.injector.plan("answer_lost", "submit")
    b.broker.submit(order)
    b.reopen()
    must(b.guard().settle(order.client_order_id) is not None, "the order is not found")
    b.stage.trade()
    must(near(b.held(), 10), f"10 shares were ordered and {b.held()} are held")


@_check("disconnects", "disconnect")
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


@_check("events", "duplicate_events")
def executions_told_twice_count_once(b: Bench) -> None:
    """An execution that the venue reports twice is one execution."""
    start = b.stage.now()
    b.bought()
    b.stage.injector.standing.add("duplicate_events")
    fills = b.broker.fills(start)
    must(near(sum(fill.quantity for fill in fills), 10), f"the executions add up to {fills}")


@_check("events", "out_of_order_events")
def executions_come_in_order(b: Bench) -> None:
    """Executions that the venue reports in another order come in the order of their time."""
    start = b.stage.now()
    for _ in range(3):
        b.bought()
    b.stage.injector.standing.add("out_of_order_events")
    times = [fill.at for fill in b.broker.fills(start)]
    must(len(times) >= 3 and times == sorted(times), f"they came in the order {times}")


@_check("events")
def only_executions_since_the_time_are_told(b: Bench) -> None:
    """`fills` holds nothing of before the time that was asked for."""
    b.bought()
    later = b.stage.now() + timedelta(seconds=1)
    must(b.broker.fills(later) == [], "an execution of before was told")


@_check("snapshots", "failed_snapshot")
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


@_check("snapshots", "stale_snapshot")
def a_stale_snapshot_is_not_taken_for_the_truth(b: Bench) -> None:
    """Cash of before the last trades together with the positions after them is an error, not an account."""
    b.bought(150)
    b.stage.injector.standing.add("stale_snapshot")
    with an_error("an account of two moments was returned"):
        b.broker.account()


@_check("clock", "clock_skew")
def a_clock_that_is_off_shows(b: Bench) -> None:
    """`clock` tells the venue's time as it is, so that the desk can see that one of the two is wrong."""
    b.stage.injector.standing.add("clock_skew")
    skew = abs(b.broker.clock().at - b.stage.now())
    must(skew > timedelta(minutes=30), f"the clock was an hour off, and it told {skew}")


CHECKS: tuple[Check, ...] = tuple(_FOUND)
"""All checks, by topic in the order of this file."""
