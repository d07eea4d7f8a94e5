"""`paperdesk evaluate` and `paperdesk sweep`."""

from pathlib import Path
from typing import Annotated, Literal

import typer

from .options import Json

Draws = Annotated[int, typer.Option(min=200, max=20_000, help="Resampled histories behind an interval.")]
Accounts = Annotated[int, typer.Option(min=20, max=2000, help="Random accounts with the desk's turnover.")]
Seed = Annotated[int, typer.Option(min=0, help="Seed of the resampling and of the random accounts.")]
Jobs = Annotated[int | None, typer.Option(min=1, help="Sessions side by side; one per core by default.")]
Concurrency = Annotated[int, typer.Option(min=1, max=256, help="Requests to a model server at the same time.")]
ApiKeyEnv = Annotated[str, typer.Option(help="Environment variable with the key of a model server.")]


def evaluate(
    folder: Annotated[Path, typer.Argument(help="A finished session's folder, or that of a sweep or study.")],
    ablations: Annotated[
        bool, typer.Option("--ablations", help="Run the desk without each analyst, auditor, memory, costs, model.")
    ] = False,
    placebos: Annotated[
        bool, typer.Option("--placebos", help="Run the same days masked, with shuffled texts, turned prices, and more.")
    ] = False,
    repeats: Annotated[int, typer.Option(min=0, max=100, help="Run it again with so many other seeds.")] = 0,
    model: Annotated[list[str] | None, typer.Option(help="Run it with this model instead; repeatable.")] = None,
    out: Annotated[
        Path | None, typer.Option(help="Folder of the study; the session's name and -study by default.")
    ] = None,
    exchange: Annotated[
        int, typer.Option(min=0, help="Decisions at which the mind is asked again, names shown others' evidence.")
    ] = 0,
    html: Annotated[Path | None, typer.Option(help="Where the page goes; evaluation.html in the folder.")] = None,
    draws: Draws = 2000,
    accounts: Accounts = 100,
    seed: Seed = 0,
    jobs: Jobs = None,
    api_key_env: ApiKeyEnv = "PAPERDESK_API_KEY",
    concurrency: Concurrency = 4,
    json: Json = False,
) -> None:
    """Judge a session or a field: intervals, opponents, luck, agents, ablations, placebos."""
    from ...agents.models.served.access import Access
    from ..evaluation.command import evaluate_command
    from ..evaluation.session_report import Settings

    access = Access(api_key_env=api_key_env, concurrency=concurrency)
    settings = Settings(draws=draws, accounts=accounts, seed=seed, exchange=exchange, access=access)
    if ablations or placebos or repeats or model:
        from ..field.command import study_command
        from ..field.runner import runner_at

        study = out or folder.with_name(f"{folder.name}-study")
        code = study_command(
            folder,
            study,
            settings,
            ablations=ablations,
            placebos=placebos,
            repeats=repeats,
            models=model or [],
            runner=runner_at("processes", jobs=jobs),
            access=access,
            json=json,
        )
        raise typer.Exit(code)
    from ..field.command import field_command, is_field

    if is_field(folder):
        field_command(folder, settings, html=html, json=json)
    else:
        evaluate_command(folder, settings, html=html, json=json)


def sweep(
    config: Annotated[Path, typer.Argument(help="TOML file with title, base and grid (docs/evaluation.md).")],
    out: Annotated[Path | None, typer.Option(help="Folder of the sweep; runs/ and the file's name by default.")] = None,
    on: Annotated[
        Literal["processes", "ray"], typer.Option("--on", help="Run it here, or on a Ray cluster (extra ray).")
    ] = "processes",
    ray_address: Annotated[
        str | None, typer.Option(help="HOST:PORT of a cluster; $RAY_ADDRESS, else a Ray of this machine, by default.")
    ] = None,
    jobs: Jobs = None,
    draws: Draws = 2000,
    accounts: Accounts = 100,
    seed: Seed = 0,
    api_key_env: ApiKeyEnv = "PAPERDESK_API_KEY",
    concurrency: Concurrency = 4,
    json: Json = False,
) -> None:
    """Run a session for every combination of a grid, side by side; the same command goes on where it was stopped."""
    from ...agents.models.served.access import Access
    from ..console import RUNS
    from ..evaluation.session_report import Settings
    from ..field.command import sweep_command
    from ..field.runner import runner_at

    access = Access(api_key_env=api_key_env, concurrency=concurrency)
    settings = Settings(draws=draws, accounts=accounts, seed=seed)
    runner = runner_at(on, jobs=jobs, ray_address=ray_address)
    folder = out or RUNS / config.stem
    raise typer.Exit(sweep_command(config, folder, settings, runner=runner, access=access, json=json))
