"""A GGUF model in this process, as a mind.

The stem of a request (role, rules, market) is evaluated once, its prompts are answered in groups (`answering`). A stem
is cut where its *tokens* begin every prompt, two tokens before its end; a prompt that does not begin so is evaluated
whole: every prompt's tokens are those of the whole text.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import NamedTuple

from .. import grammar as grammars
from .. import template as templates
from ..adapters import EVERYONE, Adapters
from ..core import Answer, Failure, Fingerprint, ModelError, ModelInputError, Question, Reply, Request, Usage
from ..files.catalogue import cutoff_of
from ..grammar import longest
from ..schemas import Shape, shape_of
from ..template import Piece, Turn, template_for
from .answering import Job, Layout, Round
from .conversation import Talk
from .engine import Engine
from .sampling import VERSION as SAMPLING
from .sampling import Sampler
from .scoring import Tree
from .shared import acquire, release
from .turns import turn

MOST_OPTIONS = 64


class LaidOut(NamedTuple):
    """The tokens of a request."""

    stem: list[int]
    """What all its prompts begin with; empty where one of them does not."""
    rests: list[list[int]]
    """What follows it, per question."""
    content_free: list[int] | None
    """What follows it in the content-free question."""
    options: tuple[tuple[int, ...], ...]
    """Of each option, its terminator included."""


class LlamaCpp:
    """llama.cpp in this process; minds with equal files and settings share one engine.

    Args:
        path: a GGUF file.
        threads: CPU threads; they change logits in the last digits, so they are part of the fingerprint.
        seed: part of the fingerprint; decoding is greedy, nothing is drawn.
        n_ctx: memory cells for all sequences of a group together.
        adapter: a LoRA adapter in GGUF form; or several, by the role that answers with each (see `adapters`).

    Raises:
        ModelInputError: a file is missing, damaged or unknown to this build, or an adapter belongs to other weights.
    """

    def __init__(
        self, path: Path, *, threads: int = 2, seed: int = 0, n_ctx: int = 4096, adapter: Path | Adapters | None = None
    ) -> None:
        if threads < 1 or n_ctx < 64:
            raise ModelInputError(
                f"A model needs at least 1 thread and 64 tokens of context, not {threads} and {n_ctx}."
            )
        adapters = {EVERYONE: adapter} if isinstance(adapter, Path) else adapter or {}
        self._loaded = acquire(path, threads, n_ctx, adapters)
        self._open = True
        self._threads = threads
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
                "adapter": self._loaded.adapter_digests.get(EVERYONE, ""),
                **{f"adapter_{role}": digest for role, digest in self._loaded.adapter_digests.items() if role},
                "template": f"{self.template.name}-{templates.VERSION}",
                "grammar": grammars.VERSION,
                "sampling": SAMPLING,
            },
            training_cutoff=cutoff_of(self._loaded.digest),
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
    def adapters(self) -> Adapters:
        """The LoRA adapters, by the role that answers with each."""
        return self._loaded.adapters

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
        with self.alone(request.role):
            try:
                return self._answer(request)
            except BaseException:
                self._loaded.stems.forget()  # whatever was under way is not to be built upon
                raise

    def _answer(self, request: Request) -> Reply:
        layout = self._layout(request)
        stem = self._stem(request)
        jobs = self._jobs(request, layout, stem)
        long: dict[int, Job] = {}
        for job in jobs:
            if len(job.tokens) + job.room > self.n_ctx:
                long.setdefault(job.index, job)
        if -1 in long:
            return Reply(answers=tuple(_too_long(question, long[-1], self.n_ctx) for question in request.questions))
        round_ = Round(self._loaded, request, layout)
        fitting = [job for job in jobs if job.index not in long]
        if any(job.index >= 0 for job in fitting):
            round_.answer(stem, fitting)
        answers = {i: _too_long(request.questions[i], job, self.n_ctx) for i, job in long.items()} | round_.answers
        return Reply(
            answers=tuple(answers[i] for i in range(len(request.questions))),
            usage=Usage(prompt_tokens=round_.prompt_tokens, generated_tokens=round_.generated_tokens),
        )

    def prompt(self, turns: Sequence[Turn]) -> list[int]:
        """The tokens of a conversation; only our own markup can become control tokens."""
        return self._tokens(self.template.lay_out([turn for turn in turns if turn.text]))

    def _tokens(self, pieces: Sequence[Piece]) -> list[int]:
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
    def alone(self, role: str = EVERYONE) -> Iterator[None]:
        """Keep the engine to oneself until the block ends, in our turn on this machine; this thread may go on asking.

        Args:
            role: whose adapter is worn.

        Raises:
            ModelError: the model is closed, or was opened before the process forked.
        """
        if self._loaded.foreign:
            raise ModelError("This model was opened before the process forked: open it again in the new process.")
        with self._loaded.lock:
            if not self._open:
                raise ModelError("This model is closed: open it again.")
            with nullcontext() if self._engine.on_gpu else turn(self._threads):
                self._engine.wear(self._worn_by(role))
                yield

    def _worn_by(self, role: str) -> Path | None:
        adapters = self._loaded.adapters
        return adapters.get(role, adapters.get(EVERYONE))

    def laid_out(self, request: Request) -> LaidOut:
        """The tokens of a request as they are evaluated, for whoever trains on them; nothing is evaluated."""
        with self.alone():
            layout, stem = self._layout(request), self._stem(request)
            content_free = () if request.content_free is None else (request.content_free,)
            whole = [
                self.prompt([Turn("system", request.system), Turn("user", request.prefix + text)])
                for text in (*(question.text for question in request.questions), *content_free)
            ]
        if any(tokens[: len(stem)] != stem for tokens in whole):
            stem = []
        rests = [tokens[len(stem) :] for tokens in whole]
        return LaidOut(
            stem, rests[: len(request.questions)], (rests[-1] if content_free else None), layout.tree.options
        )

    def _layout(self, request: Request) -> Layout:
        """The options' tokens.

        Each option ends with a terminator: the newline that opens the lead-in, or the end of the turn. Its probability
        is that of the whole answer being this option and nothing more.
        """
        if len(request.options) > MOST_OPTIONS or len(set(request.options)) != len(request.options):
            raise ModelInputError(f"A request scores at most {MOST_OPTIONS} options, all different: fix the caller.")
        if not request.options:
            return Layout((), Tree.of(()), request.lead_in)
        if request.lead_in.startswith("\n"):
            terminator, lead_in = self._engine.tokenize("\n"), request.lead_in[1:]
        else:
            terminator, lead_in = [self._end], request.lead_in
        paths = tuple((*self._engine.tokenize(option), *terminator) for option in request.options)
        return Layout(request.options, Tree.of(paths), lead_in)

    @property
    def _end(self) -> int:
        if self.template.end:
            return self._engine.tokenize(self.template.end, special=True)[0]
        return self._engine.end_of_turn

    def _stem(self, request: Request) -> list[int]:
        """The tokens that the request's prompts begin with.

        The last two are left out: a question's first letters may join them to another token.
        """
        turns = [Turn("system", request.system), Turn("user", request.prefix)]
        pieces = self.template.lay_out([turn for turn in turns if turn.text])
        if request.prefix:
            begun = max(i for i, piece in enumerate(pieces) if not piece.markup)
            pieces = pieces[: begun + 1]
        else:
            pieces = pieces[:-1]
        return self._tokens(pieces)[:-2]

    def _jobs(self, request: Request, layout: Layout, stem: list[int]) -> list[Job]:
        """The content-free question, then all other orders of evidence, then the questions as they stand."""
        tree = len(layout.tree.nodes)
        before = 1 + len(self._engine.tokenize(layout.lead_in))
        first, others, mains = [], [], []

        def job(
            index: int, text: str, shapes: dict[str, Shape], budget: int, room: int, main: bool = True, writing: int = 0
        ) -> Job:
            tokens = self.prompt([Turn("system", request.system), Turn("user", request.prefix + text)])
            shared = len(stem) if tokens[: len(stem)] == stem and len(tokens) > len(stem) else 0
            return Job(index, tokens, shared, shapes, budget, room, main, writing)

        # whoever answers with an adapter has learnt how often which answer is right
        if layout.options and request.content_free is not None and self._engine.worn is None:
            first.append(job(-1, request.content_free, {}, 0, tree))
        for i, question in enumerate(request.questions):
            shapes = {option: shape_of(schema) for option, schema in request.schemas_of(i).items()}
            budget = max((self._budget(shape, request.max_tokens) for shape in set(shapes.values())), default=0)
            if layout.options:
                others += [job(i, text, {}, 0, tree, False) for text in question.reorderings]
            writing = before + budget if shapes else 0
            mains.append(job(i, question.text, shapes, budget, tree + writing, writing=writing))
        return [*first, *others, *mains]

    def _budget(self, shape: Shape, max_tokens: int) -> int:
        most = longest(shape, lambda text: self.count_tokens(text.decode()))
        if 0 < max_tokens < most:
            raise ModelInputError(
                f"The schema could need {most} tokens and max_tokens is {max_tokens}: shorten it or raise them."
            )
        return max_tokens or most


def _is_control(engine: Engine, text: str) -> bool:
    return len(engine.tokenize(text, special=True)) == 1 and len(engine.tokenize(text)) > 1


def _too_long(question: Question, job: Job, n_ctx: int) -> Answer:
    reason = f"The prompt has {len(job.tokens)} tokens and may need {job.room} more; the context holds {n_ctx}."
    excess = len(job.tokens) + job.room - n_ctx
    return Answer(ticker=question.ticker, failure=Failure(kind="context", reason=reason, excess_tokens=excess))
