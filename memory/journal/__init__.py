"""The journal: a session's append-only, hash-chained record of events in SQLite."""

from .chain import GENESIS, Verification, verify
from .errors import JournalDamaged, JournalDivergence, JournalError, JournalRefused
from .index import Filters, Hit
from .manifest import Branch, Manifest, code_hash
from .past import Past
from .record import Listener, Record
from .search import search
from .store import Journal

__all__ = [
    "GENESIS",
    "Branch",
    "Filters",
    "Hit",
    "Journal",
    "JournalDamaged",
    "JournalDivergence",
    "JournalError",
    "JournalRefused",
    "Listener",
    "Manifest",
    "Past",
    "Record",
    "Verification",
    "code_hash",
    "search",
    "verify",
]
