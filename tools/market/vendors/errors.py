"""What can go wrong between PaperDesk and a vendor of market data."""

from typing import ClassVar

from ...errors import InputError, PaperDeskError


class VendorError(PaperDeskError):
    """A vendor did not give what was asked for; nothing was written on its behalf."""


class VendorUnavailable(VendorError):
    """The vendor could not be reached, broke, or wants fewer requests, also after all retries: try again later."""


class VendorRefused(VendorError):
    """The vendor does not serve us: a key or user agent is missing or wrong; the message names the variable to set."""

    exit_code: ClassVar[int] = 2


class UnknownSymbol(VendorError):
    """The vendor knows no such symbol, or has nothing for it in these dates."""

    exit_code: ClassVar[int] = 2


class VendorSchemaError(VendorError):
    """The answer does not have the expected form; the message names the field. Nothing is guessed around it."""


class IncompletePull(VendorError):
    """Some symbols could not be had; what succeeded is kept, and the same command asks for the rest alone."""


class PullRefused(InputError):
    """The folder of a pull belongs to another request, to another running pull, or is not empty."""
