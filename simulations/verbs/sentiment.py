"""`paperdesk sentiment`."""

from pathlib import Path
from typing import Annotated, Literal

import typer

from .options import Json

sentiment = typer.Typer(help="Classifiers of the tone of financial texts.", no_args_is_help=True)


@sentiment.command()
def compare(
    labelled: Annotated[Path, typer.Argument(help="CSV with the columns text and label.")],
    classifier: Annotated[
        list[str] | None,
        typer.Option(help="lexicon, embedding, embedding:FOLDER, prompt:MODEL, transformers:SOURCE; repeatable."),
    ] = None,
    seed: Annotated[int, typer.Option(help="Seed of the split.")] = 0,
    method: Annotated[Literal["vector", "temperature"], typer.Option(help="How to calibrate.")] = "vector",
    threads: Annotated[int, typer.Option(help="Threads of a model in process.")] = 2,
    json: Json = False,
) -> None:
    """Compare classifiers on labelled texts, before and after calibration."""
    from ..sentiment_comparison import DEFAULT, print_comparison

    print_comparison(labelled, classifier or DEFAULT, seed=seed, method=method, json=json, threads=threads)
