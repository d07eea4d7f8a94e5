"""A session on a masked market: the same choices, with nothing original in what the chain records.

The configuration keeps the user's own terms (original tickers and dates) and lies in `manifest.json`, outside the
chain; so does the key, in `mask_key.json`. `resume` and `replay` build the same mask from the configuration again.
"""

from pathlib import Path
from typing import Any

from ..tools.market.mask import mask_or_load
from ..tools.market.placebo import placebo
from ..tools.market.view import Market, open_market
from .config import SessionConfig

KEY_FILE = "mask_key.json"
"""What stands for what, in the session's folder."""

PLACES = {"market", "model", "policy", "memory"}
"""Fields that may hold a path: the chain records what was found there (fingerprints, hashes), not where it lay."""


_ELSEWHERE = PLACES | {
    *("training_cutoff", "adapter", "sentiment", "approve", "approval_timeout", "debate_rounds", "extra_calls")
}
"""What stands in the chain but not as it was given: cutoff and adapter are part of the mind, rounds and further calls
of the seats; of who judges the tone, the hash; what came of asking a person is in each answer."""

_ONLY_WITH = {
    "max_short": {"max_short", "short_margin", "short_maintenance", "borrow_fee", "debit_interest"},
    "placebo": {"placebo", "placebo_seed"},
    "ablate": {"ablate"},
}
"""By choice, what stands in the chain only where it is made; without it, a chain is as before there were such."""


def market_of(config: SessionConfig) -> Market:
    """The market of a session: made a placebo, then masked, if the session says so.

    Raises:
        InputError: there is no such market, or it cannot be masked as asked.
    """
    if config.placebo is None:
        return open_market(config.market, config.market_seed, mask=config.mask, mask_seed=config.mask_seed)
    altered = placebo(open_market(config.market, config.market_seed).dataset, config.placebo, config.placebo_seed)
    if not config.mask:
        return Market(altered)
    masked = mask_or_load(altered, frozenset(config.mask), config.mask_seed)
    return Market(masked.dataset, masked)


def recorded_choices(config: SessionConfig, market: Market) -> dict[str, Any]:
    """The configuration as the chain records it: without places, and in the terms of a masked market."""
    # a session without a mask, and without what else came later, has the same chain as before there was such
    asks = {"approve": True} if config.approve else {}
    absent = _ELSEWHERE.union(*(fields for choice, fields in _ONLY_WITH.items() if not getattr(config, choice)))
    if market.masked is None:
        return config.model_dump(mode="json", exclude=absent | {"mask", "mask_seed"}) | asks
    key = market.masked.key
    masked = config.model_copy(
        update={
            "universe": None if config.universe is None else tuple(key.tickers[name] for name in config.universe),
            "benchmark": None if config.benchmark is None else key.tickers[config.benchmark],
            "start": None if config.start is None else key.later(config.start),
            "end": None if config.end is None else key.later(config.end),
        }
    )
    return masked.model_dump(mode="json", exclude=absent) | asks


def keep_key(market: Market, folder: Path) -> None:
    """Write the key of a masked market into the session's folder."""
    if market.masked is not None:
        market.masked.key.write(folder / KEY_FILE)
