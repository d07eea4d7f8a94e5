"""The reading model: a session as people ask about it, read from its journal and from nothing else.

`Session.open(folder)` opens a session read-only, finished or still running (then it is seen as it was at that moment).
Everything that shows, exports or reports a session reads through it:

- `session.summary()`: what the session was and came to; `Library(runs)` lists many.
- `session.decisions()`: a line per decision; `session.decision(n)`: one of them in full.
- `session.case(n, ticker)`: why the desk did what it did with one name: statements by round, audits, evidence,
  tool calls, orders to fills.
- `session.calls(n)`: prompts and raw completions; `session.cited(n, id)`: a piece of evidence;
  `session.passage(evidence)`: the same in its document.
- `session.filing(evidence)`, `session.closes(evidence)`: what a figure was computed from.
- `session.bars()`, `session.trades()`, `session.outcomes()`: the series behind every figure.
- `session.entries(filters)`, `session.hits(filters)`, `session.entry(seq)`: single events and search.
- `session.events()`: all of it as a table.
- `Comparison(a, b)`: two sessions side by side, as the terminal's `diff` and the viewer's page show them.

Decisions are numbered from 0 here, as in the journal; people count them from 1. Nothing loads a whole journal: lists
are paged by the number of the last item (`after`), filters and search go through the index beside the journal.
"""

from .case import Case
from .cited import Cited
from .comparison import Comparison
from .decision import Decision, Move
from .library import Library
from .session import Session
from .statements import Statement
from .summary import Summary

__all__ = ["Case", "Cited", "Comparison", "Decision", "Library", "Move", "Session", "Statement", "Summary"]
