"""What `paperdesk models` prints: lists, descriptions and verdicts, on standard output."""

import shlex

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from ..agents.models.core import ModelInputError
from ..agents.models.files.check import Check
from ..agents.models.files.describe import Described, describe_model, list_models
from ..agents.models.files.trust import Verdict
from ..agents.roles import title_of
from .console import console
from .model_commands import PullResult, check_command
from .pages import facts, print_json, print_tables, size_text

_VOUCHED = {"catalogue": "yes, by the catalogue", "user": "yes, by you", "nobody": "no"}


def print_models(*, json: bool) -> None:
    """The bundled model, the pulled ones, and those of the catalogue."""
    rows = list_models()
    if json:
        print_json(rows)
        return
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0))
    for name in ("Model", "State", "Size", "Allowed", "Cutoff", "Licence"):
        table.add_column(name, overflow="fold")
    table.columns[2].justify = "right"
    for column in table.columns[1:5]:
        column.no_wrap = True
    for row in rows:
        allowed = {None: "", True: "yes", False: "no"}[row.allowed]
        style = "" if row.file else "dim"
        size = size_text(row.size) if row.size is not None else ""
        cells = (row.name, row.state, size, allowed, row.training_cutoff or "", row.licence)
        table.add_row(*(escape(cell) for cell in cells), style=style)
    print_tables(table)


def print_info(spec: str, *, json: bool) -> None:
    """All that is known of a model.

    Raises:
        ModelInputError: there is no such model, or its file is damaged.
    """
    found = describe_model(spec)
    if json:
        print_json(found)
    else:
        print_tables(facts(_described(found)))
        if found.file is None:
            Console(stderr=True).print(f"fetch it: paperdesk models pull {escape(shlex.quote(spec))}", soft_wrap=True)


def print_pull(result: PullResult, *, json: bool) -> None:
    """What a pull came to, and what to do next."""
    if json:
        print_json(result)
    screen = Console(stderr=True, highlight=False, soft_wrap=True)
    verb = "was there already" if not result.fetched else "is whole"
    screen.print(f"{escape(str(result.file))} {verb}, sha256 {result.pulled.sha256}")
    name = escape(shlex.quote(result.model))
    if result.verdict.allowed:
        screen.print(f"ready: paperdesk run --model {name}")
    else:
        screen.print(f"not on the allow-list yet: paperdesk models check {name} --trust", style="yellow")


def print_checked(spec: str, *, trust: bool, json: bool) -> int:
    """Look at a model file and say what was found; the exit code (0 sound and allowed, 3 sound and not allowed).

    Raises:
        ModelInputError: it is damaged; with `json` the document has been printed before.
    """
    with console() as screen:
        screen.say(f"checking {spec}")
        found = check_command(spec, trust=trust)
    if json:
        print_json(found)
    if not found.sound:
        raise ModelInputError(found.problem)
    if not json:
        print_tables(facts(_checked(found)))
        if not found.verdict.allowed:
            how = f"trust it: paperdesk models check {shlex.quote(spec)} --trust"
            Console(stderr=True, highlight=False).print(escape(how), style="yellow", soft_wrap=True)
    return found.exit_code


def _described(found: Described) -> list[tuple[str, str]]:
    rows = [("model", found.name), ("title", found.title)]
    if found.file is not None:
        kinds = ", ".join(f"{name} {share:.0%}" for name, share in found.quantisation.items() if share >= 0.005)
        rows += [
            ("file", str(found.file)),
            ("size", f"{size_text(found.size or 0)} ({found.size:,} bytes)"),
            ("sha256", found.sha256),
            ("allowed", _vouched(found.verdict)),
            ("architecture", found.architecture or "not named"),
            ("parameters", f"{found.parameters:,}"),
            ("stored as", kinds),
            ("context", f"{found.context_length:,} tokens" if found.context_length else "not named"),
            ("vocabulary", f"{found.vocabulary:,} tokens" if found.vocabulary else "none"),
            ("chat template", found.template),
        ]
    if found.adapter_for:
        agents = ", ".join(title_of(agent).lower() for agent in found.adapter_for)
        rows.append(("adapter", f"shipped, sha256 {found.adapter_sha256}, for {agents}"))
    cutoff = found.training_cutoff or "unknown"
    rows += [
        ("licence", found.licence or "not named"),
        ("languages", ", ".join(found.languages) or "not named"),
        ("training cutoff", f"{cutoff} ({found.cutoff_source})" if found.cutoff_source else cutoff),
        ("source", found.source or "unknown"),
        ("state", found.state),
    ]
    return rows


def _checked(found: Check) -> list[tuple[str, str]]:
    rows = [("file", str(found.file)), ("size", size_text(found.size)), ("sha256", found.sha256)]
    if found.probe is not None:
        vocabulary, memory = found.probe.vocabulary, size_text(found.probe.memory_bytes)
        rows.append(("trial", f"loads and answers; {vocabulary:,} tokens of vocabulary, {memory} of memory"))
    return [*rows, ("allowed", _vouched(found.verdict))]


def _vouched(verdict: Verdict | None) -> str:
    if verdict is None:
        return "no"
    return f"{_VOUCHED[verdict.by]}{f' ({verdict.name})' if verdict.name else ''}"
