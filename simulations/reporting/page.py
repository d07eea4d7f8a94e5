"""A session as one page: figures and drawings gathered, the template filled.

Nothing on it tells when or in which folder the session ran, or how long that took: equal sessions have equal pages.
"""

from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

from markupsafe import Markup

from ...tools.errors import InputError, PaperDeskError
from ..reading import Case, Decision, Session
from ..viewer.charts import equity_chart, weights_chart
from ..viewer.templating import STATIC, TEMPLATES, environment
from . import drawings, figures

PAGE_FILE = "report.html"
"""The report, in the session's folder."""
_OWN = Path(__file__).parent / "templates"


def write_report(folder: Path, out: Path | None = None) -> Path:
    """Writes the page of a session.

    Args:
        folder: of the session, finished or not.
        out: where the page goes; `report.html` in the folder where it is None.

    Returns:
        Where it went.

    Raises:
        InputError: nothing was decided yet, or the file cannot be written.
        JournalRefused: there is no session.
    """
    with Session.open(folder) as session:
        page = report_page(session)
    to = out or folder / PAGE_FILE
    try:
        to.write_text(page, encoding="utf-8")
    except OSError as error:
        raise InputError(f"{to} cannot be written ({error.strerror}); give another --out") from error
    return to


def report_page(session: Session) -> str:
    """The page of a session that is open for reading; of one that runs, as far as it has come.

    Raises:
        InputError: nothing was decided yet.
    """
    summary = session.summary()
    lines = {line.number: line for line in session.decisions(limit=100_000)}
    decisions = [session.decision(number) for number in lines]
    bars, trades = session.bars(), session.trades()
    if not decisions or not bars:
        raise InputError(f"{session.name} has not decided anything yet: there is nothing to report")
    curves, missing = _curves(session)
    numbered = [(told.day, told.number + 1) for told in decisions]
    traded = figures.traded_of(decisions, trades)
    tails = figures.tails_of(decisions, bars)
    outcomes = session.outcomes()
    records = figures.records_of(session.rows(("agent_weighed",)))
    spoke = [agent for told in decisions for agent in told.agents]
    agents = list(dict.fromkeys([*spoke, *(one.agent for one in outcomes), *(record.agent for record in records)]))
    page = environment(_OWN, TEMPLATES).get_template("report.html")
    return page.render(
        summary=summary,
        choices=summary.choices,
        sheet=Markup((STATIC / "style.css").read_text(encoding="utf-8")),
        own_sheet=Markup((_OWN / "report.css").read_text(encoding="utf-8")),
        equity=equity_chart(curves, numbered, readout=False),
        missing=missing,
        weights=weights_chart(bars, session.universe),
        turnover=drawings.turnover_chart(traded, bars[-1].day),
        traded={one.number: one for one in traded},
        trades=len(trades),
        value=sum(trade.value for trade in trades),
        costs=sum(trade.costs for trade in trades),
        losses=drawings.losses_chart(tails),
        tails=tails,
        beta=session.config.beta,
        days=sum(len(tail.returns) for tail in tails),
        beyond=sum(tail.beyond for tail in tails),
        realised=figures.realised_cvar(tails),
        dots=drawings.outcomes_chart(outcomes, agents),
        outcomes=outcomes,
        followed=figures.followed_by(decisions, outcomes),
        calibration=drawings.calibration_chart(records, agents),
        records=records,
        agreements=figures.agreements_of(decisions),
        audit_rules=figures.rules_of(row.document["report"]["findings"] for row in session.rows(("audit_issued",))),
        order_rules=figures.rules_of(_issues(row.document) for row in session.rows(("rule_verdict",))),
        lines=lines,
        decisions=_told(session, decisions),
    )


def _curves(session: Session) -> tuple[dict[str, list[tuple[date, float]]], str]:
    """The desk's curve with its baselines where they can be had, and else why not."""
    own = {"desk": session.curve()}
    if not session.is_finished:
        return own, "The session is not finished; its baselines would show what is still to come"
    try:
        return session.curves(), ""
    except PaperDeskError as error:
        return own, str(error).rstrip(".")


def _issues(document: dict[str, Any]) -> list[dict[str, str]]:
    return [finding for finding in document["report"].get("findings", ()) if finding.get("severity") != "pass"]


def _told(session: Session, decisions: list[Decision]) -> Iterator[tuple[Decision, list[Case]]]:
    """Each decision with its names, one decision in memory at a time."""
    for told in decisions:
        yield told, [session.case(told.number, ticker) for ticker in told.universe]
