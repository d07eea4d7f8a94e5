"""The answering of one request by an engine: its prompts in groups that fit the memory, each group in one pass.

Every prompt's rest, its options and its object live in a sequence and a region of their own (see `slots`); the stem is
in sequence 0 and copied to the others by tagging.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass

from ..core import Answer, Failure, Request
from ..distribution import best, calibrate, pooled, softmax
from ..grammar import Grammar
from ..schemas import Shape, violation
from .engine import BATCH, LIVE, FloatArray
from .generation import Writer, write_all
from .sampling import Sampler
from .scoring import Tree
from .shared import Loaded
from .slots import Part

MOST_BIASES = 64
"""Distributions after content-free questions that are remembered."""


@dataclass(frozen=True)
class Job:
    """A prompt and what is wanted after it."""

    index: int
    """Of the question; -1 for the content-free one."""
    tokens: list[int]
    stem: int
    """How many of them are the stem's; 0 where the prompt does not begin with it."""
    shapes: dict[str, Shape]
    """Of the object that follows each option; empty where none is wanted."""
    budget: int
    room: int
    """Memory cells beyond the prompt that it can need."""
    main: bool = True
    """Whether this is the question as it stands, not another order of its evidence."""

    writing: int = 0
    """How many of these are for the object and what comes before it, in a region of their own."""

    @property
    def cells(self) -> tuple[int, ...]:
        """Of its regions: the prompt with its options, and what is written."""
        return len(self.tokens) - self.stem + self.room - self.writing, self.writing


@dataclass(frozen=True)
class Layout:
    """What all jobs of a request have in common."""

    options: tuple[str, ...]
    tree: Tree
    """Tokens of each option, terminator included."""
    lead_in: str
    """Text after the terminator."""


class Round:
    """The answering of one request."""

    def __init__(self, loaded: Loaded, request: Request, layout: Layout) -> None:
        self._engine, self._slots, self._loaded = loaded.engine, loaded.slots, loaded
        self._request = request
        self._layout = layout
        self._bias: dict[str, float] = {}
        self._scores: dict[int, list[dict[str, float]]] = {}
        """By question, of each order of its evidence, the bias divided out."""
        self.answers: dict[int, Answer] = {}
        self.prompt_tokens = 0
        self.generated_tokens = 0

    def answer(self, stem: list[int], jobs: Sequence[Job]) -> None:
        """Answer the questions of all jobs; each fits the context by itself."""
        self._loaded.stems.begin(stem)
        self.prompt_tokens += len(stem)  # kept or not: what is told must not depend on what was asked before
        mark = self._slots.mark()
        left = list(jobs)
        if left[0].index < 0 and (known := self._loaded.biases.get(self._key_of(left[0]))):
            self._bias = known
            self.prompt_tokens += len(left.pop(0).tokens) - len(stem)  # told as if it had been asked again
        while left:
            count = 1
            while count < min(len(left), self._most) and self._fit(left[: count + 1]):
                count += 1
            self._group(left[:count])
            self._slots.release(mark)
            del left[:count]
        self._slots.release()

    def _key_of(self, job: Job) -> tuple[object, ...]:
        return tuple(job.tokens), self._layout.options, self._layout.tree.options

    @property
    def _most(self) -> int:
        """Prompts at once: sequence 0 holds the stem, the others the prompts' options."""
        return (LIVE - 1) // self._layout.tree.width

    def _fit(self, jobs: Sequence[Job]) -> bool:
        # one batch at a time: llama.cpp looks at the cells of all prompts for each token, if only to skip them
        rows = sum(len(job.tokens) - job.stem + len(self._layout.tree.nodes) for job in jobs)
        return rows <= BATCH and self._slots.fits([cells for job in jobs for cells in job.cells])

    def _group(self, jobs: Sequence[Job]) -> None:
        tree, options = self._layout.tree, self._layout.options
        sequences = [range(1 + i * tree.width, 1 + (i + 1) * tree.width) for i in range(len(jobs))]
        rows = iter(self._slots.evaluate([self._read(job, own) for job, own in zip(jobs, sequences, strict=True)]))
        writers: dict[int, tuple[Writer, Shape]] = {}
        for job, own in zip(jobs, sequences, strict=True):
            logs, logits = tree.log_probabilities(rows)
            scores = dict(zip(options, softmax(logs).tolist(), strict=True)) if options else {}
            if job.index < 0:
                self._bias = scores
                if len(self._loaded.biases) == MOST_BIASES:
                    self._loaded.biases.clear()
                self._loaded.biases[self._key_of(job)] = scores
                continue
            corrected = calibrate(scores, self._bias) if self._bias else scores
            if not job.main:
                self._scores.setdefault(job.index, []).append(corrected)
                continue
            probabilities, disagreement = pooled([corrected, *self._scores.get(job.index, ())])
            self.answers[job.index] = Answer(
                ticker=self._request.questions[job.index].ticker,
                probabilities=probabilities,
                raw=scores,
                order_sensitivity=disagreement,
            )
            if job.shapes:
                option = best(probabilities) if options else ""
                writers[job.index] = (self._writer(job, own, option, logits), job.shapes[option])
        write_all(self._engine, self._loaded.vocabulary, [writer for writer, _ in writers.values()], self._slots)
        for index, (writer, shape) in writers.items():
            self.answers[index] = _finish(self.answers[index], writer, shape)
            self.generated_tokens += writer.used

    def _read(self, job: Job, sequences: Sequence[int]) -> Part:
        """What is evaluated of a prompt and its options, in a region of its own."""
        if job.stem:
            self._engine.copy(0, sequences)
        tokens = self._layout.tree.tokens(job.tokens, job.stem, sequences)
        self.prompt_tokens += len(job.tokens) - job.stem
        return Part(self._slots.region(job.cells[0]), tokens)

    def _writer(self, job: Job, sequences: Sequence[int], option: str, logits: FloatArray) -> Writer:
        """The object that follows an option: written on in the option's own sequence."""
        request, layout = self._request, self._layout
        place = layout.options.index(option) if layout.options else 0
        path = layout.tree.options[place] if layout.options else ()
        writer = Writer(
            sequences[place],
            len(job.tokens) + max(len(path) - 1, 0),
            Grammar.of(job.shapes[option]),
            job.budget,
            self._slots.region(job.writing),
            Sampler(request.temperature, request.seed, job.tokens),
        )
        writer.begin(self._engine, self._loaded.vocabulary, logits, path[-1:], layout.lead_in)
        return writer


def _finish(answer: Answer, writer: Writer, shape: Shape) -> Answer:
    """The answer with its object, or the failure in its place."""
    text = writer.text.decode(errors="replace")
    if writer.failure:
        failure = Failure(kind="unfinished", reason=f"The object is not usable: {writer.failure}.")
        return Answer(ticker=answer.ticker, completion=text, failure=failure)
    parsed = json.loads(text)
    fault = violation(shape, parsed)
    if fault:
        failure = Failure(kind="invalid", reason=f"The object is not usable: {fault}.")
        return Answer(ticker=answer.ticker, completion=text, failure=failure)
    return answer.model_copy(update={"object": parsed, "completion": text})
