"""`paperdesk memory`."""

from datetime import datetime
from pathlib import Path
from typing import Annotated

import typer

from .options import Json, day_of

memory = typer.Typer(help="Memory: what each analyst's record is worth, and the lessons.", no_args_is_help=True)

Session = Annotated[Path, typer.Argument(help="A session's folder, as `paperdesk run` printed it.")]
AsOf = Annotated[
    datetime | None, typer.Option(formats=["%Y-%m-%d"], help="Only what was known at the end of this day.")
]


@memory.command()
def show(session: Session, as_of: AsOf = None, json: Json = False) -> None:
    """Show each analyst's record: outcomes, IC with interval, Brier score, calibration error, weight."""
    from ..memory_screens import print_standings

    print_standings(session, as_of=day_of(as_of), json=json)


@memory.command()
def lessons(
    session: Session,
    agent: Annotated[str | None, typer.Option(help="Only this analyst's.")] = None,
    like: Annotated[str | None, typer.Option(help="Situation to recall by: `calm market month buy`.")] = None,
    as_of: AsOf = None,
    limit: Annotated[int, typer.Option(min=1, help="How many at most.")] = 20,
    json: Json = False,
) -> None:
    """Tell the newest lessons, or those whose situation is most like one."""
    from ..memory_screens import print_lessons

    print_lessons(session, agent=agent, like=like, as_of=day_of(as_of), limit=limit, json=json)
