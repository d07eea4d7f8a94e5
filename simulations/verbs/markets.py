"""`paperdesk markets`."""

from datetime import datetime
from pathlib import Path
from typing import Annotated, Literal

import typer

from .options import Json, day_of

markets = typer.Typer(
    help="Markets: list, check, describe, pull, make, open a passage, see relations and events.", no_args_is_help=True
)

Market = Annotated[str, typer.Argument(help="`generated`, `us-tech`, `sp20`, or a data folder.")]
AsOf = Annotated[datetime | None, typer.Option(formats=["%Y-%m-%d"], help="Read as of this day.")]
MarketSeed = Annotated[int, typer.Option(help="Seed of the generated market.")]


@markets.command("list")
def list_(json: Json = False) -> None:
    """List the markets and vendors that can be named."""
    from ..market_screens import print_listing

    print_listing(json=json)


@markets.command()
def check(
    folder: Annotated[Path, typer.Argument(help="A data folder (docs/data-format.md).")],
    everything: Annotated[bool, typer.Option("--all", help="Print every defect, however many of a kind.")] = False,
    json: Json = False,
) -> None:
    """Report every defect of a data folder with its file and row."""
    from ..market_screens import print_check

    raise typer.Exit(print_check(folder, everything=everything, json=json))


@markets.command()
def describe(market: Market, market_seed: MarketSeed = 7, json: Json = False) -> None:
    """Say what a market holds: sessions, companies, filings, documents."""
    from ..market_screens import print_description

    print_description(market, market_seed, json=json)


@markets.command()
def passage(
    market: Market,
    name: Annotated[str, typer.Argument(help="Id of a passage's evidence, or DOCUMENT:START-END.")],
    as_of: AsOf = None,
    market_seed: MarketSeed = 7,
    json: Json = False,
) -> None:
    """Open the passage that a piece of evidence quotes, in its document."""
    from ..market_screens import print_passage

    print_passage(market, name, market_seed, day_of(as_of), json=json)


@markets.command()
def relations(
    market: Market,
    ticker: Annotated[str | None, typer.Option(help="Only this company, with its peers.")] = None,
    as_of: AsOf = None,
    graphml: Annotated[Path | None, typer.Option(help="Write the graph, events included, to this file.")] = None,
    mermaid: Annotated[bool, typer.Option("--mermaid", help="Print a drawing instead.")] = False,
    market_seed: MarketSeed = 7,
    json: Json = False,
) -> None:
    """Say who supplies, buys from, works or competes with whom and who holds office, each with its sentence."""
    from ...tools.market.view import open_market
    from ..market_screens import moment_of
    from ..relation_screens import print_relations

    opened = open_market(market, market_seed)
    moment = moment_of(opened, day_of(as_of))
    print_relations(opened, moment, ticker, json=json, graphml_file=graphml, drawing=mermaid)


@markets.command()
def events(
    market: Market,
    ticker: Annotated[str | None, typer.Option(help="Only this company.")] = None,
    as_of: AsOf = None,
    since: Annotated[datetime | None, typer.Option(formats=["%Y-%m-%d"], help="Only from this day on.")] = None,
    kind: Annotated[list[str] | None, typer.Option(help="Only this kind, repeatable (docs/relations.md).")] = None,
    mermaid: Annotated[bool, typer.Option("--mermaid", help="Print a drawing instead.")] = False,
    market_seed: MarketSeed = 7,
    json: Json = False,
) -> None:
    """Say what documents report: outlooks, dividends, deals, people who come and go, each with its sentence."""
    from ...tools.market.view import open_market
    from ..market_screens import moment_of
    from ..relation_screens import print_events

    opened = open_market(market, market_seed)
    moment = moment_of(opened, day_of(as_of))
    print_events(opened, moment, ticker, day_of(since), kind or (), json=json, drawing=mermaid)


@markets.command()
def pull(
    tickers: Annotated[list[str], typer.Argument(help="Tickers of the companies.")],
    start: Annotated[str, typer.Option("--from", help="First day: 2022, 2022-06 or 2022-06-01.")],
    out: Annotated[Path, typer.Option(help="The folder; the same command continues what was begun there.")],
    end: Annotated[str | None, typer.Option("--to", help="Last day; by default the last closed session.")] = None,
    vendor: Annotated[
        list[str] | None, typer.Option(help="Vendor, repeatable, the preferred first (yahoo and edgar by default).")
    ] = None,
    series: Annotated[list[str] | None, typer.Option(help="Series of a vendor such as fred, repeatable.")] = None,
    benchmark: Annotated[str | None, typer.Option(help="A fund or index to compare with, prices only.")] = None,
    calendar: Annotated[str, typer.Option(help="Calendar of the exchange.")] = "XNYS",
    csv_folder: Annotated[Path | None, typer.Option(help="Where the vendor csv finds its files.")] = None,
    option: Annotated[list[str] | None, typer.Option(help="vendor.name=value, repeatable.")] = None,
    name: Annotated[str | None, typer.Option(help="Name of the market; the folder's by default.")] = None,
    form: Annotated[Literal["parquet", "csv"], typer.Option(help="Of the tables.")] = "parquet",
    skip_missing: Annotated[
        bool, typer.Option("--skip-missing", help="Leave out what a vendor does not have.")
    ] = False,
    json: Json = False,
) -> None:
    """Pull real data into a folder of the tidy format, with a manifest of what came from where."""
    from ...tools.market.vendors.manifest import DEFAULT_VENDORS
    from ..market_commands import pull_command
    from ..market_screens import print_manifest

    manifest = pull_command(
        tickers,
        start,
        out,
        end=end,
        vendors=vendor or DEFAULT_VENDORS,
        series=series or (),
        benchmark=benchmark,
        calendar=calendar,
        csv_folder=csv_folder,
        options=option or (),
        name=name,
        form=form,
        skip_missing=skip_missing,
    )
    print_manifest(manifest, out, json=json)


@markets.command()
def update(
    folder: Annotated[Path, typer.Argument(help="A folder that was pulled without --to.")],
    csv_folder: Annotated[Path | None, typer.Option(help="Where the vendor csv finds its files.")] = None,
    json: Json = False,
) -> None:
    """Pull a folder again up to the last closed session; it stays as it is until the new one is whole."""
    from ..market_commands import update_command
    from ..market_screens import print_manifest

    manifest, new = update_command(folder, csv_folder=csv_folder)
    if not new and not json:
        typer.echo(f"{folder} reaches {manifest.end}, the last session that has closed: nothing was asked.", err=True)
        return
    print_manifest(manifest, folder, json=json)


@markets.command()
def make(
    out: Annotated[Path, typer.Option(help="The new folder.")],
    companies: Annotated[int, typer.Option(help="How many companies.")] = 100,
    years: Annotated[int, typer.Option(help="How many years.")] = 10,
    first_year: Annotated[int, typer.Option(help="The year in which the market opens.")] = 2014,
    seed: Annotated[int, typer.Option(help="Draws everything.")] = 7,
    edge: Annotated[
        list[str] | None,
        typer.Option(help="drift, momentum, tone or value, with =STRENGTH or 1; repeatable; none by default."),
    ] = None,
    hostile: Annotated[float, typer.Option(help="Share of the texts that carry an instruction to the reader.")] = 0.0,
    name: Annotated[str, typer.Option(help="Name of the market.")] = "laboratory",
    json: Json = False,
) -> None:
    """Make a laboratory market whose true expected returns are known, with the truth in a file beside it."""
    from ..laboratory_command import make_market

    made = make_market(
        out,
        companies=companies,
        years=years,
        first_year=first_year,
        seed=seed,
        edges=edge or (),
        hostile=hostile,
        name=name,
        quiet=json,
    )
    if json:
        from json import dumps

        typer.echo(dumps(made, indent=2))
    else:
        from shlex import quote

        typer.echo(f"ready: paperdesk run --market {quote(str(out))}", err=True)
