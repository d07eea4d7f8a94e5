"""Between PaperDesk's words and those of a gateway of Interactive Brokers: orders, their states, executions."""

from collections.abc import Sequence
from datetime import UTC
from math import fsum
from typing import Any

from ib_async import Contract, Fill, LimitOrder, MarketOrder, StopOrder, Trade
from ib_async import Order as IBOrder

from ..errors import BrokerError
from .protocol import Execution, OrderIntent, OrderState

_NOTE = "/"
"""Between a client order id and the quantity in an order's note."""
_ENDS: dict[str, Any] = {
    "Filled": "filled",
    "Cancelled": "cancelled",
    "ApiCancelled": "cancelled",
    "Inactive": "rejected",
}
_REFUSED = (321, 434)
"""Errors that refuse a new order and that the client takes for warnings: a read-only gateway, a quantity of zero."""


def gateways_order(order: OrderIntent, account: str) -> IBOrder:
    """An order as the gateway takes it."""
    action, quantity = order.side.upper(), float(order.quantity)
    common: dict[str, Any] = {
        "tif": "DAY",
        "account": account,
        "orderRef": f"{order.client_order_id}{_NOTE}{int(quantity)}",
    }
    if order.limit_price is not None:
        return LimitOrder(action, quantity, order.limit_price, **common)
    if order.stop_price is not None:
        return StopOrder(action, quantity, order.stop_price, **common)
    return MarketOrder(action, quantity, **common)


def refusals_of(trade: Trade) -> list[str]:
    """Why a new order was refused, where the client leaves it as one that may come to life."""
    return [row.message for row in trade.log if row.errorCode in _REFUSED]


def us_share(contract: Contract) -> str:
    """The ticker of what is held.

    Raises:
        BrokerError: it is no US share.
    """
    if (contract.secType, contract.currency) != ("STK", "USD"):
        raise BrokerError(
            f"The account holds {contract.symbol} ({contract.secType}, {contract.currency}), which is no US share: the "
            "desk needs an account of its own."
        )
    return contract.symbol


def key_of(note: str) -> str:
    """The client order id in an order's note."""
    return note.partition(_NOTE)[0]


def state_of(trade: Trade) -> OrderState:
    """What the gateway says of an order, open or ended."""
    order, status = trade.order, trade.orderStatus.status
    ended = trade.isDone() and order.filledQuantity < 1e300  # unset, it is the largest float
    filled = float(order.filledQuantity if ended else trade.orderStatus.filled)
    standing = _ENDS.get(status, "partially_filled" if filled else "open")
    noted = order.orderRef.partition(_NOTE)[2]
    return OrderState(
        client_order_id=key_of(order.orderRef),
        ticker=trade.contract.symbol,
        side="buy" if order.action == "BUY" else "sell",
        quantity=float(noted or order.totalQuantity),
        filled_quantity=filled,
        status=standing,
        reason="" if standing in ("open", "partially_filled", "filled") else status,
    )


def state_of_fills(fills: Sequence[Fill]) -> OrderState:
    """The state of an order of which only executions are told."""
    first = fills[0].execution
    wanted, filled = float(first.orderRef.partition(_NOTE)[2]), fsum(float(row.execution.shares) for row in fills)
    return OrderState(
        client_order_id=key_of(first.orderRef),
        ticker=fills[0].contract.symbol,
        side="buy" if first.side == "BOT" else "sell",
        quantity=wanted,
        filled_quantity=filled,
        status="filled" if filled >= wanted else "partially_filled",
    )


def execution_of(row: Fill) -> Execution:
    """One execution."""
    made = row.execution
    return Execution(
        execution_id=made.execId,
        client_order_id=key_of(made.orderRef),
        ticker=row.contract.symbol,
        side="buy" if made.side == "BOT" else "sell",
        quantity=float(made.shares),
        price=float(made.price),
        commission=float(row.commissionReport.commission),
        at=made.time.astimezone(UTC),
    )
