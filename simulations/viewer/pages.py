"""What all pages have in common: the library, the templates, the indexes that are being made."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated, Any

from fastapi import Depends, Query, Request
from fastapi import Path as PathParameter
from fastapi.responses import HTMLResponse

from ..reading import Library, Session
from .indexing import Indexing
from .templating import TEMPLATES, environment


class Pages:
    """The library and the templates of one application."""

    def __init__(self, library: Library) -> None:
        self.library = library
        self._templates = environment(TEMPLATES)
        for name in self._templates.list_templates():
            self._templates.get_template(name)  # compiled now: no first look waits for it
        self.indexing = Indexing()

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
