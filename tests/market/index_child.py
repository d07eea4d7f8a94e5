"""A process that opens an index of passages and, at a named moment, dies by kill -9.

Arguments: a JSON file of documents, the index folder, the moment. At `hold` it prints `open` and waits.
"""

import json
import os
import signal
import sys
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any

from paperdesk.tools.market.documents import index_folder, store
from paperdesk.tools.market.documents.index import PassageIndex
from paperdesk.tools.market.records import Document


def die(*_: Any, **__: Any) -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def after(function: Callable[..., Any]) -> Callable[..., None]:
    """Does what the function does, then dies."""

    def called(*arguments: Any, **named: Any) -> None:
        function(*arguments, **named)
        die()

    return called


def arm(moment: str) -> None:
    """Makes this process die at the moment."""
    from chromadb.api.models.Collection import Collection

    add, added = Collection.add, [0]

    def counted(self: Collection, *arguments: Any, **named: Any) -> None:
        add(self, *arguments, **named)
        added[0] += 1
        if moment == "first insert" or (moment == "last insert" and added[0] == 3):
            die()

    store._ROWS_PER_CALL = 100
    Collection.add = counted  # type: ignore[method-assign]
    if moment == "empty folder":
        store._client = die
    if moment == "before the marker":
        index_folder.complete = die
    if moment == "within the marker":
        os.fsync = after(os.fsync)


def main(documents: Path, folder: Path, moment: str) -> None:
    arm(moment)
    rows = json.loads(documents.read_text(encoding="utf-8"))
    index = PassageIndex(
        [Document(**{**row, "published_at": datetime.fromisoformat(row["published_at"])}) for row in rows], folder
    )
    assert index.store is not None, index.why_memory
    index.tables(["VYDN"])
    if moment == "searching":
        die()
    sys.stdout.write("open\n")
    sys.stdout.flush()
    sys.stdin.readline()


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3])
