"""How a session may use a model server: with which key, how many requests at once, how long to wait.

None of it decides an answer, so none of it is part of a session's configuration or of a mind's fingerprint: it can be
given anew when a session is resumed. A key is read from the environment only and is held by the one object that sends
it.
"""

import os
import re

from pydantic import Field

from ....tools.frozen import Frozen
from ..core import ModelInputError

API_KEY_ENV = "PAPERDESK_API_KEY"
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


class Access(Frozen):
    """What is not part of the mind but needed to ask it."""

    api_key_env: str = API_KEY_ENV
    """Name of the environment variable that holds the key; an unset one means no key."""
    concurrency: int = Field(default=4, ge=1, le=256)
    """Requests on their way at the same time; 1: one after the other."""
    timeout_seconds: float = Field(default=300.0, gt=0, le=86_400)
    """For one attempt, from connecting to the last byte."""

    def key(self) -> str:
        """The key, or the empty text where there is none.

        Raises:
            ModelInputError: the variable has an impossible name (a key given in place of a name, say) or its value
                cannot be a key. The message repeats neither.
        """
        if not _NAME.fullmatch(self.api_key_env):
            raise ModelInputError(
                "The key of a model server is given by the name of an environment variable (letters, digits, _), "
                "never by itself: name the variable that holds it."
            )
        key = os.environ.get(self.api_key_env, "").strip()
        if not key.isascii() or any(not "!" <= character <= "~" for character in key):
            raise ModelInputError(
                f"The value of {self.api_key_env} cannot be a key, because it holds spaces or characters outside "
                "ASCII: set it again."
            )
        return key
