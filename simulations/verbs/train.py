"""`paperdesk train`: what the desk's model learns."""

from collections.abc import Mapping
from datetime import date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from .options import Json

if TYPE_CHECKING:
    from ..training.journal_exercises import FromJournals
    from ..training.tone_exercises import FromFile

train = typer.Typer(help="Train the desk's minds on this machine.", no_args_is_help=True)

From = Annotated[
    str | None,
    typer.Option("--from", help="Sessions, by commas, or a folder of some: learn from what they were asked."),
]
AsOf = Annotated[
    datetime | None,
    typer.Option(formats=["%Y-%m-%d"], help="Day of the training: what was known later is left out."),
]
Stop = Annotated[Path | None, typer.Option(help="CSV to stop and calibrate by; else a part of the first.")]
Exam = Annotated[Path | None, typer.Option(help="CSV to be examined on; else a part of the first.")]
Source = Literal["markets teach", "one analyst learns", "sessions teach", "texts teach"]
HEEDED: Mapping[Source, frozenset[str]] = {
    "markets teach": frozenset({"seeds", "companies", "years", "targets", "releases", "exercises", "examined"}),
    "one analyst learns": frozenset({"seeds", "companies", "years", "targets", "exercises", "examined"}),
    "sessions teach": frozenset({"exercises", "examined"}),
    "texts teach": frozenset(),
}
"""By what `train desk` learns from, which of these options mean something."""
LEAST_RATE = 1e-9
"""A rate of 0 would learn nothing."""
Adapter = Annotated[Path, typer.Argument(help="Folder that `train desk` made, or `train update --begin`.")]


@train.command()
def desk(
    out: Annotated[Path, typer.Option(help="Folder for the adapter; an interrupted training there goes on.")],
    labelled: Annotated[
        Path | None,
        typer.Argument(help="CSV with the columns text, label and perhaps date: learn their tone and nothing else."),
    ] = None,
    stop: Stop = None,
    exam: Exam = None,
    model: Annotated[str, typer.Option(help="`smollm2` or a .gguf file of the Llama family.")] = "smollm2",
    agent: Annotated[str | None, typer.Option(help="Only this analyst; both of the classic desk by default.")] = None,
    seeds: Annotated[
        str | None,
        typer.Option(help="Seeds of the generated markets to learn from, by commas; 101,102,103 if absent."),
    ] = None,
    companies: Annotated[
        int | None, typer.Option(min=4, max=200, help="Companies of each market; 16 if absent.")
    ] = None,
    years: Annotated[int | None, typer.Option(min=3, max=30, help="Years of each market; 8 if absent.")] = None,
    exercises: Annotated[
        int | None, typer.Option(min=64, help="Questions about stances to learn from; 8000 if absent.")
    ] = None,
    targets: Annotated[
        Literal["odds", "truth"] | None,
        typer.Option(
            help="Of generated markets: how probable each stance is by the figures (if absent), or the right one."
        ),
    ] = None,
    examined: Annotated[
        int | None, typer.Option(min=16, help="Questions never seen to be examined on; 400 if absent.")
    ] = None,
    releases: Annotated[
        int | None,
        typer.Option(min=0, help="Press releases to learn the tone of; 6400 if absent, none with --agent."),
    ] = None,
    sessions: From = None,
    teacher: Annotated[
        str | None,
        typer.Option(help="Sessions, by commas, whose model's scores are learnt, in place of generated markets."),
    ] = None,
    as_of: AsOf = None,
    epochs: Annotated[int, typer.Option(min=1, max=100, help="Times that each question is read.")] = 1,
    rank: Annotated[int, typer.Option(min=1, max=128, help="Rank of the adapter.")] = 8,
    learning_rate: Annotated[
        float | None,
        typer.Option(
            min=LEAST_RATE, max=1, help="Of AdamW at its highest; 0.001 on generated markets, 0.0005 on your own data."
        ),
    ] = None,
    batch: Annotated[int, typer.Option(min=1, max=256, help="Questions per step.")] = 16,
    threads: Annotated[int, typer.Option(min=1, max=256, help="CPU threads.")] = 2,
    json: Json = False,
) -> None:
    """Train a low-rank adapter of the desk's model, on generated markets, journals, or labelled texts."""
    from ..training.adapter import Recipe
    from ..training.desk_command import DeskPlan
    from ..training.screen import print_card, training_screen

    journals = _journals(sessions, teacher, as_of)
    texts = _texts(labelled, stop, exam, alone=agent is None and journals is None)
    source: Source = (
        "texts teach" if texts else "sessions teach" if journals else "one analyst learns" if agent else "markets teach"
    )
    given = {
        "seeds": None if seeds is None else _seeds(seeds),
        "companies": companies,
        "years": years,
        "targets": targets or (None if texts or journals else "odds"),
        "releases": releases,
        "exercises": exercises,
        "examined": examined,
    }
    common = {"model": model, "agent": agent, "journals": journals, "texts": texts}
    plan = DeskPlan.model_validate(common | _heeded(source, given))
    rate = learning_rate or (5e-4 if plan.journals or plan.texts else 1e-3)
    recipe = Recipe(rank=rank, alpha=2 * rank, learning_rate=rate, batch=batch, epochs=epochs, threads=threads)
    card = training_screen(plan, out, recipe)
    print_card(card, out, json=json)


@train.command()
def reader(
    out: Annotated[Path, typer.Option(help="Folder for the reader; an interrupted training there goes on.")],
    labelled: Annotated[
        Path | None, typer.Argument(help="CSV with the columns text, label and perhaps date (then split by time).")
    ] = None,
    stop: Stop = None,
    exam: Exam = None,
    seeds: Annotated[
        str | None, typer.Option(help="In place of a CSV: seeds of generated markets, the last for the examination.")
    ] = None,
    phrasebook: Annotated[
        int | None, typer.Option(min=48, help="In place of a CSV: so many invented releases of known tone.")
    ] = None,
    base: Annotated[str, typer.Option(help="`minilm`, a folder, or a hub name owner/model[@revision].")] = "minilm",
    mode: Annotated[Literal["head", "lora", "full"], typer.Option(help="What of it is trained.")] = "full",
    epochs: Annotated[int | None, typer.Option(min=1, max=200, help="Times that each text is read at most.")] = None,
    learning_rate: Annotated[
        float | None, typer.Option(min=LEAST_RATE, max=1, help="Of AdamW at its highest; by mode if absent.")
    ] = None,
    batch: Annotated[int, typer.Option(min=1, max=512, help="Texts per step.")] = 16,
    rank: Annotated[int, typer.Option(min=1, max=256, help="Rank of the changes in mode lora.")] = 8,
    max_tokens: Annotated[int, typer.Option(min=8, max=8192, help="Tokens of a text that are read.")] = 128,
    patience: Annotated[int, typer.Option(min=1, help="Looks without anything better before it ends.")] = 4,
    class_weights: Annotated[bool, typer.Option(help="Whether rare classes weigh as much as others.")] = True,
    seed: Annotated[int, typer.Option(min=0, help="Of the head, the order and the split.")] = 0,
    threads: Annotated[int, typer.Option(min=1, max=256, help="CPU threads.")] = 2,
    device: Annotated[str, typer.Option(help="auto, cpu, cuda.")] = "auto",
    json: Json = False,
) -> None:
    """Train a classifier of the tone of texts (docs/readers.md)."""
    from ...tools.errors import InputError
    from ..training.reader.parts import parts_of
    from ..training.reader.recipe import ReaderRecipe
    from ..training.reader.screen import print_reader, reader_screen

    if sum(source is not None for source in (labelled, seeds, phrasebook)) != 1:
        raise InputError("A reader learns from a CSV file, --seeds or --phrasebook: give one of the three.")
    recipe = ReaderRecipe.of(
        mode,
        learning_rate=learning_rate,
        epochs=epochs,
        batch=batch,
        rank=rank,
        alpha=2 * rank,
        max_tokens=max_tokens,
        patience=patience,
        class_weights=class_weights,
        seed=seed,
        threads=threads,
        device=device,
    )
    source = labelled or phrasebook or _seeds(seeds or "")
    card = reader_screen(lambda: parts_of(source, stop=stop, exam=exam, seed=seed), out, recipe, base)
    print_reader(card, out, json=json)


@train.command()
def trend(
    out: Annotated[Path, typer.Option(help="Folder for the trend; an interrupted command there goes on.")],
    market: Annotated[str, typer.Option(help="`generated`, `us-tech`, `sp20`, or a data folder.")] = "generated",
    market_seed: Annotated[int, typer.Option(min=0, help="Seed of the generated market.")] = 7,
    sessions: Annotated[int, typer.Option(min=1, max=252, help="Sessions ahead.")] = 21,
    every: Annotated[int, typer.Option(min=1, max=252, help="Sessions between two closes that are judged.")] = 5,
    parts: Annotated[int, typer.Option(min=2, max=50, help="Of the walk-forward; all but the first are judged.")] = 6,
    seed: Annotated[int, typer.Option(min=0, help="Of networks and intervals.")] = 0,
    threads: Annotated[int, typer.Option(min=1, max=256, help="CPU threads.")] = 2,
    json: Json = False,
) -> None:
    """Learn whether a company will do better than the market, beside baselines (docs/readers.md)."""
    from ..training.trend.command import TrendPlan
    from ..training.trend.model import TrendRecipe
    from ..training.trend.screen import trend_screen

    plan = TrendPlan(market=market, sessions=sessions, every=every, parts=parts)
    trend_screen(plan, TrendRecipe(seed=seed, threads=threads), out, market_seed=market_seed, json=json)


@train.command()
def update(
    adapter: Adapter,
    sessions: Annotated[
        str, typer.Option("--from", help="Sessions, by commas, or a folder of some: learn from what became of them.")
    ],
    as_of: AsOf = None,
    begin: Annotated[
        Literal["shipped"] | None,
        typer.Option(help="In a new folder: begin with the adapter that comes with PaperDesk."),
    ] = None,
    model: Annotated[str, typer.Option(help="The model that the adapter was trained on.")] = "smollm2",
    replayed: Annotated[float, typer.Option(min=0, max=10, help="Old questions per new one.")] = 1.0,
    keep: Annotated[float, typer.Option(min=0, max=100, help="Penalty on leaving the old weights.")] = 1.0,
    exercises: Annotated[int, typer.Option(min=64, help="New questions to learn from.")] = 3000,
    examined: Annotated[int, typer.Option(min=16, help="Later questions to be examined on.")] = 400,
    epochs: Annotated[int, typer.Option(min=1, max=100, help="Times that each question is read.")] = 1,
    learning_rate: Annotated[float, typer.Option(min=LEAST_RATE, max=1, help="Of AdamW at its highest.")] = 2e-4,
    batch: Annotated[int, typer.Option(min=1, max=256, help="Questions per step.")] = 16,
    threads: Annotated[int, typer.Option(min=1, max=256, help="CPU threads.")] = 2,
    json: Json = False,
) -> None:
    """Go on learning from new sessions; the result replaces the adapter only where it is better beyond noise."""
    from ..training.registry import read_registry
    from ..training.shipped import begin_with_shipped
    from ..training.update_command import UpdatePlan
    from ..training.update_screen import print_update, update_screen

    journals = _journals(sessions, None, as_of)
    assert journals is not None
    plan = UpdatePlan(
        model=model,
        journals=journals,
        replayed=replayed,
        keep=keep,
        exercises=exercises,
        examined=examined,
        learning_rate=learning_rate,
        epochs=epochs,
        batch=batch,
        threads=threads,
    )
    if begin is not None:
        begin_with_shipped(adapter, model)
    card = update_screen(adapter, plan)
    print_update(card, adapter, read_registry(adapter), json=json)


@train.command()
def history(adapter: Adapter, json: Json = False) -> None:
    """Show an adapter's versions: what each was worth, and which is the champion."""
    from ..training.registry import read_registry
    from ..training.update_screen import print_history

    print_history(read_registry(adapter), adapter, json=json)


@train.command()
def rollback(
    adapter: Adapter,
    to: Annotated[str | None, typer.Option(help="A version; the champion before this one by default.")] = None,
    json: Json = False,
) -> None:
    """Make the champion before this one the champion again."""
    from ..training.registry import roll_back
    from ..training.update_screen import print_history

    print_history(roll_back(adapter, to), adapter, json=json)


def _journals(sessions: str | None, teacher: str | None, as_of: datetime | None) -> "FromJournals | None":
    from ..training.journal_exercises import FromJournals

    if sessions is not None and teacher is not None:
        raise typer.BadParameter("learn from outcomes (--from) or from a teacher (--teacher), not from both")
    places = sessions if sessions is not None else teacher
    if places is None:
        if as_of is not None:
            raise typer.BadParameter("it is about journals: give --from or --teacher too", param_hint="--as-of")
        return None
    folders = tuple(place.strip() for place in places.split(","))
    if not all(folders):
        hint = "--teacher" if teacher is not None else "--from"
        raise typer.BadParameter(f"{places!r} names no folder of a session somewhere", param_hint=hint)
    day: date | None = as_of.date() if as_of else None
    return FromJournals(sessions=folders, by="outcomes" if teacher is None else "teacher", as_of=day)


def _texts(labelled: Path | None, stop: Path | None, exam: Path | None, *, alone: bool) -> "FromFile | None":
    from ..training.tone_exercises import FromFile

    if labelled is None:
        if stop is not None or exam is not None:
            raise typer.BadParameter("--stop and --exam are about labelled texts: give a CSV file too")
        return None
    if not alone:
        raise typer.BadParameter("learn from labelled texts or from sessions and analysts, not from both")
    return FromFile(labelled=labelled, stop=stop, exam=exam)


def _heeded(source: Source, options: Mapping[str, object]) -> dict[str, object]:
    """The options that were given; refused where one of them would change nothing."""
    given = {name: value for name, value in options.items() if value is not None}
    idle = sorted(given.keys() - HEEDED[source])
    if idle:
        raise typer.BadParameter(f"it changes nothing about what {source}: leave it out", param_hint=f"--{idle[0]}")
    return given


def _seeds(text: str) -> tuple[int, ...]:
    try:
        return tuple(int(part) for part in text.split(","))
    except ValueError:
        raise typer.BadParameter(f"{text!r} is no list of whole numbers", param_hint="--seeds") from None
