"""`paperdesk train reader`: from labelled texts to a folder with a reader, its card and its report."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

from ....agents.models.digest import file_digest
from ....memory.journal import code_hash
from ....tools.disk import save
from ....tools.frozen import content_hash
from ....tools.sentiment import calibration
from ....tools.sentiment.calibration import Calibration
from ....tools.sentiment.classifier import columns_of
from ....tools.sentiment.embedding import short_hash
from ....tools.sentiment.reader import READER_FILE, Reader, ReaderFile
from ....tools.sentiment.transformer import TransformersClassifier
from ..adapter import Progress, required
from ..exercises import TrainingError
from ..places import CARD_FILE, CHECKPOINT
from .base import MINILM, Base, load_base, quiet
from .card import PartCard, ReaderCard, page_of
from .course import Course, TrainedReader
from .parts import Parts
from .recipe import ReaderRecipe
from .report import draw_reliability, report_of

PAGE_FILE, PLOT_FILE = "README.md", "reliability.svg"
"""In a reader's folder, for people."""
WEIGHTS = "model.safetensors"
LIBRARIES = ("torch", "transformers", "safetensors", "peft")
"""Of the extra `nlp`, with their versions on the card."""
LEAST_WORDS = 20
"""Shorter pieces of a long text say too little, however short the texts learnt from are."""


def train_reader(
    parts: Parts,
    out: Path,
    recipe: ReaderRecipe,
    *,
    base: str = MINILM,
    say: Callable[[str], None] = lambda text: None,
    listen: Callable[[Progress], None] = lambda progress: None,
) -> ReaderCard:
    """Train a reader and write it into a folder; an interrupted training goes on where it was.

    Args:
        parts: of the data.
        out: a folder: new, or of the same training begun before.
        recipe: how.
        base: what it is made from: `minilm`, a folder, or a hub name.
        say: told what is going on.
        listen: told after each step.

    Raises:
        TrainingError: the folder holds a reader or another training's checkpoint, the loss is no number any more, or
            the memory does not suffice for one text.
        NoTorch: the extra `nlp` is missing.
        InputError: there is no such base.
    """
    if (out / CARD_FILE).exists():
        raise TrainingError(f"{out} holds a trained reader: name a new folder, or delete that one.")
    for name in LIBRARIES:
        required(name)  # told before the slow steps
    out.mkdir(parents=True, exist_ok=True)
    left = f"{sum(parts.repeats)} repeats left out" if any(parts.repeats) else ""
    notes = [note for note in ("in the order of time" if parts.ordered else "", left) if note]
    counts = f"{len(parts.learn)} texts to learn from, {len(parts.stop)} to stop by, {len(parts.exam)} for the end"
    say(f"{counts} ({', '.join(notes)})" if notes else counts)
    code = code_hash()  # before the long part: the files may be others afterwards
    beginning = load_base(base, recipe)
    course = Course(
        beginning,
        parts.learn,
        parts.stop,
        recipe,
        checkpoint=out / CHECKPOINT,
        key=content_hash([recipe.model_dump(), parts.digest, beginning.sha256]),
        say=say,
        listen=listen,
    )
    trained = course.run()
    _write_model(course.put(trained.state), beginning.tokenizer, recipe, out)
    return _finished(parts, out, recipe, beginning, trained, code, say)


def _finished(
    parts: Parts,
    out: Path,
    recipe: ReaderRecipe,
    base: Base,
    trained: TrainedReader,
    code: str,
    say: Callable[[str], None],
) -> ReaderCard:
    """Calibrate, examine, and write what stands beside the weights; the card last."""
    say(f"calibrating on {len(parts.stop)} texts, examining on {len(parts.exam)} never trained on")
    weights = file_digest(out / WEIGHTS)
    plain = TransformersClassifier(out)
    scaling = calibration.fit(
        plain.predict(parts.stop.texts), parts.stop.texts, parts.stop.labels, weights, "temperature"
    )
    _write_reader(parts, out, scaling)
    report = report_of(*Reader(out).both(parts.exam.texts), columns_of(parts.exam.labels))
    draw_reliability(report, out / PLOT_FILE, f"{out.name}: {report.texts} texts never trained on")
    card = ReaderCard(
        base=base.name,
        base_sha256=base.sha256,
        weights_sha256=weights,
        recipe=recipe,
        learn=PartCard.of(parts.learn),
        stop=PartCard.of(parts.stop),
        exam=PartCard.of(parts.exam),
        ordered=parts.ordered,
        repeats=parts.repeats,
        code=code,
        libraries={name: required(name).__version__ for name in LIBRARIES},
        trained_weights=sum(values.numel() for values in trained.state.values()),
        rows_at_once=trained.rows_at_once,
        steps=trained.steps,
        seconds=round(trained.seconds, 1),
        losses=tuple(trained.losses),
        temperature=1 / scaling.weights[0],
        report=report,
    )
    save(out / PAGE_FILE, page_of(card, out.name, PLOT_FILE).encode())
    save(out / CARD_FILE, (card.model_dump_json(indent=1) + "\n").encode())
    (out / CHECKPOINT).unlink(missing_ok=True)
    return card


def _write_model(model: Any, tokenizer: Any, recipe: ReaderRecipe, out: Path) -> None:
    """The classifier as transformers keeps one, in a single file of weights; low-rank changes are added in."""
    with quiet(required("transformers")):
        whole = model.merge_and_unload() if recipe.mode == "lora" else model
        whole.save_pretrained(out, max_shard_size="100GB")
        tokenizer.save_pretrained(out)


def _write_reader(parts: Parts, out: Path, scaling: Calibration) -> None:
    lengths = sorted(len(text.split()) for text in parts.learn.texts)
    file = ReaderFile(
        weights={WEIGHTS: file_digest(out / WEIGHTS)},
        calibration=scaling,
        words=max(LEAST_WORDS, lengths[int(0.95 * (len(lengths) - 1))]),
        texts=tuple(sorted(short_hash(text) for part in (parts.learn, parts.stop) for text in part.texts)),
    )
    save(out / READER_FILE, file.model_dump_json(indent=1).encode())
