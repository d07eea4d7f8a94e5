"""What stands in the cells of a file, to the letter and to the bit."""

import csv
import io
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from paperdesk.tools.market.folder.cells import numbers
from paperdesk.tools.market.folder.defects import Findings
from paperdesk.tools.market.folder.tables import Table, read_table

Place = tuple[str, str, int | None, str | None]


@given(
    rows=st.lists(
        st.lists(st.text(st.characters(codec="utf-8", exclude_characters=',"\r\n\0\ufeff'), max_size=4), max_size=4),
        max_size=8,
    ),
    ending=st.sampled_from(["\n", "\r\n", "\r"]),
)
def test_quotes_change_nothing_about_what_a_file_says(
    tmp_path_factory: pytest.TempPathFactory, rows: list[list[str]], ending: str
) -> None:
    folder = tmp_path_factory.mktemp("quotes")
    tables: list[tuple[list[object], list[Place]]] = []
    lines = [["a", "b", "c"], *rows]
    for name in ("plain", "quoted"):
        text = io.StringIO(newline="")
        for cells in lines:
            # A row of one empty cell is a blank line, quoted or not.
            blank = not any(cells) and len(cells) < 2
            text.write(ending if blank else "")
            if not blank:
                options: Any = {"quoting": csv.QUOTE_NONE if name == "plain" else csv.QUOTE_ALL, "escapechar": None}
                csv.writer(text, lineterminator=ending, **options).writerow(cells)
        path = folder / f"{name}.csv"
        path.write_bytes(text.getvalue().encode())
        findings = Findings()
        table = read_table(path, ("a", "c"), (), findings)
        assert table is not None
        columns: list[object] = [table.columns[column].to_pylist() for column in ("a", "c")]
        found: list[Place] = [(row.kind, row.message, row.row, row.column) for row in findings.defects]
        tables.append(([*columns, table.lines.tolist()], found))
    assert tables[0] == tables[1]


@given(
    st.lists(
        st.floats().map(repr)
        | st.floats(allow_nan=False, allow_infinity=False).map(lambda value: f"{value:.25e}")
        | st.decimals(allow_nan=False, allow_infinity=False).map(str)
        | st.sampled_from(["1_000", "+1", ".5", "5.", "1e400", "-1e-400", "0x10", "1,5", "infinity", "١٢", "1e", ""])
        | st.from_regex(r"[-+]?[0-9]{1,30}\.[0-9]{1,30}([eE][-+]?[0-9]{1,3})?", fullmatch=True)
    )
)
def test_a_number_is_exactly_what_python_makes_of_the_cell(cells: list[str]) -> None:
    import pyarrow as pa

    table = Table("t.csv", {"x": pa.array(cells, pa.string())}, np.arange(len(cells)), Findings())
    values = numbers(table, "x")
    for cell, value in zip(cells, values.tolist(), strict=True):
        try:
            meant = float(cell)
        except ValueError:
            meant = float("nan")
        assert repr(value) == repr(meant if np.isfinite(meant) else float("nan"))
