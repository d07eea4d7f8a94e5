"""What every broker must keep of accounts, orders, cancels, replacements, rounding and verdicts."""

from datetime import timedelta

from ..guard import GuardedBroker
from .bench import TOKEN, Bench, an_error, must, near, permit
from .promise import Check, registering
from .stage import LiveStage

FOUND: list[Check] = []
"""In the order of this file."""
check = registering(FOUND)


@check("account")
def it_is_a_paper_account(b: Bench) -> None:
    """The endpoint proves to be a paper account, and says the same each time."""
    must(b.broker.capabilities.paper, "capabilities.paper is not true")
    must(b.broker.capabilities == b.reopen().capabilities, "the capabilities changed with a new connection")


@check("account", "live")
def real_money_needs_both_switches(b: Bench) -> None:
    """An account that is no paper account is refused by adapter and guard unless both switches name it, and says so."""
    assert isinstance(b.stage, LiveStage)
    number = b.stage.live_number
    for live, named in ((False, ""), (True, ""), (False, number), (True, "another")):
        with an_error(f"it was opened with live={live} and the number {named!r}"):
            b.stage.open_live(live, named).close()
    broker = b.stage.open_live(True, number)
    try:
        able = broker.capabilities
        must(not able.paper, "capabilities.paper is true of an account that is none")
        must(able.account == number, f"the account is {number}, and it says {able.account!r}")
        for named in ("", "another"):
            with an_error(f"the guard let it through with the number {named!r}"):
                GuardedBroker(broker, permit, live_account=named)
        GuardedBroker(broker, permit, live_account=number)
    finally:
        broker.close()


@check("account")
def the_account_adds_up(b: Bench) -> None:
    """Cash plus positions at their prices is the equity, and `positions` counts the same shares as `account`."""
    for _ in range(2):
        account = b.broker.account()
        value = sum(shares * account.prices[name] for name, shares in account.positions.items())
        must(near(account.cash + value, account.equity), f"{account.cash} + {value} is not {account.equity}")
        must(account.positions == b.broker.positions(), "positions() and account().positions differ")
        b.bought()
    must(near(b.held(), 20), f"20 shares were bought and {b.held()} are held")


@check("account")
def the_clock_is_the_venues(b: Bench) -> None:
    """The clock has a zone and tells the venue's time; the next close and open lie ahead."""
    clock = b.broker.clock()
    must(abs(clock.at - b.stage.now()) < timedelta(minutes=1), f"it says {clock.at}, and it is {b.stage.now()}")
    must(clock.next_close > clock.at and clock.next_open > clock.at, "the next open or close is in the past")


@check("orders")
def an_id_that_was_never_seen_is_none(b: Bench) -> None:
    """`order` returns None for an id that the venue never saw; to cancel it raises."""
    must(b.broker.order("never-seen-0000") is None, "an id that was never sent has a state")
    with an_error("cancelling an order that does not exist did not raise"):
        b.broker.cancel("never-seen-0000")


@check("orders")
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


@check("orders")
def a_sale_ends_the_position(b: Bench) -> None:
    """A sale of all that is held leaves no position behind, not even a rest of rounding."""
    b.bought()
    order = b.order("sell")
    must(b.broker.submit(order).status == "accepted", "the sale was not accepted")
    b.stage.trade()
    must(b.ticker not in b.broker.positions(), f"{b.broker.positions()} is left")


@check("idempotency")
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


@check("idempotency")
def other_terms_under_a_known_id_are_refused(b: Bench) -> None:
    """Another order under an id that is taken is rejected, and changes nothing."""
    order = b.bought()
    for changes in ({"quantity": 11.0}, {"side": "sell"}, {"ticker": b.stage.tickers[1]}):
        answer = b.broker.submit(order.model_copy(update=changes))
        must(answer.status == "rejected" and bool(answer.reason), f"{changes} under its id was answered {answer}")
    b.stage.trade()
    must(near(b.held(), 10) and near(b.held(b.stage.tickers[1]), 0), "it changed the account")


@check("idempotency")
def an_id_stays_used_after_a_cancel(b: Bench) -> None:
    """An order that was cancelled does not come back to life when it is sent again."""
    order = b.away()
    b.broker.submit(order)
    b.broker.cancel(order.client_order_id)
    b.broker.submit(order)
    must(not b.broker.open_orders(), "the cancelled order is open again")
    must(b.state(order).status == "cancelled", f"it is {b.state(order).status}")


@check("rejects")
def what_the_account_cannot_do_is_rejected(b: Bench) -> None:
    """A sale of what is not held and an unknown name are rejected with a reason."""
    for order in (b.order("sell"), b.order(ticker="NOSUCHNAME")):
        answer = b.broker.submit(order)
        must(answer.status == "rejected" and bool(answer.reason), f"{order.side} {order.ticker} was answered {answer}")
    must(not b.broker.open_orders(), "a rejected order is open")
    b.stage.trade()
    must(not b.broker.positions(), "a rejected order was executed")


@check("rejects")
def more_than_the_cash_is_never_spent(b: Bench) -> None:
    """A purchase beyond the cash is rejected or cut to it; there is no credit."""
    b.broker.submit(b.order(quantity=1_000_000.0))
    b.stage.trade()
    must(b.broker.account().cash >= -0.01, f"the cash is {b.broker.account().cash}")


@check("cancels")
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


@check("cancels")
def a_filled_order_cannot_be_cancelled(b: Bench) -> None:
    """Cancelling an order that was filled returns it as it is."""
    order = b.bought()
    must(b.broker.cancel(order.client_order_id).status == "filled", "its state changed")
    must(near(b.held(), 10), "the position changed")


@check("partial fills", "partial")
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


@check("partial fills", "partial")
def the_rest_of_a_partial_fill_can_be_cancelled(b: Bench) -> None:
    """Cancelling the rest keeps what was filled."""
    order = b.order()
    b.broker.submit(order)
    b.stage.trade(0.4)
    state = b.broker.cancel(order.client_order_id)
    must(state.status == "cancelled" and 0 < state.filled_quantity < 10, f"it is {state}")
    b.stage.trade()
    must(near(b.held(), state.filled_quantity), f"{b.held()} are held of {state.filled_quantity} filled")


@check("replace", "replaces", "limit")
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


@check("replace", "replaces", "limit")
def what_has_ended_cannot_be_replaced(b: Bench) -> None:
    """Replacing an order that was filled or never existed is rejected, and sends nothing."""
    old = b.bought()
    for target in (old.client_order_id, "never-seen-0000"):
        answer = b.broker.replace(b.away(replaces=target))
        must(answer.status == "rejected", f"it was answered {answer}")
    must(not b.broker.open_orders(), "something was sent all the same")


@check("rounding", "fractional")
def fractions_leave_no_dust(b: Bench) -> None:
    """Parts of a share add up: ten tenths are a share, and selling it leaves nothing."""
    for _ in range(10):
        b.bought(0.1)
    must(near(b.held(), 1), f"{b.held()} are held")
    b.broker.submit(b.order("sell", 1.0))
    b.stage.trade()
    must(b.ticker not in b.broker.positions(), f"{b.broker.positions()} is left")


@check("rounding")
def a_part_of_a_share_is_refused_where_there_is_none(b: Bench) -> None:
    """Where only whole shares trade, half a share is refused before it leaves; elsewhere it is exact."""
    answer = b.guard().submit(b.order(quantity=0.5), TOKEN)
    b.stage.trade()
    wanted = 0.5 if b.broker.capabilities.fractional else 0.0
    must((answer.status == "accepted") == (wanted > 0), f"it was answered {answer}")
    must(near(b.held(), wanted), f"{b.held()} are held")


@check("verdicts")
def nothing_leaves_without_its_token(b: Bench) -> None:
    """An order without a valid verdict token is refused by the guard, and the venue never sees it."""
    order = b.order()
    answer = b.guard().submit(order, TOKEN.model_copy(update={"mac": "no"}))
    must(answer.status == "rejected" and "token" in answer.reason, f"it was answered {answer}")
    must(b.broker.order(order.client_order_id) is None, "it reached the venue")
