"""Updates on the terminal: what became of a challenger, and the history of an adapter."""

from pathlib import Path

from rich.console import Console
from rich.table import Table

from ...agents.roles import title_of
from ..pages import print_json, print_tables
from .contest import Contest, Gain
from .examination import Examined
from .places import ADAPTER_FILE
from .registry import Registry, folder_of
from .screen import watched
from .update_command import UpdateCard, UpdatePlan, update_adapter

HAPPENED = {"trained": "trained", "promoted": "promoted", "kept_aside": "kept aside", "rolled_back": "back to it"}


def update_screen(adapter: Path, plan: UpdatePlan) -> UpdateCard:
    """Update with a moving bar on standard error.

    Raises:
        Interrupted: Ctrl-C; the message says how to go on.
    """
    return watched(
        lambda say, listen: update_adapter(adapter, plan, say=say, listen=listen),
        "the same command goes on from the last look",
    )


def print_update(card: UpdateCard, adapter: Path, registry: Registry, *, json: bool) -> None:
    """The figures of champion and challenger, and who is champion now."""
    if json:
        print_json(card)
        return
    table = Table("questions", "agent", "who", "count", "accuracy", "Brier", "IC", box=None, pad_edge=False)
    for column in table.columns[3:]:
        column.justify = "right"
    for name, found in (("later", card.new), ("old", card.old)):
        if found is not None:
            _rows(table, name, found)
    print_tables(table)
    screen = Console(stderr=True, highlight=False, soft_wrap=True)
    screen.print(f"{'promoted' if card.promoted else 'kept aside'}: {card.reason}")
    if card.old is not None:
        screen.print(f"on old questions {_gain(card.old.gain)} of Brier score")
    screen.print(f"champion: {folder_of(adapter, registry.champion) / ADAPTER_FILE}")


def print_history(registry: Registry, adapter: Path, *, json: bool) -> None:
    """All that happened to an adapter, the oldest first."""
    if json:
        print_json(registry)
        return
    table = Table("when", "version", "what", "known by", "later questions", "old questions", box=None, pad_edge=False)
    for step in registry.history:
        known = str(step.as_of) if step.as_of else ""
        gains = (_gain(step.gain), _gain(step.forgotten)) if step.as_of else ("", "")
        table.add_row(f"{step.at:%Y-%m-%d %H:%M}", step.version, HAPPENED[step.what], known, *gains)
    print_tables(table)
    file = folder_of(adapter, registry.champion) / ADAPTER_FILE
    Console(stderr=True, highlight=False, soft_wrap=True).print(f"champion: {file}")


def _rows(table: Table, name: str, found: Contest) -> None:
    for agent, before in found.before.items():
        for who, figures in (("champion", before), ("challenger", found.after.get(agent))):
            if figures is not None:
                table.add_row(name, title_of(agent), who, *_figures(figures))


def _figures(found: Examined) -> tuple[str, ...]:
    ic = "" if found.ic is None else f"{found.ic:.3f}"
    return f"{found.exercises}", f"{found.accuracy:.3f}", f"{found.brier:.3f}", ic


def _gain(gain: Gain | None) -> str:
    return "too few days to tell" if gain is None else f"{gain.gain:+.4f} ({gain.low:+.4f} to {gain.high:+.4f})"
