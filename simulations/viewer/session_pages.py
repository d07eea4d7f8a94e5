"""Pages about whole sessions: the list, one of them, two side by side, and what is new in one that runs."""

from datetime import date
from functools import lru_cache
from itertools import islice
from typing import Annotated, NamedTuple

from fastapi import APIRouter, Query
from fastapi.responses import HTMLResponse, JSONResponse
from markupsafe import Markup

from ...memory.journal import GENESIS
from ...tools.errors import PaperDeskError
from ..reading import Comparison, Session, Summary
from ..reading.comparison_parts import FIGURES, MOST_ROWS, Opening
from ..transcript import transcript
from .charts import POINTS, equity_chart, weights_chart
from .pages import After, Here

router = APIRouter()

PER_PAGE = 30
"""Decisions on a page."""
WIDEST = 14
"""Names that have a column of their own in the timeline; of more, the largest orders are listed."""
COMPARED = 10
"""Decisions on a page that compares two sessions."""
COUNTED = 200
"""Decisions that are all looked at to say how many differ; of more only where that is asked for."""
NEWS = 200
"""New events told at once."""

Name = str


@router.get("/")
def sessions(pages: Here, after: str | None = None) -> HTMLResponse:
    """All sessions."""
    found = list(pages.library.summaries(after=after, limit=50))
    lines = [one for one in found if isinstance(one, Summary)]
    broken = [one for one in found if not isinstance(one, Summary)]
    last = found[-1] if len(found) == 50 else None
    more = (last.name if isinstance(last, Summary) else last[0]) if last else None
    forks = {link.fork: link for link in pages.library.links() if link.is_direct}
    return pages.render("sessions.html", lines=lines, broken=broken, more=more, root=pages.library.root, forks=forks)


@router.get("/compare")
def comparison(pages: Here, s: Annotated[list[str], Query()], after: str = "", whole: bool = False) -> HTMLResponse:
    """Two sessions side by side."""
    if len(s) != 2:
        return pages.error(400, "Choose two sessions to compare.")
    try:
        day = date.fromisoformat(after) if after else date.min
    except ValueError:
        return pages.error(400, "A day is written 2024-05-31.")
    with pages.session(s[0]) as a, pages.session(s[1]) as b:
        told = Comparison(a, b)
        opening = told.opening()
        counted = _count(told) if whole or told.open_dates() <= COUNTED else None
        found = list(islice(told.decisions(day), COMPARED + 1))
        parted = _parted(opening)
        return pages.render(
            "compare.html",
            names=(a.name, b.name),
            opening=opening,
            closing=told.closing(counted),
            open_dates=told.open_dates(),
            parted=parted,
            found=found[:COMPARED],
            after=after,
            more=found[COMPARED - 1].session.isoformat() if len(found) > COMPARED else None,
            figures=FIGURES,
            most=MOST_ROWS,
            chart=equity_chart(dict(zip((a.name, b.name), told.curves, strict=True)), [], parted=parted),
            links=[link for link in pages.library.links() if {link.fork, link.parent} == {a.name, b.name}],
        )


def _count(told: Comparison) -> int:
    return sum(one.decision_a is not None and one.decision_b is not None for one in told.decisions())


def _parted(opening: Opening) -> date | None:
    """The day of the decision in which the first difference is, where the past is shared as far as one."""
    first = opening.first
    if first is None or not opening.shared_events or first.decision is None:
        return None
    days = opening.a.decisions if first.kind_a is not None else opening.b.decisions
    return days[first.decision] if first.decision < len(days) else None


@router.get("/s/{name}")
def one(
    pages: Here, name: Name, after: After | None = None, order: str = "oldest", baselines: bool = False
) -> HTMLResponse:
    """One session."""
    with pages.session(name) as session:
        summary = session.summary()
        ready = pages.indexing.is_ready(session)
        newest = order == "newest"
        lines = session.decisions(
            after=-1 if after is None else after - 1, limit=PER_PAGE, newest_first=newest, detailed=ready
        )
        drawn = _drawn(pages, name, session.journal.head)
        curves = _with_baselines(pages, session) if baselines else None
        chart = equity_chart(curves, session.decision_days()) if curves else drawn.equity
        if ready:
            with session.index() as index:
                tokens = index.total("prompt_tokens"), index.total("generated_tokens")
                counts = index.known("kind")
        else:
            tokens, counts = None, {}
        links = pages.library.links()
        return pages.render(
            "session.html",
            summary=summary,
            parents=[link for link in links if link.fork == name],
            forks=[link for link in links if link.parent == name],
            lines=lines,
            ready=ready,
            progress=pages.indexing.progress(session),
            newest=newest,
            more=lines[-1].number + 1 if len(lines) == PER_PAGE else None,
            grid=len(summary.universe) <= WIDEST,
            chart=chart,
            weights=drawn.weights,
            tokens=tokens,
            counts=counts,
            costs=drawn.costs,
            traded=drawn.traded,
            trades=drawn.trades,
            baselines=baselines,
        )


@router.get("/s/{name}/equity")
def equity(pages: Here, name: Name) -> HTMLResponse:
    """The chart of equity with the baselines, as a part of a page; they take a second or two."""
    with pages.session(name) as session:
        curves = _with_baselines(pages, session)
        return HTMLResponse(equity_chart(curves, session.decision_days()) if curves else "")


@router.get("/s/{name}/news")
def news(pages: Here, name: Name, after: After = 0) -> JSONResponse:
    """What happened since event `after`, for a page that follows a running session."""
    with pages.session(name) as session:
        rows = []
        for row in session.rows(after=after):
            rows.append(row)
            if len(rows) == NEWS:
                break
        lines = [line for line, _ in transcript(rows, detailed=False) if line.strip()]
        bars = [row for row in rows if row.kind == "bar_closed"]
        return JSONResponse(
            {
                "last": rows[-1].seq if rows else min(after, session.count),
                "count": session.count,
                "finished": session.is_finished,
                "decided": any(row.kind == "decision_closed" for row in rows),
                "day": bars[-1].document["session"] if bars else None,
                "equity": bars[-1].document["equity"] if bars else None,
                "lines": lines,
            }
        )


@router.get("/s/{name}/verify")
def verified(pages: Here, name: Name) -> HTMLResponse:
    """Whether the record is intact: the whole chain is computed again."""
    with pages.session(name) as session:
        return pages.render("verify.html", summary=session.summary(), found=session.verify(), genesis=GENESIS)


class _Drawn(NamedTuple):
    """What a session page shows of all days and all trades."""

    equity: Markup
    weights: Markup
    trades: int
    traded: float
    costs: float


@lru_cache(maxsize=16)
def _drawn(pages: Here, name: str, head: str) -> _Drawn:
    """Kept by the head of the journal, so that of a session that goes on it is drawn anew."""
    with pages.session(name) as session:
        trades = session.trades()
        return _Drawn(
            equity=equity_chart({"desk": session.curve()}, session.decision_days()),
            weights=weights_chart(session.bars(POINTS), session.universe),
            trades=len(trades),
            traded=sum(trade.value for trade in trades),
            costs=sum(trade.costs for trade in trades),
        )


Curves = dict[str, list[tuple[date, float]]]


def _with_baselines(pages: Here, session: Session) -> Curves | None:
    """None while it runs (its baselines would show what is to come) and where its market cannot be opened."""
    if not session.is_finished:
        return None
    try:
        return _tracks(pages, session.name, session.journal.head)
    except PaperDeskError:
        return None  # the desk's own curve is on the page already; only company for it is missing


@lru_cache(maxsize=16)
def _tracks(pages: Here, name: str, head: str) -> Curves:
    with pages.session(name) as session:
        return session.curves()
