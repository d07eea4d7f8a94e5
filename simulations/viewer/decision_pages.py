"""Pages about one decision: all of it, one name in it, its prompts, a piece of evidence."""

from fastapi import APIRouter
from fastapi.responses import HTMLResponse
from markupsafe import Markup

from ...tools.errors import PaperDeskError
from ...tools.market.documents.reader import Passage
from ..reading import Cited, Session
from ..reading.sources import FiledFact
from .charts import price_chart
from .pages import Here, InPath

router = APIRouter(prefix="/s/{name}/d/{number}")

DEBATED = 12
"""Names whose debate stands on a decision's page; of more it stands on their own pages."""
QUESTIONS = 80
"""Questions to minds on one page; of more, each name's stand on a page of its own."""


@router.get("")
def decision(pages: Here, name: str, number: InPath) -> HTMLResponse:
    """One decision."""
    with pages.session(name) as session:
        summary = session.summary()
        told = session.decision(number - 1)
        parents = [link for link in pages.library.links() if link.fork == name] if told.changed else []
        held = [move.after or 0.0 for move in told.moves] + [move.before for move in told.moves]
        return pages.render(
            "decision.html",
            summary=summary,
            told=told,
            number=number,
            top=max([*held, 0.05]),
            last=_last(session),
            parents=parents,
            by_hand={(row.agent, row.ticker) for row in told.hands},
            rounds=sorted({number for debate in told.debates.values() for number, _ in debate.rounds}),
            shown=list(told.debates)[:DEBATED],
        )


@router.get("/prompts")
def prompts(pages: Here, name: str, number: InPath, ticker: str | None = None) -> HTMLResponse:
    """What minds were asked, and what they answered."""
    with pages.session(name) as session:
        calls = session.calls(number - 1, ticker or None)
        told = session.decision(number - 1)
        return pages.render(
            "prompts.html",
            summary=session.summary(),
            told=told,
            number=number,
            calls=calls,
            ticker=ticker,
            most=max(QUESTIONS // max(len(calls), 1), 1),
        )


@router.get("/evidence")
def evidence(pages: Here, name: str, number: InPath, id: str) -> HTMLResponse:
    """A piece of evidence, in its document where it quotes one."""
    with pages.session(name) as session:
        found = session.cited(number - 1, id)
        passage: Passage | None = None
        filing: list[FiledFact] = []
        prices, why = Markup(""), ""
        try:
            if found.evidence.span is not None:
                passage = session.passage(found.evidence)
            else:
                filing = session.filing(found.evidence)
                prices = price_chart([(close.day, close.price) for close in session.closes(found.evidence)])
        except PaperDeskError as error:
            why = str(error)
        return pages.render(
            "evidence.html",
            summary=session.summary(),
            number=number,
            told=session.decision(number - 1),
            found=found,
            item=_item(found),
            passage=passage,
            filing=filing,
            prices=prices,
            why=why,
        )


@router.get("/{ticker:path}")
def case(pages: Here, name: str, number: InPath, ticker: str) -> HTMLResponse:
    """One name at one decision: why, who objected, what was read, what it cost."""
    with pages.session(name) as session:
        told = session.case(number - 1, ticker)
        return pages.render(
            "case.html", summary=session.summary(), case=told, told=told.decision, number=number, last=_last(session)
        )


def _last(session: Session) -> int:
    """Number of the latest decision, from 1."""
    lines = session.decisions(limit=1, newest_first=True, detailed=False)
    return lines[0].number + 1 if lines else 0


def _item(found: Cited) -> dict[str, object]:
    return found.evidence.model_dump(mode="json")
