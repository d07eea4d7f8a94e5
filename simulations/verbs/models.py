"""`paperdesk models`."""

from pathlib import Path
from typing import Annotated

import typer

from .options import Json

models = typer.Typer(help="Models: list, describe, pull, measure and check them.", no_args_is_help=True)

Model = Annotated[str, typer.Argument(help="A name of `paperdesk models list`, hf:owner/repo/file.gguf, or a file.")]


@models.command("list")
def list_models(json: Json = False) -> None:
    """List the bundled model, the pulled ones, and those that can be pulled by name."""
    from ..model_screens import print_models

    print_models(json=json)


@models.command()
def info(model: Model, json: Json = False) -> None:
    """Say what is known of a model: metadata, licence, training cutoff, sha256."""
    from ..model_screens import print_info

    print_info(model, json=json)


@models.command("pull")
def pull_model(
    model: Annotated[str, typer.Argument(help="hf:owner/repo/file.gguf[@revision], or a name of the list.")],
    out: Annotated[Path | None, typer.Option(help="Another folder, or a file name that ends in .gguf.")] = None,
    sha256: Annotated[str | None, typer.Option(help="What the file must have, beside what the hub says.")] = None,
    json: Json = False,
) -> None:
    """Fetch a model file, or go on where that was stopped, and verify it."""
    from ..model_commands import pull_command
    from ..model_screens import print_pull

    print_pull(pull_command(model, out=out, sha256=sha256), json=json)


@models.command("check")
def check_model(
    model: Model,
    trust: Annotated[bool, typer.Option("--trust", help="Allow this very file from now on, if it is sound.")] = False,
    json: Json = False,
) -> None:
    """Look at a model file without loading it here: header, sha256, allow-list, a trial in another process."""
    from ..model_screens import print_checked

    raise typer.Exit(print_checked(model, trust=trust, json=json))


@models.command()
def bench(
    model: Annotated[str, typer.Argument(help="What `run --model` takes.")] = "smollm2",
    threads: Annotated[int, typer.Option(help="Threads of a model in this process.")] = 2,
    repeats: Annotated[int, typer.Option(help="Decisions to ask both analysts about.")] = 2,
    json: Json = False,
) -> None:
    """Measure a model on the analysts' questions: tokens a second, signals a minute, valid objects, memory."""
    from ..bench_screen import print_bench

    print_bench(model, threads=threads, repeats=repeats, json=json)
