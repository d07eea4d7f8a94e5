"""`paperdesk evaluate`: a session's report, on the terminal, as a page, or as JSON."""

from pathlib import Path

from ..console import console
from ..pages import print_json
from .document import SessionReport
from .record import SessionRecord, read_session
from .rendering import Paper, page_of, show
from .sections import session_sections
from .session_report import Settings, evaluate_session
from .trials import Trial, ledger_path, trials_of

PAGE_FILE = "evaluation.html"
"""The report of a session, in its folder."""


def evaluate_folder(folder: Path, settings: Settings) -> SessionReport:
    """The report of the session in a folder, with the trials that are on record for its market.

    Raises:
        InputError: there is no finished session, or its market has changed.
        TrialsError: the trials ledger cannot be read.
    """
    record = read_session(folder)
    return evaluate_session(record, counted_trials(record), settings)


def counted_trials(record: SessionRecord) -> list[Trial] | None:
    """The trials on a session's market; None where the ledger is off, or does not know of the session itself."""
    masked = record.market.masked
    market = record.market.fingerprint if masked is None else masked.original.fingerprint
    return trials_of(market, ledger_path()) or None


def paper_of(report: SessionReport) -> Paper:
    """A session's report in words."""
    kind = "a generated market" if report.generated else "historical prices"
    return Paper(
        title=f"{report.market}: the desk {report.desk} with {report.mind}",
        subtitle=(
            f"{kind}, {report.start} to {report.end}, {report.decisions} decisions; session {report.session}, "
            f"head {report.head[:16]}"
        ),
        memory=report.contamination,
        tried=report.tried,
        survived=report.survived,
        failed=report.failed,
        sections=session_sections(report),
    )


def evaluate_command(folder: Path, settings: Settings, *, html: Path | None, json: bool) -> None:
    """Evaluate what is in a folder, write the page, and print the report."""
    with console(quiet=True) as screen:
        screen.say("reading the journal, opening the market")
        report = evaluate_folder(folder, settings)
        page = html or folder / PAGE_FILE
        page.write_text(page_of(paper_of(report)), encoding="utf-8")
        screen.say(f"page written to {page}")
    if json:
        print_json(report)
    else:
        show(paper_of(report))
