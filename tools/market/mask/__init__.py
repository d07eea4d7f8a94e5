"""Masking: a data set in which names, dates or levels are replaced, so that no decision can come from memory."""

from .apply import Masked, mask
from .identity import Identity, identity_of
from .kept import mask_or_load
from .key import MASKABLE, MaskKey, What
from .years import years

__all__ = ["MASKABLE", "Identity", "MaskKey", "Masked", "What", "identity_of", "mask", "mask_or_load", "years"]
