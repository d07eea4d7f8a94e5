"""Training of the desk's own model: a low-rank adapter (Hu et al. 2021, "LoRA") on a causal model's attention.

The base is the GGUF file that the desk runs, dequantised by transformers. The tokens are llama.cpp's own, so what is
learnt is what will be asked. A batch is questions of one sheet: its beginning is read once, with gradient, and shared.
The loss is the cross-entropy of the options' tokens after the question, terminator included, in the full vocabulary:
that is what the desk's scores are made of.
"""

import math
import time
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import redirect_stderr
from dataclasses import dataclass, field
from importlib import import_module
from io import StringIO
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from ...agents.models.core import ModelInputError
from ...agents.models.digest import file_digest
from ...agents.models.files.places import find_file
from ...tools.frozen import Frozen, content_hash
from .anchor import Anchor
from .batches import Batch, Laid, Row
from .checkpoint import Checkpoint
from .exercises import Exercise, TrainingError, digest_of, refuse_leaks, refuse_poor
from .places import WEIGHTS_FILE
from .short_memory import RowsAtOnce

TARGETS = ("q_proj", "k_proj", "v_proj", "o_proj")
"""The projections of attention that an adapter changes."""
LEAST = 64
"""Exercises that training needs."""


class Recipe(Frozen):
    """How an adapter is trained."""

    rank: int = Field(default=8, ge=1, le=128)
    alpha: float = Field(default=16.0, gt=0)
    dropout: float = Field(default=0.0, ge=0, lt=1)
    learning_rate: float = Field(default=5e-4, gt=0, le=1)
    warm_up: float = Field(default=0.05, ge=0, le=1)
    """Part of the steps in which the rate rises from 0; then it falls to 0 along a cosine."""
    batch: int = Field(default=16, ge=1, le=256)
    epochs: int = Field(default=1, ge=1, le=100)
    weight_decay: float = Field(default=0.01, ge=0, le=1)
    clip: float = Field(default=1.0, gt=0)
    """Largest norm of a gradient."""
    content_free: float = Field(default=0.1, ge=0, le=10)
    """Weight of one content-free question per batch whose right answer is all options alike. The desk divides nothing
    out of what a mind with an adapter says; where others do (`distribution.calibrate`), it then changes less."""
    examine_every: int = Field(default=100, ge=1)
    """Batches between looks at the exercises held back; the best state is kept."""
    patience: int = Field(default=5, ge=1)
    """Looks without a better state after which training ends early."""
    keep: float = Field(default=0.0, ge=0, le=100)
    """Penalty on leaving the adapter that is gone on from (`anchor`); 0: none."""
    seed: int = Field(default=0, ge=0)
    threads: int = Field(default=2, ge=1, le=256)


@dataclass
class Progress:
    """Where training stands."""

    step: int
    steps: int
    loss: float
    held_back: float
    """Mean loss on the exercises held back at the last look; NaN before the first."""
    seconds: float


@dataclass
class Trained:
    """An adapter in torch's terms, with how it came about."""

    state: dict[str, Any]
    """peft's tensors by name."""
    recipe: Recipe
    steps: int
    losses: list[tuple[int, float, float]] = field(default_factory=list)
    """(step, mean training loss since the last look, loss on the exercises held back)."""
    best: float = math.inf
    seconds: float = 0.0


class NoTorch(TrainingError):
    """The libraries of the extra `nlp` are missing."""


def required(name: str) -> Any:
    """A module of the extra `nlp`.

    Raises:
        NoTorch: it is not installed.
    """
    try:
        return import_module(name)
    except ImportError:
        raise NoTorch(f"Training needs {name}: run `pip install 'paperdesk[nlp]'`.") from None


def base_of(model: str) -> Path:
    """The file of the model that is to be trained.

    Raises:
        ModelInputError: there is none.
    """
    found = find_file(model)
    if found is None:
        raise ModelInputError(f"There is no model file {model!r}: name a .gguf file, or `smollm2`.")
    return found


def versions() -> dict[str, str]:
    """The libraries that training needs, with what a card tells of them.

    Raises:
        NoTorch: one of them is missing.
    """
    for name in ("gguf", "safetensors"):
        required(name)
    return {name: required(name).__version__ for name in ("torch", "transformers", "peft")}


def train_adapter(
    base: Path,
    learn: Sequence[Exercise],
    held_back: Sequence[Exercise],
    recipe: Recipe | None = None,
    *,
    begin_with: Path | None = None,
    loaded: Any | None = None,
    checkpoint: Path | None = None,
    say: Callable[[str], None] = lambda text: None,
    listen: Callable[[Progress], None] = lambda progress: None,
) -> Trained:
    """An adapter of a GGUF model that answers the exercises as they were right.

    Args:
        base: the GGUF file.
        learn: what it learns from.
        held_back: what tells when to stop.
        recipe: how; the default one is measured in docs/training.md.
        begin_with: folder of an adapter (safetensors) to go on from; its rank is that of the recipe.
        loaded: in place of both files, the model as `load_base` gives it, to be trained from where it is.
        checkpoint: file in which the state is kept at every look; where it is there already, training goes on from it.
        say: told what is out of the ordinary.
        listen: told after each batch.

    Raises:
        TooLittleData, OneClass: nothing can be learnt from the exercises.
        Leakage: one of those held back is among those learnt.
        NoTorch: the extra `nlp` is missing.
        TrainingError: the checkpoint is of another training, the loss is no number any more, or the memory does not
            suffice for one question.
    """
    recipe = recipe or Recipe()
    refuse_poor(learn, LEAST, "to learn from")
    refuse_poor(held_back, 8, "held back")
    refuse_leaks(learn, held_back, by_time=False)
    torch = required("torch")
    torch.manual_seed(recipe.seed)
    torch.set_num_threads(recipe.threads)
    model = load_base(base, recipe, begin_with) if loaded is None else loaded
    before = [file_digest(begin_with / WEIGHTS_FILE)] if begin_with is not None else []
    key = content_hash([recipe.model_dump(), digest_of(learn), digest_of(held_back), file_digest(base), *before])
    kept = Checkpoint(checkpoint, key, "exercises, recipe or model", torch)
    return _Course(model, Laid(base, [*learn, *held_back]), learn, held_back, recipe, kept, say, listen).run()


def load_base(base: Path, recipe: Recipe, begin_with: Path | None = None) -> Any:
    """The model of a GGUF file in 32-bit floats with a fresh adapter on it, or with one to go on from."""
    torch, transformers, peft = required("torch"), required("transformers"), required("peft")
    required("gguf")
    try:
        with redirect_stderr(StringIO()):  # a bar that no switch turns off
            model = transformers.AutoModelForCausalLM.from_pretrained(
                base.parent, gguf_file=base.name, dtype=torch.float32, local_files_only=True
            )
    except (OSError, ValueError, KeyError, RuntimeError) as error:
        reason = (str(error).strip() or type(error).__name__).splitlines()[0].rstrip(".")
        raise TrainingError(f"transformers cannot read {base} ({reason}): train on another GGUF file.") from None
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FutureWarning)  # peft asks transformers in a way that will go
        return _adapted(peft, model, recipe, begin_with)


def _adapted(peft: Any, model: Any, recipe: Recipe, begin_with: Path | None) -> Any:
    if begin_with is not None:
        return peft.PeftModel.from_pretrained(model, begin_with, is_trainable=True)
    return peft.get_peft_model(model, lora_config(recipe))


def lora_config(recipe: Recipe) -> Any:
    """Peft's configuration of an adapter."""
    return required("peft").LoraConfig(
        r=recipe.rank,
        lora_alpha=recipe.alpha,
        lora_dropout=recipe.dropout,
        target_modules=list(TARGETS),
        task_type="CAUSAL_LM",
    )


class _Course:
    """One training."""

    def __init__(
        self,
        model: Any,
        laid: Laid,
        learn: Sequence[Exercise],
        held_back: Sequence[Exercise],
        recipe: Recipe,
        checkpoint: Checkpoint,
        say: Callable[[str], None],
        listen: Callable[[Progress], None],
    ) -> None:
        self._torch, self._peft, self._model = required("torch"), required("peft"), model
        self._laid, self._learn, self._recipe, self._listen = laid, learn, recipe, listen
        self._checkpoint, self._say = checkpoint, say
        self._held_back = list(laid.batches(held_back, recipe.batch, np.random.default_rng(0)))
        self._weights = [p for p in model.parameters() if p.requires_grad]
        self._optimizer = self._torch.optim.AdamW(
            self._weights, lr=recipe.learning_rate, weight_decay=recipe.weight_decay
        )
        per_epoch = sum(1 for _ in self._epoch(0))
        self._steps = per_epoch * recipe.epochs
        self._schedule = self._torch.optim.lr_scheduler.LambdaLR(
            self._optimizer, lambda step: _rate(step, self._steps, recipe.warm_up)
        )
        self._anchor = Anchor(model, recipe.keep) if recipe.keep else None
        one = "One question does not fit the memory: free some, or train a smaller model."
        self._at_once = RowsAtOnce(10**6, "rows", one, say)

    def run(self) -> Trained:
        """The training, to its end or until nothing gets better."""
        trained = Trained(self._state(), self._recipe, 0)
        done, worse = self._resumed(trained)
        began, step, held_back = time.monotonic() - trained.seconds, 0, math.nan
        since: list[float] = []
        for epoch in range(self._recipe.epochs):
            for batch in self._epoch(epoch):
                step += 1
                if step <= done:
                    continue
                if worse >= self._recipe.patience:
                    return trained
                loss = self._learn_from(batch)
                if not math.isfinite(loss):
                    raise TrainingError(f"The loss is no number after {step} steps: take a smaller learning rate.")
                since.append(loss)
                trained.seconds = time.monotonic() - began
                if step % self._recipe.examine_every == 0 or step == self._steps:
                    held_back = self._examined()
                    trained.losses.append((step, float(np.mean(since)), held_back))
                    since, worse = [], worse + 1
                    if held_back < trained.best:
                        trained.best, trained.state, trained.steps, worse = held_back, self._state(), step, 0
                    self._keep(trained, step, worse)
                self._listen(Progress(step, self._steps, loss, held_back, trained.seconds))
        return trained

    def _epoch(self, number: int) -> Iterator[Batch]:
        rng = np.random.default_rng([self._recipe.seed, number])
        return self._laid.batches(self._learn, self._recipe.batch, rng, content_free=self._recipe.content_free)

    def _learn_from(self, batch: Batch) -> float:
        """One step; a batch that does not fit the memory is read in halves, with the same gradient."""
        self._model.train()
        while True:
            self._optimizer.zero_grad()
            try:
                total = batch.weight
                loss = 0.0
                for first in range(0, len(batch.rows), self._at_once.rows):
                    share = self._loss(batch.part(first, self._at_once.rows)) / total
                    share.backward()
                    loss += float(share.detach())
                break
            except (RuntimeError, MemoryError) as error:
                self._at_once.halve(error, len(batch.rows))
        if self._anchor is not None:
            self._anchor.penalty().backward()
        self._torch.nn.utils.clip_grad_norm_(self._weights, self._recipe.clip)
        self._optimizer.step()
        self._schedule.step()
        return loss

    def _examined(self) -> float:
        self._model.eval()
        losses = [loss for batch in self._held_back for loss in self._looked(batch)]
        return math.fsum(losses) / math.fsum(batch.weight for batch in self._held_back)

    def _looked(self, batch: Batch) -> Iterator[float]:
        first = 0
        while first < len(batch.rows):
            part = batch.part(first, self._at_once.rows)
            try:
                with self._torch.inference_mode():
                    loss = float(self._loss(part))
            except (RuntimeError, MemoryError) as error:
                self._at_once.halve(error, len(part.rows))
                continue
            yield loss
            first += len(part.rows)

    def _loss(self, batch: Batch) -> Any:
        """The sum over rows and options of -weight x log p(option's tokens | beginning, question)."""
        torch, inner = self._torch, self._model.base_model.model
        ids, positions, seen, asked = _laid_side_by_side(batch.rows)
        cache = None
        if batch.stem:
            cache = inner.model(input_ids=torch.tensor([batch.stem]), use_cache=True).past_key_values
            cache.batch_repeat_interleave(len(batch.rows))
            seen = np.pad(seen, ((0, 0), (0, 0), (len(batch.stem), 0)), constant_values=True)
        hidden = inner.model(
            input_ids=torch.from_numpy(ids),
            attention_mask=torch.from_numpy(seen)[:, None],
            past_key_values=cache,
            position_ids=torch.from_numpy(positions + len(batch.stem)),
            use_cache=True,
        ).last_hidden_state
        row, column, wanted, weights = (torch.tensor(values) for values in zip(*asked, strict=True))
        logits = inner.lm_head(hidden[row, column])
        losses = torch.nn.functional.cross_entropy(logits.float(), wanted, reduction="none")
        return (losses * weights).sum()

    # -- what is kept

    def _state(self) -> dict[str, Any]:
        tensors = self._peft.get_peft_model_state_dict(self._model, save_embedding_layers=False)
        return {name: tensor.detach().clone() for name, tensor in tensors.items()}

    def _keep(self, trained: Trained, step: int, worse: int) -> None:
        self._checkpoint.write(
            trained,
            step=step,
            worse=worse,
            rows=self._at_once.rows,
            now=self._state(),
            optimizer=self._optimizer.state_dict(),
            schedule=self._schedule.state_dict(),
        )

    def _resumed(self, trained: Trained) -> tuple[int, int]:
        """Steps that a checkpoint has behind it, and looks since the best one; (0, 0) without a checkpoint."""
        kept = self._checkpoint.read(trained)
        if kept is None:
            return 0, 0
        self._peft.set_peft_model_state_dict(self._model, kept["now"])
        self._optimizer.load_state_dict(kept["optimizer"])
        self._schedule.load_state_dict(kept["schedule"])
        self._at_once.rows = int(kept["rows"])
        self._say(f"going on after step {kept['step']} of {self._steps}")
        return int(kept["step"]), int(kept["worse"])


def _laid_side_by_side(
    rows: Sequence[Row],
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.bool_], list[tuple[int, int, int, float]]]:
    """What is read of rows, and what is asked of it.

    Returns:
        (rows, longest) tokens, (rows, longest) their places after the beginning, (rows, longest, longest) whether one
        of them (second axis) sees another (third), and row, column, token that should follow there and its weight. An
        option sees the question and itself, and no other option.
    """
    longest = max(len(row.tokens) for row in rows)
    ids, positions = np.zeros((len(rows), longest), np.int64), np.zeros((len(rows), longest), np.int64)
    seen = np.tile(np.tri(longest, dtype=bool), (len(rows), 1, 1))
    asked = []
    for i, row in enumerate(rows):
        tokens, question = row.tokens, len(row.rest)
        ids[i, : len(tokens)], positions[i, :question] = tokens, np.arange(question)
        at = question
        for option, weight in row.options:
            after = at + len(option) - 1
            positions[i, at:after] = np.arange(question, question + len(option) - 1)
            seen[i, at:after, question:at] = False
            columns = [question - 1, *range(at, after)]
            asked += [(i, column, token, weight) for column, token in zip(columns, option, strict=True)]
            at = after
    return ids, positions, seen, asked


def _rate(step: int, steps: int, warm_up: float) -> float:
    rising = max(1, round(steps * warm_up))
    if step < rising:
        return (step + 1) / rising
    return 0.5 * (1 + math.cos(math.pi * (step - rising) / max(1, steps - rising)))
