"""What every adapter of a venue does in the same way: ask again, cancel, read an account of one moment, keep quiet."""

import logging
import time
from collections.abc import Callable, Sequence
from typing import TypeVar

from ..errors import BrokerError, BrokerUnreachable
from .guard import answer_of
from .protocol import OrderIntent, OrderState, PortfolioSnapshot, Submission, Unknown

PENNY = 0.01
MOVED = 0.02
"""Share of the positions' value by which prices may move between two questions of one snapshot."""
STANDING = ("open", "partially_filled")
"""Statuses of an order that may still fill."""
T = TypeVar("T")


def asking_again(
    pauses: Sequence[float], ask: Callable[[], T], meaning: Callable[[Exception], BrokerError | None]
) -> T:
    """The answer to something that changes nothing, asked for again after a moment where there is none.

    Args:
        pauses: seconds before each further attempt.
        ask: the question.
        meaning: of what it raised; None where it is no failure of the venue.

    Raises:
        BrokerUnreachable: there was no answer at any attempt.
        BrokerError: the venue refuses, which is not asked again.
    """
    for pause in (*pauses, None):
        try:
            return ask()
        except Exception as error:
            told = meaning(error)
            if told is None:
                raise
            if pause is None or not isinstance(told, BrokerUnreachable):
                if told is error:
                    raise
                raise told from error
        time.sleep(pause)
    raise AssertionError("the last attempt returns or raises")


def cancelled(
    key: str, before: OrderState | None, cancel: Callable[[], object], after: Callable[[], OrderState | None]
) -> OrderState:
    """The state of an order once it was asked to be cancelled; one that has ended is returned as it is.

    Raises:
        BrokerError: there is no such order, or it may still be open.
    """
    if before is None:
        raise BrokerError(f"There is no order {key} to cancel: list the open ones.")
    if before.status not in STANDING:
        return before
    failure: BrokerError | None = None
    try:
        cancel()
    except BrokerError as error:
        failure = error  # it may have ended in the meantime, or the answer was lost: its state says what is true
    state = after()
    if state is None or (failure is not None and state.status in STANDING):
        raise BrokerError(f"The order {key} may still be open: cancel again.") from failure
    return state


def used_before(order: OrderIntent, venue: str, look_up: Callable[[], OrderState | None]) -> Submission:
    """The answer where a venue says that the id was used: by this very order, as a repetition, or by another one."""
    key = order.client_order_id
    try:
        standing = look_up()
    except BrokerError as error:
        return Unknown(client_order_id=key, reason=str(error))
    if standing is None:
        return Unknown(client_order_id=key, reason=f"{venue} knows the id of the order but not the order")
    return answer_of(order, standing)


def of_one_moment(
    pauses: Sequence[float], venue: str, read: Callable[[], tuple[PortfolioSnapshot, float] | None]
) -> PortfolioSnapshot:
    """An account whose cash and positions belong together.

    Args:
        pauses: seconds before each further attempt.
        venue: its name, for people.
        read: the account, and what the venue says that it is worth; None where its parts are of two moments.

    Raises:
        BrokerError: they never belonged together: one of them is stale.
    """
    for pause in (*pauses, None):
        if (told := read()) is not None:
            found, value = told
            held = sum(abs(shares) * found.prices[name] for name, shares in found.positions.items())
            if abs(found.equity - value) <= PENNY + MOVED * held:
                return found
        if pause is not None:
            time.sleep(pause)
    raise BrokerError(f"The cash and the positions at {venue} do not belong to one moment: wait, then ask again.")


def keep_quiet(*loggers: str) -> None:
    """Keep DEBUG records of these loggers from everybody: there, clients write keys and signatures of requests."""
    for name in loggers:
        logger = logging.getLogger(name)
        if _above_debug not in logger.filters:
            logger.addFilter(_above_debug)


def _above_debug(record: logging.LogRecord) -> bool:
    return record.levelno > logging.DEBUG
