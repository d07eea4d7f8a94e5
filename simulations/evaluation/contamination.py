"""Whether a model may remember the days it is asked about: its training cutoff against the session's window.

The one rule for all who say it: the evaluation, the notes after a run, the viewer, the report, exports, MCP.
"""

from collections.abc import Iterable, Sequence
from datetime import date

from ...agents.models.core import Fingerprint
from ...tools.frozen import Frozen
from ...tools.market.view import Market
from ..window import Window

Sitting = tuple[Fingerprint, date | None]
"""A mind, and the first day that it was shown as the present, on the real calendar; None where that is not known."""
_WORST_FIRST = ("contaminated", "unknown", "clean", "none")


class Contamination(Frozen):
    """Whether the model may remember the window."""

    label: str
    """`clean`, `contaminated`, `unknown` or `none` (no language model)."""
    sentence: str


def contamination(sittings: Iterable[Sitting], *, generated: bool, mask: Sequence[str] = ()) -> Contamination:
    """The label and a sentence: not a matter of dates where nothing was read, or where the market is invented.

    Args:
        sittings: one; of a fork that goes on with other minds, each: the worst of them counts.
        generated: whether the market is invented, masked or not.
        mask: what was masked.
    """
    found = (_of_one(mind, since, generated, mask) for mind, since in sittings)
    nobody = Contamination(label="unknown", sentence="Nothing is on record about its mind.")
    return min(found, key=lambda one: _WORST_FIRST.index(one.label), default=nobody)


def contamination_of(mind: Fingerprint, market: Market, window: Window, mask: Sequence[str] = ()) -> Contamination:
    """The same of one mind that sits through a whole window."""
    return contamination([(mind, real_day(market, window.sessions[0]))], generated=market.generated, mask=mask)


def real_day(market: Market, day: date) -> date:
    """A day of the market on the real calendar."""
    return day if market.masked is None else market.masked.key.earlier(day)


def _of_one(mind: Fingerprint, since: date | None, generated: bool, mask: Sequence[str]) -> Contamination:
    if mind.backend == "scorecard":
        return Contamination(label="none", sentence="No language model was used, so nothing can be remembered.")
    if generated:
        return Contamination(label="clean", sentence="The market is invented: no model can remember it.")
    cutoff = mind.training_cutoff
    if cutoff is not None and since is not None and since.isoformat() > cutoff:
        return Contamination(label="clean", sentence=f"It read texts up to {cutoff}, before this window.")
    if cutoff is None:
        memory = "Its training cutoff is unknown, so it may remember this window"
    else:
        memory = f"It read texts up to {cutoff} and may remember this window"
    if mask:
        text = f"{memory}, but {' and '.join(mask)} were masked: contaminated only where it sees through that."
    else:
        text = f"{memory}: treat the result as contaminated."
    return Contamination(label="unknown" if cutoff is None or since is None else "contaminated", sentence=text)
