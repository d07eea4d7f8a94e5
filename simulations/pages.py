"""What results on standard output are made of: tables, facts by name, sizes, JSON."""

import json as jsonlib
import sys
from collections.abc import Iterable, Sequence

from pydantic import BaseModel
from rich.console import Console
from rich.markup import escape
from rich.table import Table

_UNBOUNDED = 10_000
"""Columns of a page on which no row has to be broken."""


def print_tables(*parts: Table | str) -> None:
    """Tables that fit a terminal; into a file or a pipe, a row is a line and nothing is cut."""
    console = Console(highlight=False)
    if console.is_terminal:
        console.print(*parts, sep="\n")
        return
    console = Console(highlight=False, width=_UNBOUNDED)
    with console.capture() as printed:
        console.print(*parts, sep="\n")
    sys.stdout.write("".join(f"{line.rstrip()}\n" for line in printed.get().splitlines()))


def facts(rows: Iterable[tuple[str, str]]) -> Table:
    """A table of facts, each behind its name."""
    table = Table(box=None, show_header=False, pad_edge=False)
    table.add_column(style="bold", no_wrap=True)
    table.add_column(overflow="fold")
    for name, text in rows:
        table.add_row(name, escape(text))
    return table


def size_text(count: int) -> str:
    """A number of bytes for people: `98 MB`."""
    if count >= 1e9:
        return f"{count / 1e9:.2f} GB"
    return f"{count / 1e6:.0f} MB" if count >= 1e6 else f"{count / 1e3:.0f} kB"


def print_json(value: BaseModel | Sequence[BaseModel]) -> None:
    """A value, or a list of values, as JSON."""
    if isinstance(value, BaseModel):
        plain: object = value.model_dump(mode="json")
    else:
        plain = [one.model_dump(mode="json") for one in value]
    sys.stdout.write(jsonlib.dumps(plain, indent=2, ensure_ascii=False) + "\n")
