"""A session on a masked market: the same choices, with nothing original in what the chain records.

The configuration keeps the user's own terms (original tickers and dates) and lies in `manifest.json`, outside the
chain; so does the key, in `mask_key.json`. `resume` and `replay` build the same mask from the configuration again.
"""

from pathlib import Path
from typing import Any

from ..tools.market.view import Market, open_market
from .config import SessionConfig

KEY_FILE = "mask_key.json"
"""What stands for what, in the session's folder."""

PLACES = {"market", "model", "policy", "memory"}
"""Fields that may hold a path: the chain records what was found there (fingerprints, hashes), not where it lay."""


_ELSEWHERE = PLACES | {"training_cutoff"}
"""What stands in the chain but not as a choice: the cutoff is part of the mind."""


def market_of(config: SessionConfig) -> Market:
    """The market of a session, masked if the session is.

    Raises:
        InputError: there is no such market, or it cannot be masked as asked.
    """
    return open_market(config.market, config.market_seed, mask=config.mask, mask_seed=config.mask_seed)


def recorded_choices(config: SessionConfig, market: Market) -> dict[str, Any]:
    """The configuration as the chain records it: without places, and in the terms of a masked market."""
    if market.masked is None:
        # a session without a mask has the same chain as before there were masks
        return config.model_dump(mode="json", exclude=_ELSEWHERE | {"mask", "mask_seed"})
    key = market.masked.key
    masked = config.model_copy(
        update={
            "universe": None if config.universe is None else tuple(key.tickers[name] for name in config.universe),
            "benchmark": None if config.benchmark is None else key.tickers[config.benchmark],
            "start": None if config.start is None else key.later(config.start),
            "end": None if config.end is None else key.later(config.end),
        }
    )
    return masked.model_dump(mode="json", exclude=_ELSEWHERE)


def keep_key(market: Market, folder: Path) -> None:
    """Write the key of a masked market into the session's folder."""
    if market.masked is not None:
        market.masked.key.write(folder / KEY_FILE)
