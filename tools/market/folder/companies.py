"""The companies file: who the tickers are."""

from ..records import Company
from .cells import words
from .tables import Table

COLUMNS = ("ticker", "name")
OPTIONAL = ("industry", "sector", "aliases")


def read_companies(table: Table, instruments: tuple[str, ...] | None) -> dict[str, Company]:
    """Read and check the rows, by ticker in the file's order; `instruments` is None where the prices are unknown."""
    if len(table) == 0:
        table.findings.error("no_rows", table.file, "has no rows; add the companies or remove the file")
    fields = [words(table, name, optional=name in OPTIONAL).texts for name in COLUMNS + OPTIONAL]
    companies: dict[str, Company] = {}
    for row, (ticker, name, industry, sector, aliases) in enumerate(zip(*fields, strict=True)):
        if not ticker:
            continue
        if ticker in companies:
            table.error(row, "ticker", "duplicate_company", f"{ticker} has a second row; keep only one")
        elif instruments is not None and ticker not in instruments:
            message = f"{ticker} has no prices; add them or remove the row"
            table.error(row, "ticker", "company_without_prices", message)
        else:
            others = tuple(alias.strip() for alias in aliases.split(";") if alias.strip())
            companies[ticker] = Company(ticker, name, industry or sector, sector or industry, others)
    return companies
