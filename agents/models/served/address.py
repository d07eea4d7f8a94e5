"""Where a served model is: `http://127.0.0.1:8080/v1#name`. It is journaled, so nothing secret may stand in it."""

from typing import NamedTuple
from urllib.parse import urlsplit

from ..core import ModelInputError

SCHEMES = ("http://", "https://")


class Address(NamedTuple):
    """A server and one of its models."""

    url: str
    """Up to and including `/v1`, without a slash at its end."""
    model: str | None
    """None: the only one that the server has."""


def is_address(spec: str) -> bool:
    """Whether a model is named by the address of a server."""
    return spec.lower().startswith(SCHEMES)


def address_of(spec: str) -> Address:
    """The parts of an address.

    Raises:
        ModelInputError: it holds a user, a password or a query, or names no host; the message repeats none of it.
    """
    try:
        parts = urlsplit(spec)
        named = parts.hostname is not None and (parts.port is None or parts.port > 0)
        secret = parts.username is not None or parts.password is not None or bool(parts.query)
    except ValueError:
        named = secret = False
    if secret:
        raise ModelInputError(
            "The address of a model server must hold no user, password or query, because it is written to the journal: "
            "put the key into the environment (PAPERDESK_API_KEY) and take it out of the address."
        )
    if not named:
        raise ModelInputError("The address of the model server is none: give one like http://127.0.0.1:8080/v1#name.")
    url = f"{parts.scheme}://{parts.netloc}{parts.path}".rstrip("/")
    return Address(url, parts.fragment or None)
