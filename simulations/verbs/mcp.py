"""`paperdesk mcp`."""

from pathlib import Path
from typing import Annotated

import typer


def mcp(
    runs: Annotated[Path, typer.Argument(help="Folder with sessions, or one session.")] = Path("runs"),
    allow_run: Annotated[
        bool, typer.Option("--allow-run", help="Let clients run simulations; new sessions go into the folder.")
    ] = False,
    http: Annotated[
        int | None, typer.Option(min=1, max=65535, help="Serve HTTP on 127.0.0.1 at this port, not stdin and stdout.")
    ] = None,
) -> None:
    """Serve sessions to a client of the Model Context Protocol: it reads, and changes nothing unless told it may."""
    try:
        from ..mcp.server import serve
    except ImportError as error:
        from ..extras import missing_extra

        raise missing_extra("An MCP server", "mcp", error) from error

    serve(runs, allow_run=allow_run, http=http)
