"""A mind whose every answer is on record, and that reads the record before it thinks."""

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from ..agents.models.budget import Meter
from ..agents.models.core import Fingerprint, ModelCore, Reply, Request, key_of
from ..memory.journal.events import ModelCalled
from ..memory.journal.store import Journal
from ..tools.written import Written


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
    meter: Meter = field(default_factory=Meter)
    """Counts what all replies cost, the recorded ones included, and stops the session at its budget."""

    @property
    def key(self) -> str:
        """Key of the mind's fingerprint."""
        return self.fingerprint.key()

    def become(self, fingerprint: Fingerprint, open_model: Callable[[], ModelCore]) -> None:
        """Another mind from here on; what it costs is counted on."""
        self.fingerprint, self.open_model = fingerprint, open_model
        self.meter.mind = fingerprint

    def answer(self, request: Request) -> Reply:
        """The reply, from the record or from the model.

        Raises:
            BudgetExhausted: the model was not asked, because its answer could exceed the budget; or it was, and its
                reply is on record but exceeds it.
        """
        asked = request.canonical()
        key = key_of(asked, self.key)
        document: Written | dict[str, Any] | None = self.journal.reply_for(key)
        fresh = document is None
        if document is None:
            self.meter.refuse_unless_affordable(request)
            self.calls += 1
            # Through its canonical text, so that a fresh reply and a recorded one are alike to the order of their keys:
            # sums over a dict depend on it in the last digit.
            answered = self.open_model().answer(request).canonical()
            document = Written(answered, json.loads(answered))
        reply = Reply.model_validate(document.read if isinstance(document, Written) else document)
        self.journal.append(
            ModelCalled(
                decision=self.decision,
                agent=request.role,
                task=request.task,
                request_key=key,
                request=Written(asked),
                reply=document,
            )
        )
        self.meter.count(key, reply)
        if fresh:  # what is on record is paid for; only what comes next can be refused
            if self.fingerprint.backend != "scorecard":
                self.journal.sync()  # an answer is dear: no power cut shall take it away
            self.meter.refuse_if_exceeded()
        return reply
