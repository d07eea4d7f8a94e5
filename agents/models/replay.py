"""The mind that only remembers: answers come from a journal, and nothing is computed."""

from collections.abc import Mapping

from .core import Fingerprint, ModelError, Reply, Request


class Replay:
    """Reads replies by request key.

    It bears the fingerprint of the mind whose answers it reads, so that a replayed session's keys equal the recorded
    ones.
    """

    def __init__(self, answers: Mapping[str, Reply], fingerprint: Fingerprint) -> None:
        self._answers = answers
        self._fingerprint = fingerprint
        self._mind = fingerprint.key()

    @property
    def fingerprint(self) -> Fingerprint:
        """The recorded mind's."""
        return self._fingerprint

    def answer(self, request: Request) -> Reply:
        """The recorded reply.

        Raises:
            ModelError: this request was never recorded.
        """
        reply = self._answers.get(request.key(self._mind))
        if reply is None:
            raise ModelError(
                f"The journal holds no answer to {request.role}'s {request.task} request: its prompt, evidence or "
                "model differs from the recorded session, so run it with the model instead of replaying it."
            )
        return reply

    def close(self) -> None:
        """Nothing is held."""
