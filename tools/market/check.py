"""Checking a market folder: every defect in one pass, with file, row and column.

`open_dataset` refuses a folder by the first error of the same inspection, so the two never disagree.
"""

from dataclasses import dataclass
from pathlib import Path

from .folder.companies import COLUMNS as COMPANY_COLUMNS
from .folder.companies import OPTIONAL as COMPANY_OPTIONAL
from .folder.companies import read_companies
from .folder.defects import Check, Defect, Findings, Kind, Severity
from .folder.documents import DocumentRows, read_documents
from .folder.facts import COLUMNS as FACT_COLUMNS
from .folder.facts import OPTIONAL as FACT_OPTIONAL
from .folder.facts import FactRows, read_facts
from .folder.plausibility import look
from .folder.prices import COLUMNS as PRICE_COLUMNS
from .folder.prices import OPTIONAL as PRICE_OPTIONAL
from .folder.prices import PriceRows, read_prices
from .folder.relations import COLUMNS as RELATION_COLUMNS
from .folder.relations import OPTIONAL as RELATION_OPTIONAL
from .folder.relations import read_relations
from .folder.series import COLUMNS as SERIES_COLUMNS
from .folder.series import SeriesRows, read_series
from .folder.settings import MarketFile, check_benchmark, check_instruments, read_settings
from .folder.tables import LINES, TABLES, Table, find_file, read_table
from .records import Company
from .relations.records import Link

__all__ = ["Check", "Defect", "Inspection", "Kind", "Severity", "check_folder", "inspect_folder"]


@dataclass(frozen=True)
class Inspection:
    """What stands in a folder, as far as it could be read; complete where `findings` has no error."""

    settings: MarketFile | None
    prices: PriceRows | None
    companies: dict[str, Company] | None
    """None without a companies file."""
    facts: FactRows | None
    documents: tuple[DocumentRows, ...]
    series: SeriesRows | None
    relations: tuple[Link, ...]
    findings: Findings


def check_folder(folder: Path) -> Check:
    """Check a market folder whole: errors that keep it from being opened, and warnings that want a look.

    Args:
        folder: in the tidy format; the kinds of defects are explained in docs/data-format.md.

    Returns:
        Every defect, none grouped or left out; no error means that `open_dataset` opens the folder.
    """
    inspection = inspect_folder(folder)
    look(inspection.settings, inspection.prices, inspection.facts, inspection.documents)
    findings = inspection.findings
    return Check(folder=folder, files=findings.files, defects=findings.ordered())


def inspect_folder(folder: Path) -> Inspection:
    """Read all files of a folder and record every error (and no warning but of repeated figures)."""
    findings = Findings()
    if not folder.is_dir():
        findings.error("missing_file", str(folder), "is no folder; name a folder that holds prices.csv")
        return Inspection(None, None, None, None, (), None, (), findings)
    settings = read_settings(folder, findings)
    prices = None
    if find_file(folder, "prices", TABLES, Findings()) is None:
        message = "holds no prices.csv, prices.csv.gz or prices.parquet; add one"
        findings.error("missing_file", str(folder), message)
    elif (table := _table(folder, "prices", PRICE_COLUMNS, PRICE_OPTIONAL, findings)) is not None:
        prices = read_prices(table, settings)
    instruments = prices.instruments if prices is not None else None
    if settings is not None and instruments is not None:
        check_benchmark(settings, instruments, findings)
        check_instruments(settings, instruments, findings)
    table = _table(folder, "companies", COMPANY_COLUMNS, COMPANY_OPTIONAL, findings)
    companies = read_companies(table, instruments) if table is not None else None
    table = _table(folder, "fundamentals", FACT_COLUMNS, FACT_OPTIONAL, findings)
    # Without sessions the calendar has been complained of already, or is not known.
    calendar = settings.calendar if settings is not None and prices is not None and prices.sessions else None
    facts = read_facts(table, calendar) if table is not None else None
    taken: set[str] = set()
    paths = [find_file(folder, stem, LINES, findings) for stem in ("news", "documents")]
    documents = [read_documents(path, taken, findings) for path in paths if path is not None]
    series = _table(folder, "series", SERIES_COLUMNS, (), findings)
    table = _table(folder, "relations", RELATION_COLUMNS, RELATION_OPTIONAL, findings)
    holders = frozenset(companies if companies is not None else instruments or ())
    relations = read_relations(table, holders if instruments is not None else None) if table is not None else ()
    return Inspection(
        settings=settings,
        prices=prices,
        companies=companies,
        facts=facts,
        documents=tuple(rows for rows in documents if rows is not None),
        series=read_series(series) if series is not None else None,
        relations=relations,
        findings=findings,
    )


def _table(
    folder: Path, stem: str, required: tuple[str, ...], optional: tuple[str, ...], findings: Findings
) -> Table | None:
    path = find_file(folder, stem, TABLES, findings)
    return read_table(path, required, optional, findings) if path is not None else None
