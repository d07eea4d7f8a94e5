"""A GGUF model in this process, as a mind.

A request is answered in groups that fit the context. The longest common beginning of all its prompts is evaluated once;
each prompt's rest, its options and its object then live in sequences of their own. Cutting at the longest common
beginning of the *token* lists, not of the texts, makes every prompt's tokens those of the whole text by construction.
"""

import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import takewhile
from pathlib import Path

from .. import grammar as grammars
from .. import template as templates
from ..core import Answer, Failure, Fingerprint, ModelError, ModelInputError, Question, Reply, Request, Usage
from ..distribution import best, calibrate, softmax
from ..grammar import Grammar, longest
from ..schemas import Shape, shape_of, violation
from ..template import Turn, template_for
from .conversation import Talk
from .engine import Engine, Token
from .generation import Writer, write_all
from .prefixes import LIVE
from .sampling import Sampler
from .scoring import option_log_probabilities
from .shared import acquire, release

GROUP = 24
"""Prompts held at once: the other sequences hold their options."""
MOST_OPTIONS = LIVE - GROUP - 1
SMOLLM2 = "2024-10-31"
"""SmolLM2 was published then, so it cannot have read anything later."""
CUTOFFS = {"b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53": SMOLLM2}
"""Training cutoffs of the weights that we know, by sha256."""


@dataclass(frozen=True)
class _Job:
    """A prompt and what is wanted after it."""

    index: int
    """Of the question; -1 for the content-free one."""
    tokens: list[int]
    shapes: dict[str, Shape]
    """Of the object that follows each option; empty where none is wanted."""
    budget: int
    room: int
    """Memory cells beyond the prompt that it can need."""


@dataclass(frozen=True)
class _Layout:
    """What all jobs of a request have in common."""

    options: tuple[str, ...]
    paths: tuple[tuple[int, ...], ...]
    """Tokens of each option, terminator included."""
    lead_in: str
    """Text after the terminator."""


class LlamaCpp:
    """llama.cpp in this process; minds with equal files and settings share one engine.

    Args:
        path: a GGUF file.
        threads: CPU threads; they change logits in the last digits, so they are part of the fingerprint.
        seed: part of the fingerprint; decoding is greedy, nothing is drawn.
        n_ctx: memory cells for all sequences of a group together.
        adapter: a LoRA adapter in GGUF form.

    Raises:
        ModelInputError: a file is missing, damaged or unknown to this build.
    """

    def __init__(
        self, path: Path, *, threads: int = 2, seed: int = 0, n_ctx: int = 4096, adapter: Path | None = None
    ) -> None:
        if threads < 1 or n_ctx < 64:
            raise ModelInputError(
                f"A model needs at least 1 thread and 64 tokens of context, not {threads} and {n_ctx}."
            )
        self._loaded = acquire(path, threads, n_ctx, adapter)
        self._open = True
        engine = self._engine
        self.template = template_for(lambda text: _is_control(engine, text))
        self._fingerprint = Fingerprint(
            backend="llama_cpp",
            name=path.name,
            digest=self._loaded.digest,
            settings={
                **engine.settings,
                "weights": self._loaded.weights,
                "weights_sha256": self._loaded.weights_digest,
                "seed": seed,
                "adapter": self._loaded.adapter_digest,
                "template": f"{self.template.name}-{templates.VERSION}",
                "grammar": grammars.VERSION,
                "sampling": "greedy",
            },
            training_cutoff=CUTOFFS.get(self._loaded.digest),
        )

    @property
    def _engine(self) -> Engine:
        return self._loaded.engine

    @property
    def fingerprint(self) -> Fingerprint:
        """All that decides an answer."""
        return self._fingerprint

    @property
    def n_ctx(self) -> int:
        """Tokens that a prompt, its options and its object may take together."""
        return self._engine.n_ctx

    @property
    def path(self) -> Path:
        """The GGUF file."""
        return self._loaded.key[0]

    @property
    def adapter(self) -> Path | None:
        """The LoRA adapter, where there is one."""
        return self._loaded.key[3]

    @property
    def threads(self) -> int:
        """CPU threads."""
        return self._loaded.key[1]

    def count_tokens(self, text: str) -> int:
        """Tokens of a text, without any template."""
        return len(self._engine.tokenize(text))

    def tokenize(self, text: str) -> list[int]:
        """The tokens of a text; none of them is a control token.

        Raises:
            ModelError: the model is closed.
        """
        with self.alone():
            return self._engine.tokenize(text)

    def close(self) -> None:
        """Give the engine back; harmless to repeat."""
        if self._open:
            self._open = False
            release(self._loaded)

    def answer(self, request: Request) -> Reply:
        """All answers. A pure function of the request: what stays in memory equals what would be computed again.

        Raises:
            ModelInputError: an unbounded schema, or more options than sequences.
            ModelError: closed, or llama.cpp failed.
        """
        with self.alone():
            try:
                return self._answer(request)
            except BaseException:
                self._loaded.prefixes.forget()  # whatever was under way is not to be built upon
                raise

    def _answer(self, request: Request) -> Reply:
        layout = self._layout(request)
        jobs = self._jobs(request, layout)
        fitting = [job for job in jobs if len(job.tokens) + job.room <= self.n_ctx]
        answers = {job.index: _too_long(request, job, self.n_ctx) for job in jobs if job not in fitting}
        if -1 in answers:
            return Reply(answers=tuple(_too_long(request, job, self.n_ctx) for job in jobs if job.index >= 0))
        if not any(job.index >= 0 for job in fitting):
            return Reply(answers=tuple(answers[i] for i in range(len(request.questions))))
        shared = _common(fitting)
        prefixes = self._loaded.prefixes
        if shared + sum(len(job.tokens) - shared + job.room for job in fitting) + prefixes.cells > self.n_ctx:
            prefixes.forget()
        prefixes.begin(fitting[0].tokens[:shared])
        usage = Usage(prompt_tokens=shared)
        bias: dict[str, float] = {}
        for group in _groups(fitting, shared, self.n_ctx - prefixes.cells):
            found, cost, bias = self._group(request, layout, group, shared, bias)
            answers |= found
            usage = Usage(
                prompt_tokens=usage.prompt_tokens + cost.prompt_tokens,
                generated_tokens=usage.generated_tokens + cost.generated_tokens,
            )
        return Reply(answers=tuple(answers[i] for i in range(len(request.questions))), usage=usage)

    def prompt(self, turns: Sequence[Turn]) -> list[int]:
        """The tokens of a conversation; only our own markup can become control tokens."""
        pieces = self.template.lay_out([turn for turn in turns if turn.text])
        return self._engine.start + [
            token for piece in pieces for token in self._engine.tokenize(piece.text, special=piece.markup)
        ]

    def talk(self, turns: Sequence[Turn], *, temperature: float = 0.0, seed: int = 0) -> Talk:
        """A conversation that ends where the assistant is to speak; nothing is evaluated yet.

        Args:
            turns: who said what.
            temperature: 0 takes the most probable token each time, more draws.
            seed: of what is drawn, together with the prompt.

        Raises:
            ModelError: the model is closed.
        """
        with self.alone():
            tokens = self.prompt(turns)
            return Talk(self._loaded, self.alone, tokens, Sampler(temperature, seed, tokens))

    @contextmanager
    def alone(self) -> Iterator[None]:
        """Keep the engine to oneself until the block ends; others wait, this thread may go on asking.

        Raises:
            ModelError: the model is closed.
        """
        with self._loaded.lock:
            if not self._open:
                raise ModelError("This model is closed: open it again.")
            yield

    def _layout(self, request: Request) -> _Layout:
        """The options' tokens.

        Each option ends with a terminator: the newline that opens the lead-in, or the end of the turn. Its probability
        is that of the whole answer being this option and nothing more.
        """
        if len(request.options) > MOST_OPTIONS or len(set(request.options)) != len(request.options):
            raise ModelInputError(f"A request scores at most {MOST_OPTIONS} options, all different: fix the caller.")
        if not request.options:
            return _Layout((), (), request.lead_in)
        if request.lead_in.startswith("\n"):
            terminator, lead_in = self._engine.tokenize("\n"), request.lead_in[1:]
        else:
            terminator, lead_in = [self._end], request.lead_in
        paths = tuple((*self._engine.tokenize(option), *terminator) for option in request.options)
        return _Layout(request.options, paths, lead_in)

    @property
    def _end(self) -> int:
        if self.template.end:
            return self._engine.tokenize(self.template.end, special=True)[0]
        return self._engine.end_of_turn

    def _jobs(self, request: Request, layout: _Layout) -> list[_Job]:
        jobs = []
        tree = sum(len(path) for path in layout.paths)
        if layout.options and request.content_free is not None:
            jobs.append(_Job(-1, self._question(request, request.content_free), {}, 0, tree))
        before = max((len(path) for path in layout.paths), default=0) + len(self._engine.tokenize(layout.lead_in))
        for i, question in enumerate(request.questions):
            shapes = {option: shape_of(schema) for option, schema in request.schemas_of(i).items()}
            budget = max((self._budget(shape, request.max_tokens) for shape in set(shapes.values())), default=0)
            jobs.append(_Job(i, self._question(request, question.text), shapes, budget, max(tree, before + budget)))
        return jobs

    def _question(self, request: Request, text: str) -> list[int]:
        return self.prompt([Turn("system", request.system), Turn("user", request.prefix + text)])

    def _budget(self, shape: Shape, max_tokens: int) -> int:
        most = longest(shape, lambda text: self.count_tokens(text.decode()))
        if 0 < max_tokens < most:
            raise ModelInputError(
                f"The schema could need {most} tokens and max_tokens is {max_tokens}: shorten it or raise them."
            )
        return max_tokens or most

    def _group(
        self, request: Request, layout: _Layout, group: Sequence[_Job], shared: int, bias: dict[str, float]
    ) -> tuple[dict[int, Answer], Usage, dict[str, float]]:
        engine = self._engine
        sequences = list(range(1, len(group) + 1))
        engine.copy(0, sequences)
        tokens = [
            Token(token, shared + i, (sequence,), logits=shared + i == len(job.tokens) - 1)
            for job, sequence in zip(group, sequences, strict=True)
            for i, token in enumerate(job.tokens[shared:])
        ]
        last = engine.evaluate(tokens)
        raw: list[dict[str, float]] = [{} for _ in group]
        if layout.options:
            free = list(range(len(group) + 1, LIVE))
            ends = [len(job.tokens) for job in group]
            logs = option_log_probabilities(engine, last, ends, sequences, layout.paths, free)
            raw = [dict(zip(layout.options, softmax(row).tolist(), strict=True)) for row in logs]
        if group[0].index == -1:
            bias = raw[0]
        writers: dict[int, tuple[Writer, Shape]] = {}
        answers: dict[int, Answer] = {}
        for job, sequence, scores, logits in zip(group, sequences, raw, last, strict=True):
            if job.index < 0:
                continue
            probabilities = calibrate(scores, bias) if bias else scores
            answers[job.index] = Answer(
                ticker=request.questions[job.index].ticker, probabilities=probabilities, raw=scores
            )
            if job.shapes:
                option = best(probabilities) if layout.options else ""
                shape = job.shapes[option]
                writer = Writer(sequence, len(job.tokens), Grammar.of(shape), job.budget)
                chosen = layout.paths[layout.options.index(option)] if layout.options else ()
                writer.begin(engine, self._loaded.vocabulary, logits, chosen, layout.lead_in)
                writers[job.index] = (writer, shape)
        if writers:
            write_all(engine, self._loaded.vocabulary, [writer for writer, _ in writers.values()])
        for index, (writer, shape) in writers.items():
            answers[index] = _finish(answers[index], writer, shape)
        engine.drop(sequences)
        usage = Usage(
            prompt_tokens=sum(len(job.tokens) - shared for job in group),
            generated_tokens=sum(writer.used for writer, _ in writers.values()),
        )
        return answers, usage, bias


def _is_control(engine: Engine, text: str) -> bool:
    return len(engine.tokenize(text, special=True)) == 1 and len(engine.tokenize(text)) > 1


def _too_long(request: Request, job: _Job, n_ctx: int) -> Answer:
    question: Question | None = request.questions[job.index] if job.index >= 0 else None
    reason = f"The prompt has {len(job.tokens)} tokens and may need {job.room} more; the context holds {n_ctx}."
    excess = len(job.tokens) + job.room - n_ctx
    return Answer(
        ticker=question.ticker if question else "",
        failure=Failure(kind="context", reason=reason, excess_tokens=excess),
    )


def _common(jobs: Sequence[_Job]) -> int:
    """Length of the longest common beginning of all prompts, at least one token short of the shortest."""
    shortest = min(len(job.tokens) for job in jobs)
    columns = zip(*(job.tokens[: shortest - 1] for job in jobs), strict=True)
    return sum(1 for _ in takewhile(lambda column: len(set(column)) == 1, columns))


def _groups(jobs: Sequence[_Job], shared: int, n_ctx: int) -> Iterator[list[_Job]]:
    """Jobs in order, as many at once as the context and the sequences hold."""
    group: list[_Job] = []
    cells = shared
    for job in jobs:
        need = len(job.tokens) - shared + job.room
        if group and (len(group) == GROUP or cells + need > n_ctx):
            yield group
            group, cells = [], shared
        group.append(job)
        cells += need
    yield group


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
