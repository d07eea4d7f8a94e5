"""The table at the end of a run."""

from typing import Any

from rich.box import SIMPLE_HEAD
from rich.table import Table

COLUMNS = (
    ("total_return", "return", "{:+.1%}"),
    ("annual_volatility", "vol.", "{:.1%}"),
    ("sharpe", "Sharpe", "{:.2f}"),
    ("max_drawdown", "drawdown", "{:.1%}"),
    ("turnover", "turnover", "{:.1f}x"),
    ("costs", "costs", "{:,.0f}"),
    ("fills", "fills", "{:d}"),
)
"""Key in a row of the metrics, heading, format."""


def result_table(metrics: dict[str, Any]) -> Table:
    """The desk and its baselines, a row each; a dash where a figure does not exist."""
    table = Table(box=SIMPLE_HEAD, pad_edge=False)
    table.add_column("", no_wrap=True)
    for _, heading, _ in COLUMNS:
        table.add_column(heading, justify="right", no_wrap=True)
    for row in metrics["rows"]:
        figures = ("-" if row[key] is None else form.format(row[key]) for key, _, form in COLUMNS)
        table.add_row(row["name"], *figures, style="bold" if row is metrics["rows"][0] else "")
    return table
