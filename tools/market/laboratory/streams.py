"""Independent random numbers: one stream per purpose and company, so that nothing shifts anything else."""

from typing import Final

import numpy as np

MARKET: Final = 0
SECTOR: Final = 1
NAMES: Final = 2
CHARACTER: Final = 3
BUSINESS: Final = 4
TIMES: Final = 5
SHARES: Final = 6
QUOTES: Final = 7
MOODS: Final = 8
SCRIPT: Final = 9
ROUTINE: Final = 10
COPIES: Final = 11
HOSTILE: Final = 12
FUND: Final = 13
LINKS: Final = 14

_LABORATORY = 3
"""Keeps these streams apart from those of the generated market with the same seed."""


def stream(seed: int, purpose: int, number: int = 0) -> np.random.Generator:
    """The random numbers for one purpose of company (or sector) `number`."""
    return np.random.default_rng([seed, _LABORATORY, purpose, number])
