"""Sections on the terminal, on a page of HTML, and as markdown."""

import html as entities
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.resources import files

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from ..pages import print_tables
from .contamination import Contamination
from .sections import Section

NARROW = 110
"""Characters of a terminal below which a table keeps its main columns only."""


@dataclass(frozen=True)
class Paper:
    """All that a report says, in words."""

    title: str
    subtitle: str
    memory: Contamination
    tried: tuple[str, ...]
    survived: tuple[str, ...]
    failed: tuple[str, ...]
    sections: tuple[Section, ...]

    @property
    def verdict(self) -> tuple[tuple[str, str, tuple[str, ...]], ...]:
        """Heading, kind and sentences of the three lists."""
        return (
            ("What was tried", "", self.tried),
            ("What survived", "good", self.survived),
            ("What did not", "bad", self.failed),
        )


def show(paper: Paper) -> None:
    """Print it on standard output; a narrow terminal gets fewer columns, a file or pipe all of them."""
    console = Console()
    narrow = console.is_terminal and console.width < NARROW
    parts: list[Table | str] = [f"[bold]{escape(paper.title)}[/bold]", escape(paper.subtitle)]
    parts.append(f"memory: {escape(paper.memory.label)}. {escape(paper.memory.sentence)}\n")
    for section in paper.sections:
        parts.append(f"[bold]{escape(section.heading)}[/bold]")
        parts.append(_table(section, narrow))
    for heading, _, sentences in paper.verdict:
        parts.append(_list(heading, sentences))
    print_tables(*parts)


def _table(section: Section, narrow: bool) -> Table:
    kept = section.narrow if narrow and section.narrow else tuple(range(len(section.headings)))
    plain = not any(section.headings)
    table = Table(box=None if plain else SIMPLE_HEAD, show_header=not plain, pad_edge=False)
    for place in kept:
        right = place > 0 and not plain
        table.add_column(escape(section.headings[place]), justify="right" if right else "left", no_wrap=right)
    for number, row in enumerate(section.rows):
        bold = "bold" if section.first_is_desk and number == 0 else ""
        table.add_row(*(escape(row[place]) for place in kept), style=bold)
    if plain:
        table.add_section()
        table.add_row(*("" for _ in kept))
    return table


def _list(heading: str, sentences: Sequence[str]) -> Table:
    table = Table(box=None, pad_edge=False, header_style="bold")
    table.add_column("", width=1)
    table.add_column(heading, overflow="fold")
    for sentence in sentences:
        table.add_row("-", escape(sentence))
    table.add_row("", "")
    return table


def page_of(paper: Paper) -> str:
    """One HTML file: no script, no network, drawings inside."""
    from jinja2 import Environment

    source = files(__package__).joinpath("page.html").read_text(encoding="utf-8")
    template = Environment(autoescape=True).from_string(source)
    return template.render(
        title=paper.title,
        subtitle=paper.subtitle,
        memory=paper.memory,
        verdict=paper.verdict,
        sections=paper.sections,
    )


def markdown_of(paper: Paper) -> str:
    """The same as markdown, for docs/results.md."""
    lines = [f"## {paper.title}", "", paper.subtitle, "", f"Memory: {paper.memory.label}. {paper.memory.sentence}", ""]
    for heading, _, sentences in paper.verdict:
        lines += [f"**{heading}**", "", *(f"- {_plain(sentence)}" for sentence in sentences), ""]
    for section in paper.sections:
        lines += [f"### {section.heading}", ""]
        lines.append("| " + " | ".join(map(_plain, section.headings)) + " |")
        lines.append("|" + " --- |" * len(section.headings))
        lines += ["| " + " | ".join(map(_plain, row)) + " |" for row in section.rows]
        lines += ["", *([section.note, ""] if section.note else [])]
    return "\n".join(lines)


def _plain(text: str) -> str:
    return entities.escape(text, quote=False).replace("|", "\\|")
