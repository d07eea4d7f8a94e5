"""What the documents say is true: commands, options, links, fields, events, rules, the drawing, the examples."""

import importlib
import json
import re
import runpy
import tomllib
from collections.abc import Iterator
from itertools import chain
from pathlib import Path
from typing import Any, get_args

import pytest
import typer

from paperdesk.agents.models.files.catalogue import catalogue
from paperdesk.agents.roles import Row
from paperdesk.agents.rosters import desks, roster
from paperdesk.agents.signals import Rule
from paperdesk.cli import app
from paperdesk.memory.journal import Filters, Journal
from paperdesk.memory.journal.events import EVENT
from paperdesk.orchestration.graph import mermaid
from paperdesk.simulations.config import SessionConfig, load_config
from paperdesk.simulations.reading import Session
from paperdesk.simulations.show import choose
from paperdesk.simulations.transcript import transcript
from paperdesk.simulations.window import window_of
from paperdesk.tools.market.view import open_market
from paperdesk.tools.toolbox import EVIDENCE_TOOLS

ROOT = Path(__file__).parents[1]
DRAWN = ("classic", "research-house")
"""Desks whose graphs stand on their page."""
PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")])


def verbs() -> dict[str, Any]:
    """Every command by its words: `run`, `markets pull`."""
    top: dict[str, Any] = typer.main.get_command(app).commands  # type: ignore[attr-defined]
    groups = {name: command.commands for name, command in top.items() if hasattr(command, "commands")}
    below = {f"{group} {name}": command for group, commands in groups.items() for name, command in commands.items()}
    return {name: command for name, command in top.items() if name not in groups} | below


VERBS = verbs()
GROUPS = {words.split()[0] for words in VERBS if " " in words}


def text_of(name: str) -> str:
    return (ROOT / name).read_text(encoding="utf-8")


def code_of(text: str) -> str:
    """What stands in fences and between backticks."""
    fences = re.findall(r"^```\w*\n(.*?)^```", text, flags=re.DOTALL | re.MULTILINE)
    return "\n".join([*fences, *re.findall(r"(?<!`)`([^`\n]+)`(?!`)", text)])


def first_column(text: str) -> set[str]:
    """The names between backticks in the first column of a page's tables."""
    cells = re.findall(r"^\| ((?:`[^`]+`(?:, )?)+) \|", text, flags=re.MULTILINE)
    return {name for cell in cells for name in re.findall(r"`([^`]+)`", cell)}


def anchors(text: str) -> set[str]:
    """The fragments that GitHub gives a page's headings."""
    return {
        re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-")
        for title in re.findall(r"^#+ (.+)$", text, flags=re.MULTILINE)
    }


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_links_resolve(page: Path) -> None:
    prose = re.sub(r"^```.*?^```", "", page.read_text(encoding="utf-8"), flags=re.DOTALL | re.MULTILINE)
    for target in re.findall(r"\]\(([^)\s]+)\)", prose):
        if "://" in target:
            continue
        path, _, fragment = target.partition("#")
        file = (page.parent / path) if path else page
        assert file.exists(), f"{target} leads nowhere"
        assert not fragment or fragment in anchors(file.read_text(encoding="utf-8")), f"{target} has no such heading"


def test_every_make_target_named_exists() -> None:
    targets = set(re.findall(r"^([a-z-]+):.*## ", text_of("Makefile"), flags=re.MULTILINE))
    named = set(
        chain.from_iterable(re.findall(r"(?<!markets )\bmake ([a-z-]+)", code_of(p.read_text())) for p in PAGES)
    )
    assert {"run", "test"} <= named <= targets


def commands() -> Iterator[tuple[str, str, list[str]]]:
    """Every `paperdesk VERB ... --options` that stands as code on a page; `make run ARGS="..."` is `run`."""
    for page in PAGES:
        code = code_of(page.read_text(encoding="utf-8"))
        for verb, rest in re.findall(r"(?<![./\w-])paperdesk (?!import\b)([a-z]+)\b([^\n|#]*)", code):
            if verb in GROUPS:
                if below := re.match(r" ([a-z]+)\b(.*)", rest):
                    yield page.name, f"{verb} {below[1]}", re.findall(r"(?<!\S)(--[a-z-]+)", below[2])
                continue
            yield page.name, verb, re.findall(r"(?<!\S)(--[a-z-]+)", rest)
        for arguments in re.findall(r'make run ARGS="([^"]*)"', code):
            yield page.name, "run", re.findall(r"(?<!\S)(--[a-z-]+)", arguments)


def test_every_command_named_exists_with_its_options() -> None:
    named = set()
    for page, verb, options in commands():
        assert verb in VERBS, f"{page}: paperdesk {verb}"
        known = {name for parameter in VERBS[verb].params for name in parameter.opts} | {"--help"}
        assert set(options) <= known, f"{page}: paperdesk {verb} {options}"
        named.add(verb)
    assert {"run", "show", "verify", "replay", "resume", "graph", "markets pull", "markets make"} <= named


def test_every_command_is_on_the_page_of_the_command_line() -> None:
    page = text_of("docs/cli.md")
    assert [verb for verb in VERBS if f"`paperdesk {verb}" not in page] == []


def test_every_field_of_the_configuration_is_on_its_page_with_its_default() -> None:
    page = text_of("docs/configuration.md")
    fields = SessionConfig.model_fields
    assert set(fields) - first_column(page) == set()
    for names, default in re.findall(r"^\| ((?:`\w+`(?:, )?)+) \| (`[^`]+`|none) \|", page, flags=re.MULTILINE):
        value = None if default == "none" else tomllib.loads(f"x = {default.strip('`')}")["x"]
        value = tuple(value) if isinstance(value, list) else value
        for name in re.findall(r"`(\w+)`", names):
            assert fields[name].default == value, name


def test_every_model_of_the_catalogue_is_on_its_page_with_licence_and_cutoff() -> None:
    rows = re.findall(
        r"^\| `([\w.-]+)` \| (.+) \| (.+) \| (.+) \| (.+) \|$", text_of("docs/models.md"), flags=re.MULTILINE
    )
    told = {name: (licence, cutoff, "not measured" not in measured) for name, _, licence, cutoff, measured in rows}
    for name, model in catalogue().items():
        assert told[name] == (model.licence, str(model.training_cutoff or "not stated"), model.measured)


def test_every_event_is_on_the_page_of_the_journal() -> None:
    kinds = set(EVENT.json_schema()["discriminator"]["mapping"])
    assert kinds - first_column(text_of("docs/journal.md")) == set()


def test_every_rule_of_the_auditor_is_on_its_page() -> None:
    assert set(get_args(Rule)) == first_column(text_of("docs/auditor.md"))


@pytest.mark.parametrize("name", ["auditor", "hostile_documents"])
def test_the_tables_of_the_auditor_are_those_of_the_benchmark(name: str) -> None:
    rows = json.loads(text_of(f"benchmarks/results/{name}.json"))["rows"]
    page = re.sub(r"[*`]", "", text_of("docs/auditor.md"))
    for row in rows:
        if name == "hostile_documents":
            cells = [row["market"], row["patterns"], row["different"], row["documents"], f"{row['found']:.1%}"]
            cells += [row["signals_changed"], row["signals_higher"], row["larger_positions"]]
            assert f"| {' | '.join(map(str, cells))} |" in page
        elif "named" in row and row["wordings"] == "seen":
            (other,) = [r for r in rows if r["fault"] == row["fault"] and r["wordings"] != "seen"]
            shares = [f"{r[key]:.1%}" for r in (row, other) for key in ("found", "named")]
            assert f"| {row['fault']} | {row['texts']} | {' | '.join(shares)} |" in page


MINDS = {"smollm2": "SmolLM2", "adapted": "SmolLM2 with its adapter"}


@pytest.mark.parametrize(("name", "who"), [("calibration", "analyst"), ("calibration_smollm2", "mind")])
def test_the_tables_of_calibration_are_those_of_the_benchmarks(name: str, who: str) -> None:
    page = re.sub(r"[*`]", "", text_of("docs/memory.md"))
    rows = [row for row in json.loads(text_of(f"benchmarks/results/{name}.json"))["rows"] if "seeds" in row]
    assert {row["seeds"] for row in rows} == {20}
    for row in rows:
        speaker = MINDS.get(row[who], row[who].replace("_", " "))
        cells = [row["edge"], speaker, str(row["seeds"]), f"{row['ic_mean']:+.3f}"]
        cells += [f"{row['ic_sd']:.3f}", f"{row['weight_mean']:.3f}"]
        cells += [f"{row['weight_low']:.3f} to {row['weight_high']:.3f}"]
        cells += [f"{row['above_prior']:.0%}", f"{row['no_weight']:.0%}", f"{row['interval_covers_0']:.0%}"]
        cells += [f"{row['brier']:.2f}"] if who == "mind" else []
        assert f"| {' | '.join(cells)} |" in page


def test_the_tables_of_the_adapter_are_those_of_the_benchmark() -> None:
    page = re.sub(r"[*`]", "", text_of("docs/training.md"))
    rows = json.loads(text_of("benchmarks/results/adapter.json"))["rows"]
    tone = [row for row in rows if row["what"] == "tone"]
    for reader in ("lexicon", "SmolLM2, zero-shot", "SmolLM2 with the adapter"):
        cells = [f"{row['accuracy']:.3f}, {row['brier']:.3f}" for row in tone if row["reader"] == reader]
        assert f"| {reader.replace(', zero-shot', ' without an adapter')} | {' | '.join(cells)} |" in page
    stances = [row for row in rows if row["what"] == "stance" and row["reader"].startswith("SmolLM2")]
    for row in stances:
        assert f"{row['accuracy']:.3f}, {row['brier']:.3f}, {row['ic']:+.2f} |" in page
    ics = [row for row in rows if row["what"] == "ic"]
    assert {row["seeds"] for row in ics} == {20}
    for row in ics:
        assert f"| {row['mean']:+.2f} ({row['low']:+.2f} to {row['high']:+.2f}) |" in page


def test_the_drawing_is_that_of_the_graph() -> None:
    drawings = re.findall(r"^```mermaid\n(.*?)^```", text_of("docs/graph.md"), flags=re.DOTALL | re.MULTILINE)
    assert [drawing.strip() for drawing in drawings] == [mermaid(roster(desk)).strip() for desk in DRAWN]


def test_every_node_is_explained() -> None:
    drawings = "\n".join(mermaid(roster(desk)) for desk in DRAWN)
    nodes = set(re.findall(r"^\t(?:desk_)?(\w+)\((\w+)\)$", drawings, flags=re.MULTILINE))
    assert {node for node, _ in nodes} == first_column(text_of("docs/graph.md"))


def test_the_example_configuration_is_accepted() -> None:
    config = load_config(ROOT / "examples/session.toml", {})
    assert window_of(config, open_market(config.market, config.market_seed)).decisions


def test_the_example_data_set_is_a_market(tmp_path: Path) -> None:
    runpy.run_path(str(ROOT / "examples/write_data_set.py"))["main"](tmp_path / "market")
    market = open_market(tmp_path / "market")
    assert market.tickers == ("ACME", "BOLT")
    assert market.benchmark == "FUND"
    assert window_of(SessionConfig(model="scorecard"), market).decisions


@pytest.mark.slow
def test_the_example_of_a_chat_model_answers_thrice(capsys: pytest.CaptureFixture[str]) -> None:
    runpy.run_path(str(ROOT / "examples/chat_model.py"))["main"]()
    words, view, *agent = capsys.readouterr().out.splitlines()
    assert words
    assert view.startswith("View(ticker=")
    assert agent[0] == "human: What did ACME close at?"
    assert agent[-1].startswith("ai: ")


def test_every_setting_of_the_chat_model_is_on_the_page_of_minds() -> None:
    chat = importlib.import_module("paperdesk.agents.models.chat")
    own = set(chat.DeskChatModel.model_fields) - set(chat.BaseChatModel.model_fields) - {"streaming"}
    assert own - first_column(text_of("docs/models.md")) == set()


@pytest.fixture(scope="module")
def session(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What the Python example leaves behind."""
    folder: Path = tmp_path_factory.mktemp("example") / "session"
    runpy.run_path(str(ROOT / "examples/run_from_python.py"))["main"](folder)
    return folder


@pytest.mark.slow
def test_the_example_explains_every_order(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    runpy.run_path(str(ROOT / "examples/run_from_python.py"))["main"](tmp_path / "session")
    said = capsys.readouterr().out
    with Journal.open_readonly(tmp_path / "session") as journal:
        orders = [record.event for record in journal.events("order_submitted")]
        assert journal.head[:16] in said
    assert orders
    assert all(order.reason in said for order in orders)


@pytest.mark.slow
def test_the_excerpt_in_the_readme_is_what_a_session_says(session: Path) -> None:
    command, *excerpt = re.findall(r"^\$ (paperdesk show .*?)^```", text_of("README.md"), re.DOTALL | re.MULTILINE)[
        0
    ].splitlines()
    assert command.endswith("--decision 1 --ticker ZEPL")
    with Session.open(session) as opened:
        chosen = choose(opened, Filters(decision=0, ticker="ZEPL"))
        said = iter([line.rstrip() for line, _ in transcript(opened.at(chosen.numbers), detailed=True)])
    wanted = [line.rstrip() for line in excerpt if line.strip() not in ("", "...")]
    assert len(wanted) > 8
    for line in wanted:
        assert line in said, f"README quotes what a session does not say (in this order): {line}"


def test_every_desk_and_every_key_of_a_role_is_on_its_page() -> None:
    named = first_column(text_of("docs/roles.md"))
    assert set(desks()) | set(Row.model_fields) == named
    rows = dict(re.findall(r"^\| `([\w-]+)` \| (.+) \|$", text_of("docs/roles.md"), flags=re.MULTILINE))
    for desk in desks():
        assert re.findall(r"`(\w+)`", rows[desk]) == [one.name for one in roster(desk).seated]
    for tool in EVIDENCE_TOOLS:
        assert f"`{tool}`" in rows["plan"]
