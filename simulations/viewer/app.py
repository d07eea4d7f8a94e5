"""The web application: pages of sessions, read-only, for this machine."""

from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path

from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import HTMLResponse
from starlette.exceptions import HTTPException
from starlette.middleware.trustedhost import TrustedHostMiddleware
from starlette.staticfiles import StaticFiles

from ...tools.errors import InputError, PaperDeskError
from ..reading import Library
from . import decision_pages, event_pages, session_pages
from .pages import Pages
from .templating import STATIC

LOOPBACK = ("127.0.0.1", "localhost")
"""Names under which a page may be asked for, whatever the port: another name that leads here is somebody's trick
(DNS rebinding)."""

HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
        "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cache-Control": "no-cache",
}
"""On every answer: nothing from elsewhere is loaded, nothing written into a page is executed."""


def make_app(root: Path, hosts: Sequence[str] = LOOPBACK) -> FastAPI:
    """The application over a folder of sessions (or one session).

    Args:
        root: the folder.
        hosts: names under which it may be asked for.

    Raises:
        InputError: there is no such folder.
    """
    app = FastAPI(title="PaperDesk", docs_url=None, redoc_url=None, openapi_url=None)
    app.state.pages = Pages(Library(root))
    app.add_middleware(TrustedHostMiddleware, allowed_hosts=list(hosts), www_redirect=False)
    app.mount("/static", StaticFiles(directory=STATIC), name="static")
    for router in (session_pages.router, decision_pages.router, event_pages.router):
        app.include_router(router)

    @app.middleware("http")
    async def guarded(request: Request, call_next: Callable[[Request], Awaitable[Response]]) -> Response:
        response = await call_next(request)
        response.headers.update(HEADERS)
        return response

    def failed(request: Request, error: Exception) -> HTMLResponse:
        pages: Pages = app.state.pages
        page = pages.error(*_told(error))
        page.headers.update(HEADERS)  # what nobody foresaw is answered outside of `guarded`
        return page

    for kind in (PaperDeskError, HTTPException, RequestValidationError, Exception):
        app.add_exception_handler(kind, failed)
    return app


def _told(error: Exception) -> tuple[int, str]:
    """Status and sentence."""
    if isinstance(error, HTTPException):
        return error.status_code, str(error.detail)
    if isinstance(error, RequestValidationError):
        first = error.errors()[0]
        place, name = first["loc"][0], first["loc"][-1]
        sentence = f"{name} in this address is not what it has to be: {first['msg'].lower()}."
        return 404 if place == "path" else 400, sentence
    if isinstance(error, PaperDeskError):
        return 404 if isinstance(error, InputError) else 500, str(error)
    return 500, f"The viewer has an error of its own ({type(error).__name__}); where it was started stands where."
