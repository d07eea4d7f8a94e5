"""Real requests of the desk's analysts: those of a scorecard session on us8, word for word as a model is asked."""

import tempfile
from pathlib import Path

from paperdesk.agents.models.core import Question, Request
from paperdesk.memory.journal import Journal
from paperdesk.simulations.config import SessionConfig
from paperdesk.simulations.session import start

US8 = Path(__file__).parents[1] / "../shared/data/us8"
"""Real data beside the repository."""


def analyst_requests(*, repeats: int = 0, end: str = "2024-06-28") -> list[Request]:
    """The requests of both analysts on seven companies, month by month from the beginning of 2024.

    Args:
        repeats: other orders of the evidence in each request.
        end: the last session.

    Raises:
        RuntimeError: us8 is not beside the repository.
    """
    if not US8.is_dir():
        raise RuntimeError(f"this benchmark needs the data set us8 at {US8}")
    config = SessionConfig.model_validate(
        {"market": str(US8.resolve()), "model": "scorecard", "start": "2024-01-02", "end": end, "repeats": repeats}
    )
    with tempfile.TemporaryDirectory() as folder:
        session = Path(folder) / "session"
        start(config, session)
        with Journal.open_readonly(session) as journal:
            asked = [Request.model_validate(record.event.request) for record in journal.events("model_called")]
    return [request for request in asked if request.task == "stance"]


def stance_only(request: Request) -> Request:
    """The same without claims."""
    return request.model_copy(update={"schema_after": ()})


def single(request: Request, question: Question, place: int) -> Request:
    """The request of one question alone."""
    after = request.schema_after[place : place + 1]
    return request.model_copy(update={"questions": (question,), "schema_after": after})
