"""The command line: one thin command per verb; nothing happens here that Python users cannot call.

Progress and messages go to standard error, results to standard output. Exit codes: 0 done, 1 something went wrong while
working, 2 bad input (nothing was changed), 3 a verification found a difference, 130 interrupted (Ctrl-C).
"""

import sys
from datetime import date, datetime
from pathlib import Path
from typing import Annotated, Any, Literal

import typer

# Only what `--help` needs is imported here; each command imports the rest itself, so that help answers at once.
from .simulations.policy_commands import policy
from .tools.errors import PaperDeskError

app = typer.Typer(
    name="paperdesk",
    help="A trading desk of language-model agents that runs on your own machine: offline, audited, re-derivable.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)

markets = typer.Typer(help="Markets: list, check, describe, pull, make, and open a passage.", no_args_is_help=True)
app.add_typer(markets, name="markets")
models = typer.Typer(help="Models: list, describe, pull, measure and check them.", no_args_is_help=True)
app.add_typer(models, name="models")
sentiment = typer.Typer(help="Classifiers of the tone of financial texts.", no_args_is_help=True)
app.add_typer(sentiment, name="sentiment")
app.add_typer(policy, name="policy")

Market = Annotated[str, typer.Argument(help="`generated`, `us-tech`, `sp20`, or a data folder.")]
MarketSeed = Annotated[int, typer.Option(help="Seed of the generated market.")]
SessionFolder = Annotated[Path, typer.Argument(help="A session's folder, as `paperdesk run` printed it.")]
ApiKeyEnv = Annotated[str, typer.Option(help="Environment variable with the key of a model server.")]
Concurrency = Annotated[int, typer.Option(min=1, max=256, help="Requests to a model server at the same time.")]
ModelTimeout = Annotated[float, typer.Option(min=1, help="Seconds for one request to a model server.")]
BudgetTokens = Annotated[int | None, typer.Option(help="Stop before the session exceeds so many tokens.")]
BudgetUsd = Annotated[float | None, typer.Option(help="Stop before it exceeds so many US dollars; needs both prices.")]
PricePrompt = Annotated[float | None, typer.Option(help="US dollars for a million tokens read.")]
PriceGenerated = Annotated[float | None, typer.Option(help="US dollars for a million tokens written.")]
Model = Annotated[str, typer.Argument(help="A name of `paperdesk models list`, hf:owner/repo/file.gguf, or a file.")]
Json = Annotated[bool, typer.Option("--json", help="Print the result as JSON on standard output.")]


@app.command()
def run(
    market: Annotated[
        str | None,
        typer.Option(help="`generated` (default), `us-tech`, `sp20`, or a data folder (docs/data-format.md)."),
    ] = None,
    config: Annotated[
        Path | None, typer.Option(help="TOML file with the same options; options given here win.")
    ] = None,
    model: Annotated[
        str | None,
        typer.Option(help="`smollm2` (default), `scorecard` (no model), a .gguf file, or a server's URL."),
    ] = None,
    desk: Annotated[str | None, typer.Option(help="classic (default), solo, personas, or a TOML roster.")] = None,
    without: Annotated[str | None, typer.Option(help="Analysts to leave out, by commas: `technical`.")] = None,
    roles: Annotated[str | None, typer.Option(help="Folder with role files of your own (docs/roles.md).")] = None,
    out: Annotated[Path | None, typer.Option(help="Folder of the session; runs/<number> by default.")] = None,
    start: Annotated[datetime | None, typer.Option(formats=["%Y-%m-%d"], help="First session of the window.")] = None,
    end: Annotated[datetime | None, typer.Option(formats=["%Y-%m-%d"], help="Last session of the window.")] = None,
    universe: Annotated[str | None, typer.Option(help="Tickers to trade, by commas; all companies by default.")] = None,
    benchmark: Annotated[str | None, typer.Option(help="Ticker to compare with.")] = None,
    frequency: Annotated[str | None, typer.Option(help="daily, weekly, monthly (default) or quarterly.")] = None,
    seed: Annotated[int | None, typer.Option(help="Seed of everything that draws.")] = None,
    market_seed: Annotated[int | None, typer.Option(help="Seed of the generated market.")] = None,
    threads: Annotated[int | None, typer.Option(help="Threads of the model (2 by default).")] = None,
    context: Annotated[int | None, typer.Option(help="Tokens that the model holds at once (4096 by default).")] = None,
    repeats: Annotated[
        int | None, typer.Option(help="Other orders of the evidence in which stances are scored (1 by default).")
    ] = None,
    cash: Annotated[float | None, typer.Option(help="Starting cash.")] = None,
    commission_bps: Annotated[float | None, typer.Option(help="Commission, basis points of the value traded.")] = None,
    slippage_bps: Annotated[float | None, typer.Option(help="Slippage at the open, basis points.")] = None,
    policy: Annotated[
        str | None, typer.Option(help="Pre-trade policy: lenient, standard, strict, or a TOML file.")
    ] = None,
    max_weight: Annotated[float | None, typer.Option(help="Largest target weight of one name.")] = None,
    turnover_limit: Annotated[
        float | None, typer.Option(help="Largest turnover per decision, buys plus sells.")
    ] = None,
    risk_aversion: Annotated[float | None, typer.Option(help="Lambda of Mean-CVaR.")] = None,
    max_revisions: Annotated[int | None, typer.Option(help="How often the auditor may send a signal back.")] = None,
    mask: Annotated[
        str | None, typer.Option(help="Hide from the desk what a model may remember: names,dates,levels.")
    ] = None,
    mask_seed: Annotated[int | None, typer.Option(help="Seed of the invented names, dates and levels.")] = None,
    training_cutoff: Annotated[
        datetime | None, typer.Option(formats=["%Y-%m-%d"], help="Day after which the model can have read nothing.")
    ] = None,
    api_key_env: ApiKeyEnv = "PAPERDESK_API_KEY",
    concurrency: Concurrency = 4,
    model_timeout: ModelTimeout = 300.0,
    budget_tokens: BudgetTokens = None,
    budget_usd: BudgetUsd = None,
    price_prompt: PricePrompt = None,
    price_generated: PriceGenerated = None,
    json: Json = False,
) -> None:
    """Run one simulated trading session and keep every step of it."""
    given = dict(locals())
    from .agents.models.budget import Budget
    from .agents.models.served.access import Access
    from .simulations.config import SessionConfig, load_config
    from .simulations.console import console, runs_folder

    options: dict[str, Any] = {name: value for name, value in given.items() if name in SessionConfig.model_fields}
    options |= {name: _day(options[name]) for name in ("start", "end", "training_cutoff")}
    settings = load_config(config, options)
    access = Access(api_key_env=api_key_env, concurrency=concurrency, timeout_seconds=model_timeout)
    budget = Budget(budget_tokens, budget_usd, price_prompt, price_generated)
    folder = out or runs_folder()
    with console(folder) as screen:
        screen.say("starting")
        from .simulations.session import start as start_session

        outcome = start_session(settings, folder, screen.listen, screen.say, access=access, budget=budget)
    screen.finish(outcome, json=json)


@app.command()
def resume(
    session: SessionFolder,
    api_key_env: ApiKeyEnv = "PAPERDESK_API_KEY",
    concurrency: Concurrency = 4,
    model_timeout: ModelTimeout = 300.0,
    budget_tokens: BudgetTokens = None,
    budget_usd: BudgetUsd = None,
    price_prompt: PricePrompt = None,
    price_generated: PriceGenerated = None,
    json: Json = False,
) -> None:
    """Continue a session that was stopped, to the same end it would have had."""
    from .agents.models.budget import Budget
    from .agents.models.served.access import Access
    from .simulations.console import console

    access = Access(api_key_env=api_key_env, concurrency=concurrency, timeout_seconds=model_timeout)
    budget = Budget(budget_tokens, budget_usd, price_prompt, price_generated)

    with console(session) as screen:
        screen.say("starting")
        from .simulations.session import resume as resume_session

        outcome = resume_session(session, screen.listen, screen.say, access=access, budget=budget)
    screen.finish(outcome, json=json)


@app.command()
def replay(session: SessionFolder, json: Json = False) -> None:
    """Derive a finished session again without a model and compare every event."""
    from .simulations.console import console

    with console(quiet=True) as screen:
        screen.say("starting")
        from .simulations.session import replay as replay_session

        outcome = replay_session(session, screen.listen, screen.say)
    screen.replayed(outcome, json=json)


@app.command()
def verify(session: SessionFolder, json: Json = False) -> None:
    """Recompute the journal's hash chain and compare it with what is kept outside the database."""
    from .simulations.console import show_verification

    raise typer.Exit(show_verification(session, json=json))


@app.command()
def show(
    session: SessionFolder,
    decision: Annotated[int | None, typer.Option(help="Only this decision (numbered from 1).")] = None,
    ticker: Annotated[str | None, typer.Option(help="Only this ticker.")] = None,
    agent: Annotated[str | None, typer.Option(help="Only this agent.")] = None,
    search: Annotated[str | None, typer.Option(help="Only events whose text contains these words.")] = None,
    unmask: Annotated[bool, typer.Option("--unmask", help="Original names and dates of a masked session.")] = False,
    json: Json = False,
) -> None:
    """Tell what the desk did and why: signals, claims and their evidence, audits, orders, fills."""
    from .simulations.transcript import print_transcript

    print_transcript(session, decision=decision, ticker=ticker, agent=agent, search=search, json=json, unmask=unmask)


@markets.command("list")
def list_(json: Json = False) -> None:
    """List the markets and vendors that can be named."""
    from .simulations.market_screens import print_listing

    print_listing(json=json)


@markets.command()
def check(
    folder: Annotated[Path, typer.Argument(help="A data folder (docs/data-format.md).")],
    everything: Annotated[bool, typer.Option("--all", help="Print every defect, however many of a kind.")] = False,
    json: Json = False,
) -> None:
    """Report every defect of a data folder with its file and row."""
    from .simulations.market_screens import print_check

    raise typer.Exit(print_check(folder, everything=everything, json=json))


@markets.command()
def describe(market: Market, market_seed: MarketSeed = 7, json: Json = False) -> None:
    """Say what a market holds: sessions, companies, filings, documents."""
    from .simulations.market_screens import print_description

    print_description(market, market_seed, json=json)


@markets.command()
def passage(
    market: Market,
    name: Annotated[str, typer.Argument(help="Id of a passage's evidence, or DOCUMENT:START-END.")],
    as_of: Annotated[datetime | None, typer.Option(formats=["%Y-%m-%d"], help="Read as of this day.")] = None,
    market_seed: MarketSeed = 7,
    json: Json = False,
) -> None:
    """Open the passage that a piece of evidence quotes, in its document."""
    from .simulations.market_screens import print_passage

    print_passage(market, name, market_seed, _day(as_of), json=json)


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
    from .simulations.market_commands import pull_command
    from .simulations.market_screens import print_manifest
    from .tools.market.vendors.manifest import DEFAULT_VENDORS

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
    from .simulations.laboratory_command import make_market

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


@models.command("list")
def list_models(json: Json = False) -> None:
    """List the bundled model, the pulled ones, and those that can be pulled by name."""
    from .simulations.model_screens import print_models

    print_models(json=json)


@models.command()
def info(model: Model, json: Json = False) -> None:
    """Say what is known of a model: metadata, licence, training cutoff, sha256."""
    from .simulations.model_screens import print_info

    print_info(model, json=json)


@models.command("pull")
def pull_model(
    model: Annotated[str, typer.Argument(help="hf:owner/repo/file.gguf[@revision], or a name of the list.")],
    out: Annotated[Path | None, typer.Option(help="Another folder, or a file name that ends in .gguf.")] = None,
    sha256: Annotated[str | None, typer.Option(help="What the file must have, beside what the hub says.")] = None,
    json: Json = False,
) -> None:
    """Fetch a model file, or go on where that was stopped, and verify it."""
    from .simulations.model_commands import pull_command
    from .simulations.model_screens import print_pull

    print_pull(pull_command(model, out=out, sha256=sha256), json=json)


@models.command("check")
def check_model(
    model: Model,
    trust: Annotated[bool, typer.Option("--trust", help="Allow this very file from now on, if it is sound.")] = False,
    json: Json = False,
) -> None:
    """Look at a model file without loading it here: header, sha256, allow-list, a trial in another process."""
    from .simulations.model_screens import print_checked

    raise typer.Exit(print_checked(model, trust=trust, json=json))


@models.command()
def bench(
    model: Annotated[str, typer.Argument(help="What `run --model` takes.")] = "smollm2",
    threads: Annotated[int, typer.Option(help="Threads of a model in this process.")] = 2,
    repeats: Annotated[int, typer.Option(help="Decisions to ask both analysts about.")] = 2,
    json: Json = False,
) -> None:
    """Measure a model on the analysts' questions: tokens a second, signals a minute, valid objects, memory."""
    from .simulations.bench_screen import print_bench

    print_bench(model, threads=threads, repeats=repeats, json=json)


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
    from .simulations.sentiment_comparison import DEFAULT, print_comparison

    print_comparison(labelled, classifier or DEFAULT, seed=seed, method=method, json=json, threads=threads)


@app.command()
def graph() -> None:
    """Print the desk's state machine as a mermaid drawing."""
    from .orchestration.graph import mermaid

    typer.echo(mermaid())


@app.command()
def version() -> None:
    """Print the version."""
    from importlib.metadata import version as installed

    typer.echo(installed("paperdesk"))


def _day(moment: datetime | None) -> date | None:
    return moment.date() if moment else None


def main() -> None:
    """Entry point of the console script: errors become one sentence and an exit code."""
    try:
        app(prog_name="paperdesk")
    except PaperDeskError as error:
        message = str(error).rstrip(".")
        typer.echo(f"paperdesk: {message[:1].lower()}{message[1:]}.", err=True)
        sys.exit(error.exit_code)


if __name__ == "__main__":
    main()
