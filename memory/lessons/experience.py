"""The experience of a desk: its lessons in a chroma collection, searched exactly and never past a time.

The collection lives in the memory of one process and is made anew from outcomes whenever a session runs, is resumed or
is replayed: it is derived data, and what is not on disk can be neither stale, nor damaged, nor opened by two processes
at once. Chroma filters by agent and by whole seconds; what is left is ranked by exact cosine similarity, because
chroma's own ranking walks a graph that is built of all lessons, later ones included.
"""

from collections.abc import Sequence
from datetime import datetime
from itertools import count
from typing import Any, NamedTuple

import numpy as np

from ...tools.market.documents.embedding import DIMENSIONS, embed, similarities
from ...tools.market.documents.table import known_from, second_of
from ..outcome import Outcome
from .lesson import Lesson, lesson_of

_PORTION = 5000
"""Lessons per insert; chroma takes at most 5461."""
# ranking is exact, so chroma's graph is as small as it may be
_CONFIGURATION: Any = {"hnsw": {"max_neighbors": 2, "ef_construction": 2}}
_NUMBERS = count()
"""Collections in memory share one space of names per process."""


class Recalled(NamedTuple):
    """A lesson that was found."""

    lesson: Lesson
    similarity: float
    """Cosine of the situations."""


class _Known(NamedTuple):
    """The lessons of one agent up to a second."""

    lessons: list[Lesson]
    vectors: Any


class Experience:
    """Lessons by agent; chroma is opened at the first recall."""

    def __init__(self) -> None:
        self._heard: list[Outcome] = []
        """What no lesson was told of yet: a desk that never recalls needs none."""
        self._waiting: list[Lesson] = []
        self._lessons: dict[str, Lesson] = {}
        self._collection: Any = None
        self._known: dict[tuple[str, int], _Known] = {}

    def learn(self, *outcomes: Outcome) -> None:
        """Take in the lessons of outcomes; one that it already holds counts once."""
        self._heard.extend(outcomes)
        self._known.clear()

    def recall(self, agent: str, situation: str, as_of: datetime, k: int) -> list[Recalled]:
        """The lessons of an agent whose situations are most like one, best first; of equal ones the newest, then by id.

        Args:
            agent: whose.
            situation: in the words of `lesson.situation_of`.
            as_of: a lesson that was not known then is neither returned nor of any influence.
            k: how many at most.
        """
        lessons, vectors = self._until(agent, second_of(as_of))
        if not lessons:
            return []
        likeness = similarities(vectors, embed([situation])[0])
        ranked = sorted(
            range(len(lessons)), key=lambda i: (-likeness[i], -known_from(lessons[i].available_at), lessons[i].id)
        )
        return [Recalled(lessons[i], float(likeness[i])) for i in ranked[:k]]

    def _until(self, agent: str, second: int) -> _Known:
        if (agent, second) not in self._known:
            self._known[agent, second] = self._read(agent, second)
        return self._known[agent, second]

    def _read(self, agent: str, second: int) -> _Known:
        self._write()
        got = self._open().get(
            where={"$and": [{"agent": {"$eq": agent}}, {"available_at": {"$lte": second}}]}, include=["embeddings"]
        )
        vectors = np.asarray(got["embeddings"], dtype=np.float32).reshape(-1, DIMENSIONS)
        return _Known([self._lessons[id_] for id_ in got["ids"]], vectors)

    def _write(self) -> None:
        for outcome in self._heard:
            lesson = lesson_of(outcome)
            if lesson.id not in self._lessons:
                self._lessons[lesson.id] = lesson
                self._waiting.append(lesson)
        self._heard = []
        for first in range(0, len(self._waiting), _PORTION):
            some: Sequence[Lesson] = self._waiting[first : first + _PORTION]
            self._open().add(
                ids=[lesson.id for lesson in some],
                embeddings=embed([lesson.situation for lesson in some]),
                documents=[lesson.text for lesson in some],
                metadatas=[{"agent": row.agent, "available_at": known_from(row.available_at)} for row in some],
            )
        self._waiting = []

    def _open(self) -> Any:
        if self._collection is None:
            # imported here because it takes a second and only a desk that recalls lessons needs it
            import chromadb
            from chromadb.config import Settings

            # without the setting it phones home
            client = chromadb.EphemeralClient(settings=Settings(anonymized_telemetry=False))
            name = f"lessons-{next(_NUMBERS)}"
            self._collection = client.create_collection(name, embedding_function=None, configuration=_CONFIGURATION)
        return self._collection
