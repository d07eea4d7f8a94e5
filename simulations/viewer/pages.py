"""What all pages have in common: the library, the templates, the index that may still be growing."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated, Any

from fastapi import Depends, Query, Request
from fastapi import Path as PathParameter
from fastapi.responses import HTMLResponse

from ...tools.errors import PaperDeskError
from ..reading import Library, Session
from .templating import TEMPLATES, environment

AT_ONCE = 20_000
"""Events that are indexed while a page waits for them; more are indexed in the background."""


class Pages:
    """The library and the templates of one application."""

    def __init__(self, library: Library) -> None:
        self.library = library
        self._templates = environment(TEMPLATES)
        self._building: dict[str, threading.Thread] = {}
        self._guard = threading.Lock()
        self.progress: dict[str, tuple[int, int]] = {}
        """Events indexed and events in all, of sessions that are being indexed in the background."""

    def render(self, template: str, **values: Any) -> HTMLResponse:
        """A page."""
        return HTMLResponse(self._templates.get_template(template).render(values))

    def error(self, status: int, sentence: str) -> HTMLResponse:
        """The page that says what went wrong."""
        page = self.render("error.html", sentence=sentence, status=status)
        page.status_code = status
        return page

    @contextmanager
    def session(self, name: str) -> Iterator[Session]:
        """A session by its name, open for the time of one request.

        Raises:
            InputError: there is none.
        """
        with self.library.open(name) as session:
            yield session

    def is_indexed(self, session: Session) -> bool:
        """Whether filters and search answer at once; if not, the index is being made in the background."""
        if session.unindexed() <= AT_ONCE:
            return True
        with self._guard:
            running = self._building.get(session.name)
            if running is None or not running.is_alive():
                self.progress[session.name] = (session.count - session.unindexed(), session.count)
                thread = threading.Thread(target=self._build, args=(session.name,), daemon=True)
                self._building[session.name] = thread
                thread.start()
        return False

    def _build(self, name: str) -> None:
        def told(done: int, count: int) -> None:
            self.progress[name] = (done, count)

        try:
            with self.library.open(name) as session, session.index(told):
                pass
        except PaperDeskError as error:
            # whoever asks for the page next meets the same error in the foreground
            self.progress.pop(name, None)
            raise error
        self.progress.pop(name, None)


def pages_of(request: Request) -> Pages:
    """The pages of the application that a request came to."""
    pages: Pages = request.app.state.pages
    return pages


Here = Annotated[Pages, Depends(pages_of)]
"""The pages, in a route's signature."""
MOST = 10**12
"""No decision or event has a higher number; a database could not even be asked for one of twenty digits."""
InPath = Annotated[int, PathParameter(ge=0, le=MOST)]
"""A number of a decision or an event, as a part of the address."""
After = Annotated[int, Query(ge=0, le=MOST)]
"""The number of the last one on the page before."""
