"""A reader's training on the terminal: how far it is, and what came of it."""

from collections.abc import Callable
from pathlib import Path

from rich.console import Console
from rich.table import Table

from ....tools.sentiment.classifier import CLASSES
from ...pages import print_json, print_tables
from ..screen import watched
from .card import ReaderCard
from .command import train_reader
from .parts import Parts
from .recipe import ReaderRecipe


def reader_screen(parts: Callable[[], Parts], out: Path, recipe: ReaderRecipe, base: str) -> ReaderCard:
    """Train with a moving bar on standard error.

    Raises:
        Interrupted: Ctrl-C; the message says how to go on.
    """
    return watched(
        lambda say, listen: train_reader(parts(), out, recipe, base=base, say=say, listen=listen),
        f"the same command with --out {out} goes on from the last look",
    )


def print_reader(card: ReaderCard, out: Path, *, json: bool) -> None:
    """The report of a reader, and how to use it."""
    if json:
        print_json(card)
        return
    report = card.report
    table = Table("", "accuracy", "macro-F1", "Brier", "log loss", "ECE", box=None, pad_edge=False)
    classes = Table("class", "texts", "precision", "recall", "F1", *(f"as {name}" for name in CLASSES), box=None)
    for one in (table, classes):
        for column in one.columns[1:]:
            column.justify = "right"
    table.add_row("most frequent class", f"{report.majority:.3f}")
    for name, found in (("as trained", report.before), (f"temperature {card.temperature:.2f}", report.after)):
        figures = (found.accuracy, found.macro_f1, found.brier, found.log_loss, found.ece)
        table.add_row(name, *(f"{figure:.3f}" for figure in figures))
    for (name, of), counts in zip(report.by_class.items(), report.after.confusion, strict=True):
        classes.add_row(name, f"{of.texts}", *(f"{x:.3f}" for x in (of.precision, of.recall, of.f1)), *map(str, counts))
    print_tables(f"{report.texts} texts never trained on; standard error of the accuracy {report.accuracy_error:.3f}")
    print_tables(table, classes)
    Console(stderr=True, highlight=False, soft_wrap=True).print(
        f"use it: paperdesk run --sentiment reader:{out}; all of its making is in {out / 'README.md'}"
    )
