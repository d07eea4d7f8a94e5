"""The command line: one thin command per verb; nothing happens here that Python users cannot call.

Progress and messages go to standard error, results to standard output. Exit codes: 0 done, 1 something went wrong while
working, 2 bad input (nothing was changed), 3 a verification found a difference, 130 interrupted (Ctrl-C).
"""

import sys
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any, Literal

import typer

# Only what `--help` needs is imported here; each command imports the rest itself, so that help answers at once.
from .simulations.verbs.brokers import brokers
from .simulations.verbs.brokers import trade as trade_verb
from .simulations.verbs.evaluation import evaluate, sweep
from .simulations.verbs.markets import markets
from .simulations.verbs.mcp import mcp
from .simulations.verbs.memory import memory
from .simulations.verbs.models import models
from .simulations.verbs.options import Json, day_of
from .simulations.verbs.policy import policy
from .simulations.verbs.sentiment import sentiment
from .simulations.verbs.timetravel import diff, fork
from .simulations.verbs.train import train
from .tools.errors import PaperDeskError

app = typer.Typer(
    name="paperdesk",
    help="A trading desk of language-model agents that runs on your own machine: offline, audited, re-derivable.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)

app.command("trade")(trade_verb)
app.add_typer(brokers, name="brokers")
app.add_typer(markets, name="markets")
app.add_typer(models, name="models")
app.add_typer(memory, name="memory")
app.add_typer(sentiment, name="sentiment")
app.add_typer(policy, name="policy")
app.command()(fork)
app.command()(diff)
app.add_typer(train, name="train")

SessionFolder = Annotated[Path, typer.Argument(help="A session's folder, as `paperdesk run` printed it.")]
Desk = Annotated[str | None, typer.Option(help="Desk by name (docs/roles.md; classic by default), or a TOML roster.")]
Without = Annotated[str | None, typer.Option(help="Whom to leave out, by commas: `technical`.")]
Roles = Annotated[str | None, typer.Option(help="Folder with role files of your own (docs/roles.md).")]
ApiKeyEnv = Annotated[str, typer.Option(help="Environment variable with the key of a model server.")]
Concurrency = Annotated[int, typer.Option(min=1, max=256, help="Requests to a model server at the same time.")]
ModelTimeout = Annotated[float, typer.Option(min=1, help="Seconds for one request to a model server.")]
Approve = Annotated[
    Literal["terminal", "file"] | None,
    typer.Option(help="Ask a person before orders leave: `terminal`, or `file` (approvals/)."),
]
ApproveAt = Annotated[
    Literal["terminal", "file"] | None,
    typer.Option(help="Where a session that asks for approval asks from now on."),
]
BudgetTokens = Annotated[int | None, typer.Option(help="Stop before the session exceeds so many tokens.")]
BudgetUsd = Annotated[float | None, typer.Option(help="Stop before it exceeds so many US dollars; needs both prices.")]
PricePrompt = Annotated[float | None, typer.Option(help="US dollars for a million tokens read.")]
PriceGenerated = Annotated[float | None, typer.Option(help="US dollars for a million tokens written.")]


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
    adapter: Annotated[
        list[str] | None,
        typer.Option(
            help="LoRA adapter (GGUF) of the model: a path, AGENT=PATH for one agent (repeatable), or `none`."
        ),
    ] = None,
    sentiment: Annotated[
        str | None,
        typer.Option(help="Who judges the tone of releases: embedding, reader:FOLDER, transformers:FOLDER."),
    ] = None,
    desk: Desk = None,
    without: Without = None,
    roles: Roles = None,
    memory: Annotated[
        str | None, typer.Option(help="Earlier sessions, by commas, whose memory is carried forward (docs/memory.md).")
    ] = None,
    debate_rounds: Annotated[
        int | None, typer.Option(help="How often each debater speaks on a ticker (2 by default).")
    ] = None,
    extra_calls: Annotated[
        int | None, typer.Option(help="How often an analyst may ask for more than its plan gathers (as its role says).")
    ] = None,
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
    approve: Approve = None,
    approval_timeout: Annotated[
        float | None, typer.Option(help="Seconds to wait for an answer; then nothing leaves and the session goes on.")
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
    options |= {name: day_of(options[name]) for name in ("start", "end", "training_cutoff")}
    settings = load_config(config, options)
    access = Access(api_key_env=api_key_env, concurrency=concurrency, timeout_seconds=model_timeout)
    budget = Budget(budget_tokens, budget_usd, price_prompt, price_generated)
    folder = out or runs_folder()
    with console(folder, budget=budget) as screen:
        screen.say("starting")
        from .simulations.session import start as start_session

        outcome = start_session(
            settings, folder, screen.listen, screen.say, access=access, budget=budget, approver=screen
        )
    screen.finish(outcome, json=json)


@app.command()
def resume(
    session: SessionFolder,
    approve: ApproveAt = None,
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

    with console(session, budget=budget) as screen:
        screen.say("starting")
        from .simulations.session import resume as resume_session

        outcome = resume_session(
            session, screen.listen, screen.say, access=access, budget=budget, approver=screen, approve=approve
        )
    screen.finish(outcome, json=json)


@app.command()
def replay(session: SessionFolder, json: Json = False) -> None:
    """Derive a finished session again without a model and compare every event."""
    from .simulations.console import console

    with console(quiet=True) as screen:
        screen.say("starting")
        from .simulations.session_folder import Session

        outcome = Session(session).replay(listener=screen.listen, say=screen.say)
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
    kind: Annotated[str | None, typer.Option(help="Only this kind of event (docs/journal.md): `order_filled`.")] = None,
    verdict: Annotated[str | None, typer.Option(help="Only this verdict: `revise`, `reject`, `clamp`, `veto`.")] = None,
    since: Annotated[datetime | None, typer.Option(formats=["%Y-%m-%d"], help="Only from this day on.")] = None,
    until: Annotated[datetime | None, typer.Option(formats=["%Y-%m-%d"], help="Only up to this day.")] = None,
    search: Annotated[str | None, typer.Option(help="Only events whose text contains these words.")] = None,
    event: Annotated[int | None, typer.Option(help="One event in full, by its number in the journal.")] = None,
    flat: Annotated[bool, typer.Option("--flat", help="A line per event, with its number.")] = False,
    full: Annotated[bool, typer.Option("--full", help="Claims, evidence, findings and rules of everything.")] = False,
    unmask: Annotated[bool, typer.Option("--unmask", help="Original names and dates of a masked session.")] = False,
    json: Json = False,
) -> None:
    """Tell what the desk did and why: signals, claims and their evidence, audits, orders, fills."""
    from .memory.journal import Filters
    from .simulations.show import Form, print_event, print_session

    if event is not None:
        print_event(session, event, json=json)
        return
    filters = Filters(
        kind=kind,
        agent=agent,
        ticker=ticker,
        verdict=verdict,
        decision=None if decision is None else decision - 1,
        since=day_of(since),
        until=day_of(until),
        text=search,
    )
    print_session(session, filters, Form(flat=flat, full=full, json=json, unmask=unmask))


@app.command()
def export(
    session: SessionFolder,
    to: Annotated[
        str, typer.Argument(help="NAME.jsonl, NAME.parquet, NAME.eval, or a collector: http://127.0.0.1:4317.")
    ],
) -> None:
    """Give a session to other tools: as JSON lines, a parquet table, an Inspect log, or OpenTelemetry spans."""
    from .simulations.exporting import export as export_session

    typer.echo(export_session(session, to), err=True)


@app.command()
def report(
    session: SessionFolder,
    out: Annotated[Path | None, typer.Option(help="Where the page goes; report.html in the session's folder.")] = None,
    tear_sheet: Annotated[
        Path | None, typer.Option(help="Write a tear sheet by quantstats into this file instead (extra quantstats).")
    ] = None,
) -> None:
    """Write a session as one HTML file: figures, every decision, claims, evidence; no script, no network."""
    if tear_sheet is not None:
        from .simulations.reporting.tear_sheet import write_tear_sheet

        typer.echo(f"tear sheet written to {write_tear_sheet(session, tear_sheet)}", err=True)
        return
    from .simulations.reporting.page import write_report

    typer.echo(f"page written to {write_report(session, out)}", err=True)


@app.command()
def view(
    runs: Annotated[Path, typer.Argument(help="Folder with sessions, or one session.")] = Path("runs"),
    host: Annotated[
        str, typer.Option(help="Address to listen at; other than loopback shows the sessions.")
    ] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=0, max=65535, help="Port; 0 for any that is free.")] = 8765,
) -> None:
    """Show sessions in the browser: why, who objected, what was read, what it cost."""
    from .simulations.viewer.serve import serve

    serve(runs, host=host, port=port)


app.command()(mcp)
app.command()(evaluate)
app.command()(sweep)


@app.command()
def graph(desk: Desk = None, without: Without = None, roles: Roles = None) -> None:
    """Print the state machine of a desk as a mermaid drawing."""
    from .orchestration.graph import mermaid
    from .simulations.config import load_config
    from .simulations.stages import roster_of

    typer.echo(mermaid(roster_of(load_config(None, {"desk": desk, "without": without, "roles": roles}))))


@app.command()
def version() -> None:
    """Print the version."""
    from importlib.metadata import version as installed

    typer.echo(installed("paperdesk"))


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
