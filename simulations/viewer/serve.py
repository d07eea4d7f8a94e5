"""Serving the pages on this machine."""

import socket
import sys
from pathlib import Path

import uvicorn

from ...tools.errors import InputError
from .app import LOOPBACK, make_app

PORT = 8765


def serve(root: Path, *, host: str = "127.0.0.1", port: int = PORT) -> None:
    """Serves the sessions in a folder until Ctrl-C.

    Args:
        root: the folder, or one session's folder.
        host: address to listen at; anything but loopback shows the sessions to whoever can reach it.
        port: 0 for any that is free.

    Raises:
        InputError: there is no such folder, or the address is taken, or it names no address in particular.
    """
    if host in ("", "0.0.0.0") or ":" in host:
        # a page is answered only under the name that it is served at, so there has to be one
        raise InputError(f"{host!r} names no single address; give the machine's own IPv4 address or its name as --host")
    app = make_app(root, (*LOOPBACK, host))
    try:
        listener = socket.create_server((host, port))
    except OSError as error:
        raise InputError(f"{host}:{port} cannot be listened at ({error.strerror}); give another --port") from None
    with listener:
        sys.stderr.write(f"sessions in {root}: http://{host}:{listener.getsockname()[1]}/  (Ctrl-C ends)\n")
        sys.stderr.flush()
        config = uvicorn.Config(app, log_level="warning", access_log=False, lifespan="off", server_header=False)
        uvicorn.Server(config).run(sockets=[listener])
