"""`paperdesk train`: what the desk's model learns."""

from pathlib import Path
from typing import Annotated, Literal

import typer

from .options import Json

train = typer.Typer(help="Train the desk's minds on this machine.", no_args_is_help=True)


@train.command()
def desk(
    out: Annotated[Path, typer.Option(help="Folder for the adapter; an interrupted training there goes on.")],
    model: Annotated[str, typer.Option(help="`smollm2` or a .gguf file of the Llama family.")] = "smollm2",
    agent: Annotated[str | None, typer.Option(help="Only this analyst; both of the classic desk by default.")] = None,
    seeds: Annotated[
        str, typer.Option(help="Seeds of the generated markets to learn from, by commas.")
    ] = "101,102,103",
    companies: Annotated[int, typer.Option(min=4, max=200, help="Companies of each market.")] = 16,
    years: Annotated[int, typer.Option(min=3, max=30, help="Years of each market.")] = 8,
    exercises: Annotated[int, typer.Option(min=64, help="Questions about stances to learn from.")] = 3600,
    examined: Annotated[int, typer.Option(min=16, help="Questions of a market never seen to be examined on.")] = 400,
    releases: Annotated[
        int, typer.Option(min=0, help="Press releases to learn the tone of; none with --agent.")
    ] = 2800,
    epochs: Annotated[int, typer.Option(min=1, max=100, help="Times that each question is read.")] = 1,
    rank: Annotated[int, typer.Option(min=1, max=128, help="Rank of the adapter.")] = 8,
    learning_rate: Annotated[float, typer.Option(help="Of AdamW at its highest.")] = 5e-4,
    batch: Annotated[int, typer.Option(min=1, max=256, help="Questions per step.")] = 16,
    threads: Annotated[int, typer.Option(min=1, max=256, help="CPU threads.")] = 2,
    json: Json = False,
) -> None:
    """Train a low-rank adapter of the desk's model on generated markets whose truth is known."""
    from ..training.adapter import Recipe
    from ..training.desk_command import DeskPlan
    from ..training.screen import print_card, training_screen

    recipe = Recipe(rank=rank, alpha=2 * rank, learning_rate=learning_rate, batch=batch, epochs=epochs, threads=threads)
    plan = DeskPlan(
        model=model,
        seeds=_seeds(seeds),
        companies=companies,
        years=years,
        exercises=exercises,
        examined=examined,
        agent=agent,
        releases=releases,
    )
    card = training_screen(plan, out, recipe)
    print_card(card, out, json=json)


@train.command()
def reader(
    out: Annotated[Path, typer.Option(help="Folder for the reader; an interrupted training there goes on.")],
    labelled: Annotated[
        Path | None, typer.Argument(help="CSV with the columns text, label and perhaps date (then split by time).")
    ] = None,
    stop: Annotated[Path | None, typer.Option(help="CSV to stop and calibrate by; else a part of the first.")] = None,
    exam: Annotated[Path | None, typer.Option(help="CSV to be examined on; else a part of the first.")] = None,
    seeds: Annotated[
        str | None, typer.Option(help="In place of a CSV: seeds of generated markets, the last for the examination.")
    ] = None,
    phrasebook: Annotated[
        int | None, typer.Option(min=48, help="In place of a CSV: so many invented releases of known tone.")
    ] = None,
    base: Annotated[str, typer.Option(help="`minilm`, a folder, or a hub name owner/model[@revision].")] = "minilm",
    mode: Annotated[Literal["head", "lora", "full"], typer.Option(help="What of it is trained.")] = "lora",
    epochs: Annotated[int | None, typer.Option(min=1, max=200, help="Times that each text is read at most.")] = None,
    learning_rate: Annotated[float | None, typer.Option(help="Of AdamW at its highest; by mode if absent.")] = None,
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


def _seeds(text: str) -> tuple[int, ...]:
    try:
        return tuple(int(part) for part in text.split(","))
    except ValueError:
        raise typer.BadParameter(f"{text!r} is no list of whole numbers", param_hint="--seeds") from None
