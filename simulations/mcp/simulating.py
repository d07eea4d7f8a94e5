"""The one tool that writes: a simulation, run for a client that may."""

from collections.abc import Callable
from datetime import date
from functools import partial
from pathlib import Path
from typing import Annotated, Any, Literal

import anyio
from mcp.server.mcpserver import Context, MCPServer
from mcp.server.mcpserver.exceptions import ToolError
from mcp.types import ToolAnnotations
from pydantic import Field

from ...memory.journal import Record
from ...tools.errors import InputError, PaperDeskError
from ..config import load_config
from ..console import runs_folder
from ..masking import market_of
from ..reading import Session
from ..session import start as start_session
from ..window import window_of
from .answers import session_of

Market = Literal["generated", "us-tech", "sp20"]
Model = Literal["scorecard", "smollm2"]
Desk = Literal["classic", "research-house", "solo", "personas", "experienced"]
LONGEST = 260
"""Decisions of one simulation: a year of days, five of weeks."""


def register_run(server: MCPServer[Any], root: Path) -> None:
    """Offer it: new sessions go into `root`, one at a time."""
    one_at_a_time = anyio.CapacityLimiter(1)

    @server.tool(annotations=ToolAnnotations(read_only_hint=False, destructive_hint=False, open_world_hint=False))
    async def run_session(
        ctx: Context[Any, Any],
        market: Market = "generated",
        model: Model = "scorecard",
        desk: Desk = "classic",
        frequency: Literal["daily", "weekly", "monthly", "quarterly"] = "monthly",
        start: date | None = None,
        end: date | None = None,
        universe: list[str] | None = None,
        seed: Annotated[int, Field(ge=0)] = 0,
        market_seed: Annotated[int, Field(ge=0)] = 7,
        max_weight: Annotated[float, Field(gt=0, le=1)] = 0.3,
        risk_aversion: Annotated[float, Field(ge=0, le=100)] = 1.0,
    ) -> dict[str, Any]:
        """Run a new simulated session to its end and tell what it came to. Nothing real is traded.

        The scorecard (no language model) takes a second per decision, smollm2 about ten.
        """
        options = {
            "market": market,
            "model": model,
            "desk": desk,
            "frequency": frequency,
            "start": start,
            "end": end,
            "universe": tuple(universe) if universe else None,
            "seed": seed,
            "market_seed": market_seed,
            "max_weight": max_weight,
            "risk_aversion": risk_aversion,
        }
        chosen = {name: value for name, value in options.items() if value is not None}
        work = partial(_run, root, chosen, partial(_report, ctx))
        try:
            return await anyio.to_thread.run_sync(work, limiter=one_at_a_time)
        except PaperDeskError as error:
            raise ToolError(str(error)) from error


def _report(ctx: Context[Any, Any], done: int, planned: int) -> None:
    anyio.from_thread.run(ctx.report_progress, done, planned, f"decision {done} of {planned}")


def _run(root: Path, options: dict[str, Any], report: Callable[[int, int], None]) -> dict[str, Any]:
    config = load_config(None, options)
    planned = len(window_of(config, market_of(config)).decisions)
    if planned > LONGEST:
        raise InputError(f"That is {planned} decisions, and {LONGEST} is the most: give a shorter window.")

    def listen(record: Record, fresh: bool) -> None:
        if record.event.kind == "decision_closed":
            report((record.event.decision or 0) + 1, planned)

    folder = runs_folder(root)
    start_session(config, folder, listen)
    with Session.open(folder) as session:
        return session_of(session.summary(), session.decisions(limit=24))
