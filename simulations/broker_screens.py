"""What `paperdesk brokers` prints."""

import json as jsonlib
import sys

from rich.markup import escape
from rich.table import Table

from ..tools.broker.conformance import Result, run_checks
from ..tools.broker.conformance.run import stage_of
from ..tools.broker.registry import list_brokers
from .pages import print_tables

MARKS = {"kept": "[green]kept[/]", "broken": "[red bold]BROKEN[/]", "skipped": "[dim]skipped[/]"}


def print_brokers(*, json: bool) -> None:
    """Every broker that can be named."""
    listed = list_brokers()
    if json:
        rows = [
            {"name": row.name, "package": row.distribution, "factory": row.factory, "versions": dict(row.versions)}
            for row in listed
        ]
        sys.stdout.write(jsonlib.dumps(rows, indent=2) + "\n")
        return
    table = Table("broker", "package", "versions", box=None, pad_edge=False)
    for row in listed:
        versions = ", ".join(f"{package} {number}" for package, number in row.versions.items())
        table.add_row(row.name, row.distribution, versions)
    print_tables(table)


def print_check(name: str, *, json: bool) -> int:
    """Run the kit on a broker and print what it found; the exit code (0 all kept, 3 not)."""
    results = run_checks(stage_of(name))
    broken = [result for result in results if result.outcome == "broken"]
    if json:
        rows = [
            {
                "check": r.check.name,
                "topic": r.check.topic,
                "promise": r.check.about,
                "outcome": r.outcome,
                "told": r.told,
            }
            for r in results
        ]
        sys.stdout.write(jsonlib.dumps({"broker": name, "results": rows}, indent=2) + "\n")
        return 3 if broken else 0
    table = Table("", "topic", "promise", box=None, pad_edge=False)
    topic = ""
    for result in results:
        told = f"\n[red]{escape(result.told)}[/]" if result.outcome == "broken" else ""
        told = f"\n[dim]{escape(result.told)}[/]" if result.outcome == "skipped" else told
        shown = "" if result.check.topic == topic else result.check.topic
        topic = result.check.topic
        table.add_row(MARKS[result.outcome], shown, f"{escape(result.check.about)}{told}")
    print_tables(table, "", _summary(name, results))
    return 3 if broken else 0


def _summary(name: str, results: list[Result]) -> str:
    count = {outcome: sum(result.outcome == outcome for result in results) for outcome in MARKS}
    verdict = "keeps every promise that could be checked" if not count["broken"] else "[red bold]breaks promises[/]"
    told = f"{count['kept']} kept, {count['broken']} broken, {count['skipped']} skipped"
    return f"{name} {verdict}: {told}. A check is skipped where the broker or its stage cannot do what it needs."
