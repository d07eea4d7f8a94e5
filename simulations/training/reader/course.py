"""The training of a reader: minimum of the weighted cross-entropy over batches of texts of like length.

For batches B with labels y and class weights c (n / (K n_k), or 1),
    loss(B) = sum over i in B of c[y_i] (-log p[y_i])  /  sum over i in B of c[y_i],
a batch that does not fit the memory being read in halves, with the same gradient. At each look the part for stopping is
read; the best state is kept. With a checkpoint, an interrupted training ends as an uninterrupted one: what a step draws
(order, dropout) depends on the seed and its number only.
"""

import math
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ....tools.sentiment.classifier import CLASSES, columns_of, softmax
from ....tools.sentiment.labelled import Labelled
from ..adapter import Progress, required
from ..checkpoint import Checkpoint
from ..exercises import TrainingError
from ..short_memory import RowsAtOnce
from .base import Base, device_of
from .recipe import ReaderRecipe

SORTED_OVER = 8
"""Batches whose texts are sorted by length together, so that little is padded."""


@dataclass
class TrainedReader:
    """Where a training ended."""

    state: dict[str, Any] = field(default_factory=dict)
    """The best values of the weights that were trained, by name."""
    steps: int = 0
    """Steps at the best look."""
    losses: list[tuple[int, float, float]] = field(default_factory=list)
    """(step, mean training loss since the last look, loss on the part for stopping)."""
    best: float = math.inf
    seconds: float = 0.0
    rows_at_once: int = 0
    """Texts read at once at the end; less than a batch where memory was short."""


class Course:
    """One training.

    Args:
        base: what is trained; changed in place.
        learn: to learn from.
        stop: tells when to stop.
        recipe: how.
        checkpoint: file in which the state is kept at every look; where it is there already, training goes on from it.
        key: of all that the training depends on; a checkpoint with another one is refused.
        say: told what is out of the ordinary.
        listen: told after each step.
    """

    def __init__(
        self,
        base: Base,
        learn: Labelled,
        stop: Labelled,
        recipe: ReaderRecipe,
        *,
        checkpoint: Path | None = None,
        key: str = "",
        say: Callable[[str], None] = lambda text: None,
        listen: Callable[[Progress], None] = lambda progress: None,
    ) -> None:
        self._torch, self._recipe, self._say, self._listen = required("torch"), recipe, say, listen
        self._checkpoint = Checkpoint(checkpoint, key, "texts, recipe or model", self._torch)
        self._torch.set_num_threads(recipe.threads)
        self._device = device_of(recipe.device)
        self._model, self._tokenizer = base.model.to(self._device), base.tokenizer
        self._learn, self._stop = self._tokens(learn), self._tokens(stop)
        self._truth = {"learn": columns_of(learn.labels), "stop": columns_of(stop.labels)}
        counts = np.bincount(self._truth["learn"], minlength=len(CLASSES))
        weights = len(learn) / (len(CLASSES) * counts) if recipe.class_weights else np.ones(len(CLASSES))
        self._weights = self._torch.tensor(weights, dtype=self._torch.float32, device=self._device)
        self._trained = {name: p for name, p in self._model.named_parameters() if p.requires_grad}
        self._optimizer = self._torch.optim.AdamW(
            self._trained.values(), lr=recipe.learning_rate, weight_decay=recipe.weight_decay
        )
        per_epoch = math.ceil(len(learn) / recipe.batch)
        self._steps = per_epoch * recipe.epochs
        self._every = max(1, math.ceil(per_epoch / recipe.looks))
        self._schedule = self._torch.optim.lr_scheduler.LambdaLR(
            self._optimizer, lambda step: _rate(step, self._steps, recipe.warm_up)
        )
        half = self._device.startswith("cuda") and not self._torch.cuda.is_bf16_supported()
        self._scaler = self._torch.amp.GradScaler(self._device.split(":")[0], enabled=half)
        self._precision = self._torch.float16 if half else self._torch.bfloat16
        one = f"One text of {recipe.max_tokens} tokens does not fit the memory"
        self._at_once = RowsAtOnce(recipe.batch, "texts", f"{one}: take a smaller model or fewer tokens.", say)

    def run(self) -> TrainedReader:
        """The training, to its end or until nothing gets better.

        Raises:
            TrainingError: the checkpoint is of another training, or the loss is no number any more.
            OutOfMemory: one text does not fit.
        """
        trained = TrainedReader(state=self._state())
        done, worse = self._resumed(trained)
        began, step, stopping = time.monotonic() - trained.seconds, 0, math.nan
        since: list[float] = []
        for epoch in range(self._recipe.epochs):
            for rows in self._epoch(epoch):
                step += 1
                if step <= done:
                    continue
                if worse >= self._recipe.patience:
                    break
                loss = self._step(rows, step)
                if not math.isfinite(loss):
                    raise TrainingError(f"The loss is no number after {step} steps: take a smaller learning rate.")
                since.append(loss)
                trained.seconds = time.monotonic() - began
                if step % self._every == 0 or step == self._steps:
                    stopping = self._looked()
                    trained.losses.append((step, float(np.mean(since)), stopping))
                    since, worse = [], worse + 1
                    if stopping < trained.best:
                        trained.best, trained.state, trained.steps, worse = stopping, self._state(), step, 0
                    self._keep(trained, step, worse)
                self._listen(Progress(step, self._steps, loss, stopping, trained.seconds))
        trained.rows_at_once = self._at_once.rows
        return trained

    # -- one step

    def _epoch(self, number: int) -> Iterator[NDArray[np.int64]]:
        """The rows of each batch of an epoch."""
        rng = np.random.default_rng([self._recipe.seed, number])
        order = rng.permutation(len(self._learn))
        lengths = np.array([len(tokens["input_ids"]) for tokens in self._learn])
        group = self._recipe.batch * SORTED_OVER
        batches = []
        for first in range(0, len(order), group):
            some = order[first : first + group]
            some = some[np.argsort(lengths[some], kind="stable")]
            batches += [some[i : i + self._recipe.batch] for i in range(0, len(some), self._recipe.batch)]
        for place in rng.permutation(len(batches)):
            yield batches[place]

    def _step(self, rows: NDArray[np.int64], number: int) -> float:
        self._model.train()
        if self._recipe.mode == "head":
            self._model.base_model.eval()  # what is not trained answers as it will when it is asked
        while True:
            self._torch.manual_seed(self._recipe.seed * 1_000_003 + number)
            self._optimizer.zero_grad()
            try:
                loss = self._gradient(rows)
                break
            except (RuntimeError, MemoryError) as error:
                self._halve(error, len(rows))
        self._scaler.unscale_(self._optimizer)
        self._torch.nn.utils.clip_grad_norm_(self._trained.values(), self._recipe.clip)
        self._scaler.step(self._optimizer)
        self._scaler.update()
        self._schedule.step()
        return loss

    def _gradient(self, rows: NDArray[np.int64]) -> float:
        truth = self._torch.tensor(self._truth["learn"][rows], device=self._device)
        total, loss = self._weights[truth].sum(), 0.0
        for first in range(0, len(rows), self._at_once.rows):
            some = slice(first, first + self._at_once.rows)
            with self._mixed():
                logits = self._logits([self._learn[row] for row in rows[some]])
            losses = self._torch.nn.functional.cross_entropy(
                logits.float(), truth[some], weight=self._weights, reduction="sum"
            )
            share = losses / total
            self._scaler.scale(share).backward()
            loss += float(share.detach())
        return loss

    def _halve(self, error: BaseException, rows: int) -> None:
        self._at_once.halve(error, rows)
        if self._device.startswith("cuda"):
            self._torch.cuda.empty_cache()

    def _looked(self) -> float:
        """The mean loss on the part for stopping, classes weighed as in training, at the temperature that suits best.

        The reader gets a temperature in the end: being too sure, which comes with reading better, must not count here.
        """
        self._model.eval()
        logits = np.empty((len(self._stop), len(CLASSES)))
        order = np.argsort([len(tokens["input_ids"]) for tokens in self._stop], kind="stable")
        first = 0
        while first < len(order):
            rows = order[first : first + self._at_once.rows]
            try:
                with self._torch.inference_mode(), self._mixed():
                    logits[rows] = self._logits([self._stop[row] for row in rows]).double().cpu().numpy()
            except (RuntimeError, MemoryError) as error:
                self._halve(error, len(rows))
                continue
            first += len(rows)
        truth = self._truth["stop"]
        return tempered_loss(logits, truth, self._weights.double().cpu().numpy()[truth])

    def _logits(self, tokens: Sequence[Any]) -> Any:
        inputs = self._tokenizer.pad(list(tokens), return_tensors="pt")
        return self._model(**{name: values.to(self._device) for name, values in inputs.items()}).logits

    def _tokens(self, labelled: Labelled) -> list[Any]:
        longest = self._tokenizer.model_max_length
        return [self._tokenizer(text, truncation=True, max_length=longest) for text in labelled.texts]

    def _mixed(self) -> AbstractContextManager[Any]:
        """Mixed precision on a GPU: bfloat16, or float16 with a scaled loss where it has no bfloat16."""
        if not self._device.startswith("cuda"):
            return nullcontext()
        mixed: AbstractContextManager[Any] = self._torch.autocast("cuda", dtype=self._precision)
        return mixed

    # -- what is kept

    def _state(self) -> dict[str, Any]:
        return {name: parameter.detach().cpu().clone() for name, parameter in self._trained.items()}

    def put(self, state: dict[str, Any]) -> Any:
        """The model with these values of its trained weights, on the CPU."""
        with self._torch.no_grad():
            for name, values in state.items():
                self._trained[name].copy_(values)
        return self._model.to("cpu").eval()

    def _keep(self, trained: TrainedReader, step: int, worse: int) -> None:
        self._checkpoint.write(
            trained,
            step=step,
            worse=worse,
            rows=self._at_once.rows,
            now=self._state(),
            optimizer=self._optimizer.state_dict(),
            schedule=self._schedule.state_dict(),
            scaler=self._scaler.state_dict(),
        )

    def _resumed(self, trained: TrainedReader) -> tuple[int, int]:
        """Steps that a checkpoint has behind it, and looks since the best one; (0, 0) without a checkpoint."""
        kept = self._checkpoint.read(trained)
        if kept is None:
            return 0, 0
        self.put(kept["now"])
        self._model.to(self._device)
        self._optimizer.load_state_dict(kept["optimizer"])
        self._schedule.load_state_dict(kept["schedule"])
        self._scaler.load_state_dict(kept["scaler"])
        self._at_once.rows = int(kept["rows"])
        self._say(f"going on after step {kept['step']} of {self._steps}")
        return int(kept["step"]), int(kept["worse"])


def tempered_loss(logits: NDArray[np.float64], truth: NDArray[np.int64], weights: NDArray[np.float64]) -> float:
    """The least weighted mean of -log softmax(logits / T)[truth] over temperatures T between 1/20 and 20.

    Args:
        logits: (n, k).
        truth: (n,) columns.
        weights: (n,) of the texts.
    """
    from scipy.optimize import minimize_scalar

    if not np.isfinite(logits).all():
        return math.inf

    def loss(log_temperature: float) -> float:
        chosen = softmax(logits / math.exp(log_temperature))[np.arange(len(truth)), truth]
        return float((-np.log(np.maximum(chosen, 1e-12)) * weights).sum() / weights.sum())

    found = minimize_scalar(loss, bounds=(-3.0, 3.0), method="bounded")
    return min(float(found.fun), loss(0.0))


def _rate(step: int, steps: int, warm_up: float) -> float:
    """The share of the highest rate after so many steps."""
    rising = max(1, round(steps * warm_up))
    return (step + 1) / rising if step < rising else max(0.0, (steps - step) / max(1, steps - rising))
