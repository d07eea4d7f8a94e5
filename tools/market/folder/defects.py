"""What is wrong with a folder: one defect at a place, and all of them together."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from ...errors import DataError
from ...frozen import Frozen

Severity = Literal["error", "warning"]
"""An error keeps the folder from being opened; a warning wants a look."""

Kind = Literal[
    # files and their shape
    "missing_file",
    "two_files",
    "unreadable_file",
    "market_file",
    "missing_column",
    "repeated_column",
    "no_rows",
    "cut_row",
    # cells
    "empty_cell",
    "not_a_number",
    "not_finite",
    "not_a_date",
    "not_a_time",
    "missing_zone",
    "not_a_text",
    # prices
    "not_a_ticker",
    "calendar",
    "not_a_session",
    "unsorted",
    "duplicate_row",
    "not_positive",
    "negative",
    "high_below_low",
    "outside_range",
    "gap",
    "split_without_step",
    "step_without_split",
    # companies, figures, texts, series
    "duplicate_company",
    "company_without_prices",
    "filed_before_period_end",
    "accepted_before_period_end",
    "period_start_after_end",
    "duplicate_fact",
    "balance_identity",
    "duplicate_document",
    "duplicate_value",
    "not_a_relation",
    "own_relation",
    "relation_ends_early",
    "duplicate_relation",
    "unknown_ticker",
]
"""What kind of defect it is; docs/data-format.md explains each."""


class Defect(Frozen):
    """One thing that is wrong, where, and what to do."""

    severity: Severity
    kind: Kind
    file: str
    """Name of the file within the folder."""
    row: int | None = None
    """1-based line as an editor counts (the last of a quoted cell that spans lines); the row of a parquet file."""
    column: str | None = None
    """Column of a table, field of a JSON line, key of market.toml."""
    message: str
    """What is wrong and what to do; completes the sentence that the place begins."""

    @property
    def sentence(self) -> str:
        """Place and message as the one sentence that `open_dataset` raises."""
        place = self.file
        if self.row is not None:
            place += f", {'row' if self.file.endswith('.parquet') else 'line'} {self.row}"
        if self.column is None:
            return f"{place} {self.message}"
        noun = "key" if self.file.endswith(".toml") else "field" if ".jsonl" in self.file else "column"
        return f"{place}, {noun} {self.column}: {self.message}"


class Check(Frozen):
    """A folder, checked."""

    folder: Path
    files: dict[str, int]
    """Rows (tables) or lines (texts) by file name, as far as the file could be read."""
    defects: tuple[Defect, ...]
    """File by file in the order of reading, within a file by row."""

    @property
    def errors(self) -> tuple[Defect, ...]:
        """What keeps the folder from being opened."""
        return tuple(row for row in self.defects if row.severity == "error")

    @property
    def warnings(self) -> tuple[Defect, ...]:
        """What opens, but wants a look."""
        return tuple(row for row in self.defects if row.severity == "warning")


@dataclass
class Findings:
    """Collects defects while a folder is read."""

    defects: list[Defect] = field(default_factory=list)
    files: dict[str, int] = field(default_factory=dict)
    """Rows by file, filled by the readers."""

    def error(self, kind: Kind, file: str, message: str, row: int | None = None, column: str | None = None) -> None:
        """Record what keeps the folder from being opened."""
        self._add("error", kind, file, message, row, column)

    def warn(self, kind: Kind, file: str, message: str, row: int | None = None, column: str | None = None) -> None:
        """Record what opens, but wants a look."""
        self._add("warning", kind, file, message, row, column)

    def _add(
        self, severity: Severity, kind: Kind, file: str, message: str, row: int | None, column: str | None
    ) -> None:
        self.defects.append(Defect(severity=severity, kind=kind, file=file, row=row, column=column, message=message))

    def ordered(self) -> tuple[Defect, ...]:
        """All defects, file by file in the order in which files were first complained of, by row within a file."""
        rank: dict[str, int] = {}
        for defect in self.defects:
            rank.setdefault(defect.file, len(rank))
        return tuple(sorted(self.defects, key=lambda row: (rank[row.file], row.row or 0)))

    def raise_first(self) -> None:
        """Refuse the folder if it has an error.

        Raises:
            DataError: the first error in the order of `ordered`, in one sentence.
        """
        first = next(iter(errors_of(self.ordered())), None)
        if first is not None:
            raise DataError(first.sentence)


def errors_of(defects: Iterable[Defect]) -> tuple[Defect, ...]:
    """Only those that keep a folder from being opened."""
    return tuple(row for row in defects if row.severity == "error")
