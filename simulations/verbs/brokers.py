"""`paperdesk brokers` and `paperdesk trade`."""

from datetime import datetime
from pathlib import Path
from typing import Annotated, Any, Literal

import typer

from .options import Json, day_of

brokers = typer.Typer(help="Brokers: list them, and check one against the conformance kit.", no_args_is_help=True)


@brokers.command("list")
def list_brokers(json: Json = False) -> None:
    """List the brokers that can be named, and where each comes from."""
    from ..broker_screens import print_brokers

    print_brokers(json=json)


@brokers.command()
def check(
    name: Annotated[str, typer.Argument(help="A broker of `paperdesk brokers list` that brings a stage.")],
    json: Json = False,
) -> None:
    """Run every check of the conformance kit on a broker, before a stand-in of its venue that fails on demand."""
    from ..broker_screens import print_check

    raise typer.Exit(print_check(name, json=json))


def trade(
    broker: Annotated[str | None, typer.Option(help="Name of a broker (`paperdesk brokers list`).")] = None,
    market: Annotated[str | None, typer.Option(help="A market folder that is kept up to date.")] = None,
    out: Annotated[Path | None, typer.Option(help="Folder of the session; one that exists is continued.")] = None,
    config: Annotated[Path | None, typer.Option(help="TOML file with choices of `paperdesk run`.")] = None,
    model: Annotated[str | None, typer.Option(help="As for `paperdesk run`.")] = None,
    desk: Annotated[str | None, typer.Option(help="As for `paperdesk run`.")] = None,
    universe: Annotated[str | None, typer.Option(help="Tickers to trade, by commas.")] = None,
    frequency: Annotated[str | None, typer.Option(help="daily, weekly, monthly (default) or quarterly.")] = None,
    policy: Annotated[
        str | None, typer.Option(help="Pre-trade policy: lenient, standard, strict, or a TOML file.")
    ] = None,
    memory: Annotated[str | None, typer.Option(help="Earlier sessions to begin from, by commas.")] = None,
    approve: Annotated[
        Literal["terminal", "file"] | None,
        typer.Option(help="Ask a person before orders leave: `terminal`, or `file` (approvals/)."),
    ] = None,
    approval_timeout: Annotated[
        float | None, typer.Option(help="Seconds to wait for an answer; at the longest until the next open.")
    ] = None,
    until: Annotated[datetime | None, typer.Option(formats=["%Y-%m-%d"], help="Last session; none by default.")] = None,
    refresh: Annotated[str | None, typer.Option(help="Command that brings the market folder up to date.")] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Decide and judge, and send nothing.")] = False,
    adopt: Annotated[bool, typer.Option("--adopt", help="Take over the broker's count of shares.")] = False,
    live: Annotated[bool, typer.Option("--live", help="First of two switches for real money.")] = False,
    api_key_env: Annotated[
        str, typer.Option(help="Environment variable with the key of a model server.")
    ] = "PAPERDESK_API_KEY",
) -> None:
    """Trade on paper at a broker: decide after the close, send at the next open, until it is stopped."""
    choices: dict[str, Any] = {"market": market, "model": model, "desk": desk, "universe": universe}
    choices |= {"frequency": frequency, "policy": policy, "memory": memory}
    choices |= {"approve": approve, "approval_timeout": approval_timeout}
    other: dict[str, Any] = {"until": day_of(until), "refresh": refresh, "dry_run": dry_run}
    from ..live.command import run_trade

    run_trade(broker, out, config, choices, other, adopt=adopt, live=live, api_key_env=api_key_env)
