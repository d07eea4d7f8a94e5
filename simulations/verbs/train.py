"""`paperdesk train`: what the desk's model learns."""

from pathlib import Path
from typing import Annotated

import typer

from .options import Json

train = typer.Typer(help="Train the desk's minds on this machine.", no_args_is_help=True)


@train.callback()
def _group() -> None:
    """Keep `desk` a verb of its own while it is the only one."""


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
    exercises: Annotated[int, typer.Option(min=64, help="Questions about stances to learn from.")] = 2400,
    examined: Annotated[int, typer.Option(min=16, help="Questions of a market never seen to be examined on.")] = 400,
    releases: Annotated[
        int, typer.Option(min=0, help="Press releases to learn the tone of; none with --agent.")
    ] = 2400,
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


def _seeds(text: str) -> tuple[int, ...]:
    try:
        return tuple(int(part) for part in text.split(","))
    except ValueError:
        raise typer.BadParameter(f"{text!r} is no list of whole numbers", param_hint="--seeds") from None
