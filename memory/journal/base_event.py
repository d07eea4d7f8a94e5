"""What all events of a journal share."""

from typing import Any

from ...tools.frozen import Frozen

Document = dict[str, Any]
"""A JSON object."""


class BaseEvent(Frozen):
    """What all events share."""

    decision: int | None = None
    """Number of the decision it belongs to, from 0; None outside any."""
