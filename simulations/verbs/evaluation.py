"""`paperdesk evaluate`."""

from pathlib import Path
from typing import Annotated

import typer

from .options import Json


def evaluate(
    folder: Annotated[Path, typer.Argument(help="A finished session's folder.")],
    html: Annotated[Path | None, typer.Option(help="Where the page goes; evaluation.html in the folder.")] = None,
    draws: Annotated[int, typer.Option(min=200, max=20_000, help="Resampled histories behind an interval.")] = 2000,
    accounts: Annotated[int, typer.Option(min=20, max=2000, help="Random accounts with the desk's turnover.")] = 100,
    seed: Annotated[int, typer.Option(min=0, help="Seed of the resampling and of the random accounts.")] = 0,
    json: Json = False,
) -> None:
    """Judge a finished session: figures with intervals, opponents on the same ledger, luck, agents."""
    from ..evaluation.command import evaluate_command
    from ..evaluation.session_report import Settings

    evaluate_command(folder, Settings(draws=draws, accounts=accounts, seed=seed), html=html, json=json)
