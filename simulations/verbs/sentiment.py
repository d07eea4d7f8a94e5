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
        typer.Option(help="lexicon, embedding[:FOLDER], reader:FOLDER, prompt:MODEL, transformers:SOURCE; repeatable."),
    ] = None,
    seed: Annotated[int, typer.Option(help="Seed of the split.")] = 0,
    method: Annotated[Literal["vector", "temperature"], typer.Option(help="How to calibrate.")] = "vector",
    threads: Annotated[int, typer.Option(help="Threads of a model in process.")] = 2,
    json: Json = False,
) -> None:
    """Compare classifiers on labelled texts, before and after calibration."""
    from ..sentiment_comparison import DEFAULT, print_comparison

    print_comparison(labelled, classifier or DEFAULT, seed=seed, method=method, json=json, threads=threads)


@sentiment.command()
def releases(
    market: Annotated[str, typer.Argument(help="`generated`, `us-tech`, `sp20`, or a data folder.")],
    classifier: Annotated[
        list[str] | None, typer.Option(help="As for `compare`, without what is fitted; repeatable.")
    ] = None,
    seed: Annotated[int, typer.Option(min=0, help="Of the resampling.")] = 0,
    threads: Annotated[int, typer.Option(help="Threads of a model in process.")] = 2,
    json: Json = False,
) -> None:
    """How classifiers read a market's releases: where they agree, and what the share did afterwards."""
    from ..pages import print_json
    from ..tone_study import print_study, study_market

    found = study_market(market, classifier or ("lexicon", "embedding"), seed=seed, threads=threads)
    if json:
        print_json(found)
    else:
        print_study(found)
