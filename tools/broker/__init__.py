"""Whoever executes the desk's orders: the contract, and the brokers that fulfil it.

The simulator stands in `tools.broker.simulated` and is imported from there: it loads backtrader, which takes a second.
"""

from .protocol import (
    Accepted,
    Broker,
    BrokerClock,
    Capabilities,
    DeskBroker,
    Execution,
    Fill,
    FillCause,
    OrderIntent,
    OrderState,
    OrderType,
    PortfolioSnapshot,
    Quote,
    Rejected,
    Side,
    Submission,
    TimeInForce,
    Unknown,
    VerdictToken,
    client_order_id,
    malformed,
)

__all__ = [
    "Accepted",
    "Broker",
    "BrokerClock",
    "Capabilities",
    "DeskBroker",
    "Execution",
    "Fill",
    "FillCause",
    "OrderIntent",
    "OrderState",
    "OrderType",
    "PortfolioSnapshot",
    "Quote",
    "Rejected",
    "Side",
    "Submission",
    "TimeInForce",
    "Unknown",
    "VerdictToken",
    "client_order_id",
    "malformed",
]
