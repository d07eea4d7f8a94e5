"""`paperdesk fork` and `paperdesk diff`: another future of a session, and what differs between two."""

from datetime import datetime
from pathlib import Path
from typing import Annotated

import typer

from .options import Json, day_of


def fork(
    session: Annotated[Path, typer.Argument(help="Folder of the session whose past is shared.")],
    at: Annotated[datetime, typer.Option(formats=["%Y-%m-%d"], help="Session of the first decision that may differ.")],
    change: Annotated[
        list[str] | None,
        typer.Option(
            "--set",
            help="What to set from there on; repeatable: max_weight=0.2, policy=strict, model=scorecard, desk=solo, "
            "without=technical, signal:technical_analyst:NVDA=sell.",
        ),
    ] = None,
    out: Annotated[Path | None, typer.Option(help="Folder of the new session; runs/<number> by default.")] = None,
    by: Annotated[str, typer.Option(help="Who sets it.")] = "a person",
    api_key_env: Annotated[
        str, typer.Option(help="Environment variable with the key of a model server.")
    ] = "PAPERDESK_API_KEY",
    json: Json = False,
) -> None:
    """Make a new session that shares another one's past, with something else set from a decision on."""
    from ...agents.models.served.access import Access
    from ..console import console, runs_folder

    day = day_of(at)
    assert day is not None
    folder = out or runs_folder()
    with console(folder) as screen:
        screen.say("starting")
        from ..fork import fork as fork_session

        outcome = fork_session(
            session,
            folder,
            day,
            change or (),
            screen.listen,
            screen.say,
            by=by,
            access=Access(api_key_env=api_key_env),
            approver=screen,
        )
    screen.finish(outcome, json=json)


def diff(
    a: Annotated[Path, typer.Argument(help="A session's folder.")],
    b: Annotated[Path, typer.Argument(help="Another session's folder.")],
    whole: Annotated[bool, typer.Option("--all", help="Every difference, however many.")] = False,
    json: Annotated[bool, typer.Option("--json", help="One JSON object per line.")] = False,
) -> None:
    """Say what differs between two sessions: signals, audits, weights, orders, fills, equity, by decision."""
    from ..diff_screen import print_difference

    print_difference(a, b, json=json, whole=whole)
