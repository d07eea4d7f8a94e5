"""A mind whose every answer is on record, and that reads the record before it thinks."""

import json
from collections.abc import Callable
from dataclasses import dataclass

from ..agents.models.core import Fingerprint, ModelCore, Reply, Request
from ..memory.journal.events import ModelCalled
from ..memory.journal.store import Journal
from ..tools.frozen import canonical_json


@dataclass
class JournaledMind:
    """Answers from the journal where it has the answer, from the model otherwise; journals both the same way.

    The model is opened at the first question that the journal cannot answer, so a replay never opens one.
    """

    fingerprint: Fingerprint
    journal: Journal
    open_model: Callable[[], ModelCore]
    decision: int | None = None
    """The decision that calls belong to; set by the graph."""
    calls: int = 0
    """Questions that the model itself had to answer."""

    @property
    def key(self) -> str:
        """Key of the mind's fingerprint."""
        return self.fingerprint.key()

    def answer(self, request: Request) -> Reply:
        """The reply, from the record or from the model."""
        key = request.key(self.key)
        document = self.journal.reply_for(key)
        if document is None:
            self.calls += 1
            # Through its canonical text, so that a fresh reply and a recorded one are alike to the order of their keys:
            # sums over a dict depend on it in the last digit.
            document = json.loads(canonical_json(self.open_model().answer(request).model_dump(mode="json")))
        reply = Reply.model_validate(document)
        self.journal.append(
            ModelCalled(
                decision=self.decision,
                agent=request.role,
                task=request.task,
                request_key=key,
                request=request.model_dump(mode="json", by_alias=True),
                reply=document,
            )
        )
        return reply
