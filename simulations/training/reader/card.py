"""What a reader is and where it came from: kept beside its weights, for programs and for people."""

from datetime import date

import numpy as np

from ....tools.frozen import Frozen
from ....tools.sentiment.classifier import CLASSES, columns_of
from ....tools.sentiment.labelled import Labelled
from .recipe import ReaderRecipe
from .report import ReaderReport


class PartCard(Frozen):
    """A part of the data."""

    name: str
    sha256: str
    texts: dict[str, int]
    """By class."""
    first: date | None
    last: date | None
    """Days between which the texts appeared, where that is known."""

    @classmethod
    def of(cls, part: Labelled) -> "PartCard":
        """That of a part."""
        counts = np.bincount(columns_of(part.labels), minlength=len(CLASSES)).tolist()
        return cls(
            name=part.name,
            sha256=part.sha256,
            texts=dict(zip(CLASSES, counts, strict=True)),
            first=min(part.dates, default=None),
            last=max(part.dates, default=None),
        )


class ReaderCard(Frozen):
    """All of a reader's making."""

    base: str
    base_sha256: str
    """Of the weights that training began with."""
    weights_sha256: str
    recipe: ReaderRecipe
    learn: PartCard
    stop: PartCard
    exam: PartCard
    ordered: bool
    """Whether the parts follow each other in time."""
    repeats: tuple[int, int]
    """Texts left out of `stop` and `exam` because they repeat an earlier one."""
    code: str
    """Hash of PaperDesk's code."""
    libraries: dict[str, str]
    trained_weights: int
    """How many numbers were trained."""
    rows_at_once: int
    steps: int
    """At the state that was kept."""
    seconds: float
    losses: tuple[tuple[int, float, float], ...]
    """(step, loss while learning, loss on `stop`)."""
    temperature: float
    """Logits are divided by it."""
    report: ReaderReport
    """On `exam`."""


def page_of(card: ReaderCard, name: str, plot: str) -> str:
    """The card as Markdown.

    Args:
        card: of the reader.
        name: of the reader.
        plot: file of the reliability diagram.
    """
    report, recipe = card.report, card.recipe
    rows = [
        f"| {what} | {part.name} | {', '.join(f'{count} {label}' for label, count in part.texts.items())} |"
        f" {f'{part.first} to {part.last}' if part.first else 'not dated'} | `{part.sha256[:16]}` |"
        for what, part in (("learnt from", card.learn), ("stopped by", card.stop), ("examined on", card.exam))
    ]
    classes = [
        f"| {label} | {found.texts} | {found.precision:.3f} | {found.recall:.3f} | {found.f1:.3f} |"
        f" {' | '.join(map(str, counts))} |"
        for (label, found), counts in zip(report.by_class.items(), report.after.confusion, strict=True)
    ]
    scored = [
        f"| {what} | {found.accuracy:.3f} | {found.macro_f1:.3f} | {found.brier:.3f} | {found.log_loss:.3f} |"
        f" {found.ece:.3f} |"
        for what, found in (("as trained", report.before), ("with the temperature", report.after))
    ]
    return "\n".join(
        [
            f"# {name}",
            "",
            f"Reads the tone of a text as {', '.join(CLASSES)}. Made from {card.base}"
            f" (`{card.base_sha256[:16]}`) by training in mode `{recipe.mode}` ({card.trained_weights:,} numbers, seed"
            f" {recipe.seed}, {card.steps} steps, {card.seconds:.0f} s). Weights `{card.weights_sha256[:16]}`, code"
            f" `{card.code[:16]}`, {', '.join(f'{name} {version}' for name, version in card.libraries.items())}.",
            "",
            "| | data | texts | days | sha256 |",
            "| --- | --- | --- | --- | --- |",
            *rows,
            "",
            f"Left out as repeats of earlier texts: {card.repeats[0]} of those to stop by, {card.repeats[1]} of those"
            " to be examined on.",
            "",
            f"## On {report.texts} texts never trained on",
            "",
            f"Always saying the most frequent class would be right in {report.majority:.3f} of them. Standard error of"
            f" the accuracy: {report.accuracy_error:.3f}. Temperature: {card.temperature:.2f}, fitted on the texts that"
            " it was stopped by.",
            "",
            "| | accuracy | macro-F1 | Brier (0 to 2) | log loss (nats) | ECE |",
            "| --- | --- | --- | --- | --- | --- |",
            *scored,
            "",
            f"| class | texts | precision | recall | F1 | {' | '.join(f'taken for {label}' for label in CLASSES)} |",
            "| --- | --- | --- | --- | --- | --- | --- | --- |",
            *classes,
            "",
            f"![how sure it is, and how often right]({plot})",
            "",
        ]
    )
