"""Pages of single events: filters and search, and one event in full."""

from datetime import date
from typing import Any

from fastapi import APIRouter
from fastapi.responses import HTMLResponse

from ...memory.journal import Filters, Hit, JournalRefused
from ...memory.journal.rows import Row
from ..reading import Session
from ..reading.calls import untold
from .decision_pages import QUESTIONS
from .pages import MOST, After, Here, InPath
from .words import CLOSING, OPENING

router = APIRouter(prefix="/s/{name}")

PER_PAGE = 100


@router.get("/events")
def events(
    pages: Here,
    name: str,
    q: str = "",
    kind: str = "",
    agent: str = "",
    ticker: str = "",
    verdict: str = "",
    decision: str = "",
    since: str = "",
    until: str = "",
    after: After = 0,
) -> HTMLResponse:
    """Events that match; all filters stand in the address."""
    with pages.session(name) as session:
        given = {
            "q": q.strip(),
            "kind": kind,
            "agent": agent,
            "ticker": ticker,
            "verdict": verdict,
            "decision": decision,
            "since": since,
            "until": until,
        }
        values: dict[str, Any] = {"summary": session.summary(), "given": given}
        if not pages.indexing.is_ready(session):
            return pages.render("indexing.html", progress=pages.indexing.progress(session), **values)
        with session.index() as index:
            known = {column: index.known(column) for column in ("kind", "agent", "ticker", "verdict")}
        found, hits, problem = _found(session, given, after)
        return pages.render(
            "events.html", known=known, found=found, hits=hits, problem=problem, **values, **_more(found, hits)
        )


@router.get("/e/{seq}")
def event(pages: Here, name: str, seq: InPath) -> HTMLResponse:
    """One event in full."""
    with pages.session(name) as session:
        row = session.entry(seq)
        call = session.call(seq) if row.kind == "model_called" else None
        before = session.entry(seq - 1).hash if seq > 1 else None
        return pages.render(
            "event.html",
            summary=session.summary(),
            row=row,
            call=call,
            document=untold(row) if call else row.document,
            most=QUESTIONS,
            before=before,
            last=session.count,
        )


def _found(session: Session, given: dict[str, str], after: int) -> tuple[list[Row], dict[int, list[Hit]], str]:
    """The events of a page, what was found in each, and what is wrong with the filters."""
    try:
        filters = Filters(
            kind=given["kind"] or None,
            agent=given["agent"] or None,
            ticker=given["ticker"] or None,
            verdict=given["verdict"] or None,
            decision=_number(given["decision"]) - 1 if given["decision"] else None,
            since=date.fromisoformat(given["since"]) if given["since"] else None,
            until=date.fromisoformat(given["until"]) if given["until"] else None,
            text=given["q"] or None,
        )
    except ValueError:
        return [], {}, "A day is written 2024-05-31, a decision is a number."
    if filters.text is None:
        return session.entries(filters, after=after, limit=PER_PAGE), {}, ""
    hits: dict[int, list[Hit]] = {}
    try:
        for hit in session.hits(filters, after=after, limit=PER_PAGE, marks=(OPENING, CLOSING)):
            hits.setdefault(hit.seq, []).append(hit)
    except JournalRefused as error:
        return [], {}, str(error)
    return session.at(list(hits)), hits, ""


def _number(text: str) -> int:
    if not 0 <= (number := int(text)) <= MOST:
        raise ValueError(text)
    return number


def _more(found: list[Row], hits: dict[int, list[Hit]]) -> dict[str, Any]:
    full = sum(map(len, hits.values())) >= PER_PAGE if hits else len(found) >= PER_PAGE
    return {"more": found[-1].seq if full else None}
