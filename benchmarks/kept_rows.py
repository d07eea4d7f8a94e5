"""Rows of a benchmark that takes long: each is kept as it comes, so that a run that was stopped goes on."""

import json
import os
from pathlib import Path
from typing import Any


class KeptRows:
    """The rows that were measured so far.

    Args:
        variable: of the environment; it names the file, and where it is not set nothing is kept.
    """

    def __init__(self, variable: str) -> None:
        name = os.environ.get(variable)
        self._file = Path(name) if name else None
        lines = self._file.read_text("utf-8").splitlines() if self._file and self._file.exists() else []
        self.rows: list[dict[str, Any]] = [json.loads(line) for line in lines]

    def add(self, row: dict[str, Any]) -> None:
        """Keep one more."""
        self.rows.append(row)
        if self._file is not None:
            with self._file.open("a", encoding="utf-8") as out:
                out.write(json.dumps(row) + "\n")
