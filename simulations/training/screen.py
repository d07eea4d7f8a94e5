"""Training on the terminal: how far it is, and what came of it."""

import math
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from rich.console import Console
from rich.progress import BarColumn, TextColumn, TimeRemainingColumn
from rich.progress import Progress as Bar
from rich.table import Table

from ...agents.roles import title_of
from ..console import Interrupted
from ..pages import print_json, print_tables
from .adapter import Progress, Recipe
from .desk_command import Card, DeskPlan, train_desk
from .places import ADAPTER_FILE

T = TypeVar("T")


def training_screen(plan: DeskPlan, out: Path, recipe: Recipe) -> Card:
    """Train with a moving bar on standard error.

    Raises:
        Interrupted: Ctrl-C; the message says how to go on.
    """
    return watched(
        lambda say, listen: train_desk(plan, out, recipe, say=say, listen=listen),
        f"the same command with --out {out} goes on from the last look",
    )


def watched(work: Callable[[Callable[[str], None], Callable[[Progress], None]], T], how_to_go_on: str) -> T:
    """Do something that trains, with a moving bar on standard error, or a line for each look where that is no terminal.

    Args:
        work: called with what tells a line and with what is told after each batch.
        how_to_go_on: after Ctrl-C.

    Raises:
        Interrupted: Ctrl-C; the message says how to go on.
    """
    screen = Console(stderr=True, highlight=False)
    columns = (TextColumn("{task.description}"), BarColumn(), TextColumn("{task.fields[loss]}"), TimeRemainingColumn())
    try:
        with Bar(*columns, console=screen, transient=True, disable=not screen.is_terminal) as bar:
            task = bar.add_task("before the first step", total=None, loss="")
            looked = math.nan

            def listen(at: Progress) -> None:
                nonlocal looked
                held = "" if math.isnan(at.held_back) else f", held back {at.held_back:.3f}"
                where, loss = f"step {at.step} of {at.steps}", f"loss {at.loss:.3f}{held}"
                if screen.is_terminal:
                    bar.update(task, completed=at.step, total=at.steps, description=where, loss=loss)
                elif held and at.held_back != looked:
                    screen.print(f"{where}, {loss}, {at.seconds / 60:.1f} minutes")
                    looked = at.held_back

            return work(lambda text: bar.console.print(text, style="dim"), listen)
    except KeyboardInterrupt:
        raise Interrupted(f"Stopped; {how_to_go_on}") from None


def print_card(card: Card, out: Path, *, json: bool) -> None:
    """The figures of an adapter before and after training, and how to use it."""
    if json:
        print_json(card)
        return
    table = Table("agent", "model", "questions", "accuracy", "Brier", "ECE", "IC", box=None, pad_edge=False)
    for column in table.columns[2:]:
        column.justify = "right"
    for agent, before in card.before.items():
        after = card.after[agent]
        table.add_row(
            title_of(agent),
            "most frequent",
            f"{before.exercises}",
            f"{before.majority:.3f}",
            f"{before.base_brier:.3f}",
        )
        for name, found in (("as it was", before), ("with the adapter", after)):
            ic = "" if found.ic is None else f"{found.ic:.3f}"
            figures = (f"{found.accuracy:.3f}", f"{found.brier:.3f}", f"{found.ece:.3f}", ic)
            table.add_row(title_of(agent), name, f"{found.exercises}", *figures)
    print_tables(table)
    use = f"run --model {card.plan.model} --adapter {out / ADAPTER_FILE}"
    if card.plan.texts:
        use = f"sentiment compare OTHER.csv --classifier prompt:{card.plan.model},adapter={out}"
    Console(stderr=True, highlight=False, soft_wrap=True).print(f"use it: paperdesk {use}")
