"""An order for the tests of adapters."""

from paperdesk.tools.broker import OrderIntent
from paperdesk.tools.broker.stand_in.stage import NOON


def order(quantity: float = 2, key: str = "a1", **changes: object) -> OrderIntent:
    """A purchase at the market, unless told otherwise."""
    return OrderIntent.model_validate(
        {
            "client_order_id": key,
            "ticker": "AURX",
            "side": "buy",
            "quantity": quantity,
            "reference_price": 50,
            "decided_at": NOON,
            **changes,
        }
    )
