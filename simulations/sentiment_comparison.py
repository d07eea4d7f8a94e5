"""The command `paperdesk sentiment compare`: classifiers by their specs, judged on a CSV file, printed."""

import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from functools import partial
from pathlib import Path

from rich.console import Console
from rich.table import Table

from ..agents.models.adapters import named_adapters
from ..agents.models.open import open_model
from ..agents.sentiment_prompt import PromptClassifier
from ..tools.errors import InputError
from ..tools.sentiment.calibration import Method
from ..tools.sentiment.classifier import CLASSES, SentimentClassifier
from ..tools.sentiment.comparison import Comparison, Contender, Fitted, Result, compare
from ..tools.sentiment.embedding import EmbeddingClassifier
from ..tools.sentiment.labelled import read_labelled
from ..tools.sentiment.lexicon import LexiconClassifier
from ..tools.sentiment.reader import Reader
from ..tools.sentiment.transformer import TransformersClassifier
from .training.registry import with_champions

POSSIBLE = (
    "lexicon, embedding, embedding:FOLDER, reader:FOLDER, prompt:MODEL (any --model of a session) or"
    " prompt:MODEL,adapter=PATH, transformers:FOLDER, or transformers:owner/model"
)
"""What a classifier's spec can be, for messages."""
FITTED: dict[str, Callable[..., SentimentClassifier]] = {
    "lexicon:fit": LexiconClassifier.fit,
    "embedding:fit": EmbeddingClassifier.fit,
}
"""Contenders of a comparison that are fitted to a part of its texts."""
DEFAULT = ("lexicon", "lexicon:fit", "embedding", "embedding:fit")
"""Compared where nothing is named: what needs no model."""


@contextmanager
def open_classifier(spec: str, *, threads: int = 2) -> Iterator[SentimentClassifier]:
    """The classifier that a spec names, for the length of a `with` block.

    Args:
        spec: `lexicon`; `embedding` (the head that comes with PaperDesk) or `embedding:FOLDER` (a saved one);
            `reader:FOLDER` (one that `paperdesk train reader` made); `prompt:MODEL` (a spec of `open_model`), or
            `prompt:MODEL,adapter=PATH` with a LoRA adapter (a GGUF file, or a folder that `paperdesk train desk` made;
            `none`: without the one that comes along);
            `transformers:SOURCE` with a folder or a hub name `owner/model[@revision]`, and the meaning of its labels
            after a # where its config does not say it:
            `transformers:FOLDER#LABEL_0=negative,LABEL_1=neutral,LABEL_2=positive`.
        threads: of an in-process model of the desk.

    Raises:
        InputError: the spec names nothing, or what it names cannot be had.
    """
    kind, _, rest = spec.partition(":")
    if spec == "lexicon":
        yield LexiconClassifier()
    elif spec == "embedding":
        yield EmbeddingClassifier.default()
    elif kind == "embedding" and rest and spec not in FITTED:
        yield EmbeddingClassifier.load(Path(rest).expanduser())
    elif kind == "reader" and rest:
        yield Reader(Path(rest).expanduser())
    elif kind == "transformers" and rest:
        source, mark, told = rest.partition("#")
        yield TransformersClassifier(source, _meanings(spec, told) if mark else None)
    elif kind == "prompt" and rest:
        model, named, adapter = rest.partition(",adapter=")
        mind = open_model(model, threads=threads, adapters=_adapters(adapter) if named else None)
        try:
            yield PromptClassifier(mind, rest)
        finally:
            mind.close()
    else:
        raise InputError(f"there is no classifier {spec!r}; name {POSSIBLE}")


def _adapters(given: str) -> dict[str, Path]:
    if not given:
        raise InputError("the adapter has no name: give its file or folder, or `none`")
    return named_adapters(with_champions((given,)), ()) or {}


def print_comparison(
    path: Path,
    specs: Sequence[str] = DEFAULT,
    *,
    seed: int = 0,
    method: Method = "vector",
    json: bool = False,
    threads: int = 2,
) -> Comparison:
    """Compare classifiers on a CSV file with columns text and label, and print the result.

    A table goes to standard output, or with `json` the whole `Comparison`; what is being done goes to standard error.

    Args:
        path: of the CSV file.
        specs: of `open_classifier`, and those of `FITTED`.
        seed: of the split.
        method: of calibration.
        json: print JSON.
        threads: of an in-process model of the desk.

    Raises:
        InputError: a spec names nothing, the file has a defect or too few texts, or a classifier has seen its texts.
        PaperDeskError: a classifier broke.
    """
    told = Console(stderr=True, highlight=False)
    labelled = read_labelled(path)
    with ExitStack() as opened:
        contenders: list[Contender] = []
        for spec in dict.fromkeys(specs or DEFAULT):
            if spec in FITTED:
                contenders.append(Fitted(spec, partial(FITTED[spec], name=spec)))
                continue
            told.print(f"opening {spec}", style="dim")
            contenders.append(opened.enter_context(open_classifier(spec, threads=threads)))
        comparison = compare(
            contenders,
            labelled,
            timer=time.perf_counter,
            seed=seed,
            method=method,
            progress=lambda line: told.print(line, style="dim"),
        )
    if json:
        sys.stdout.write(comparison.model_dump_json(indent=1) + "\n")
    else:
        show(comparison, Console(highlight=False))
    return comparison


def show(comparison: Comparison, console: Console) -> None:
    """The comparison as two tables: scores before and after calibration, and what was taken for what."""
    error = comparison.accuracy_error
    title = (
        f"{comparison.data}: judged on {comparison.judged_on} texts, calibrated on {comparison.calibrated_on},"
        f" fitted on {comparison.fitted_on}"
    )
    table = Table(title=title, caption=f"standard error of an accuracy up to {error:.3f}; seed {comparison.seed}")
    table.add_column("classifier")
    for name in ("accuracy", "macro-F1", "Brier", "log loss", "ECE", "items/s"):
        table.add_column(name, justify="right", no_wrap=True)
    for result in comparison.results:
        for calibrated, found in ((False, result.before), (True, result.after)):
            figures = (found.accuracy, found.macro_f1, found.brier, found.log_loss, found.ece)
            speed = "" if calibrated else _speed(result.items_per_second)
            name = "  calibrated" if calibrated else result.classifier
            table.add_row(name, *(f"{figure:.3f}" for figure in figures), speed, end_section=calibrated)
    console.print(table)
    console.print(_confusions(comparison.results))


def _speed(per_second: float) -> str:
    """A speed in two digits at least."""
    return f"{per_second:,.0f}" if per_second >= 10 else f"{per_second:.2g}"


def _confusions(results: Sequence[Result]) -> Table:
    table = Table(title="Calibrated: texts of each class, and what they were taken for")
    table.add_column("classifier")
    table.add_column("true class")
    for name in CLASSES:
        table.add_column(name, justify="right")
    for result in results:
        for row, (name, counts) in enumerate(zip(CLASSES, result.after.confusion, strict=True)):
            last = row == len(CLASSES) - 1
            table.add_row("" if row else result.classifier, name, *map(str, counts), end_section=last)
    return table


def _meanings(spec: str, told: str) -> dict[str, str]:
    """`LABEL_0=negative,LABEL_1=neutral` as a mapping."""
    pairs = [part.partition("=") for part in told.split(",")]
    if not all(label.strip() and equals and meaning.strip() for label, equals, meaning in pairs):
        raise InputError(f"the labels in {spec!r} cannot be read; write LABEL_0=negative,LABEL_1=neutral and so on")
    return {label.strip(): meaning.strip() for label, _, meaning in pairs}
