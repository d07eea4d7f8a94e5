"""Full-text search over what was said in a session: rationales, findings, evidence, reasons, completions."""

from .index import Filters, Hit, open_index, query_of
from .store import Journal


def search(journal: Journal, text: str, *, limit: int = 1000) -> list[Hit]:
    """The texts that hold all the given words, in any of their forms, best first.

    "Several words" in quotes must follow each other.

    Raises:
        JournalRefused: there is no word in `text`.
    """
    query_of(text)  # refuse before anything is built
    with open_index(journal) as index:
        return index.hits(Filters(text=text), limit=limit, best_first=True)
