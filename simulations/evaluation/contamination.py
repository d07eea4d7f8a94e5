"""Whether a model may remember the days it is asked about: its training cutoff against the session's window."""

from collections.abc import Sequence
from datetime import date

from ...agents.models.core import Fingerprint
from ...tools.market.view import Market
from ..window import Window
from .document import Contamination


def contamination_of(mind: Fingerprint, market: Market, window: Window, mask: Sequence[str] = ()) -> Contamination:
    """The label and a sentence: not a matter of dates where nothing was read, or where the market is invented."""
    if mind.backend == "scorecard":
        return Contamination(label="none", sentence="No language model was used, so nothing can be remembered.")
    if market.generated:
        return Contamination(label="clean", sentence="The market is invented: no model can remember it.")
    if mind.training_cutoff is not None and real_start(market, window).isoformat() > mind.training_cutoff:
        text = f"It read texts up to {mind.training_cutoff}, before this window."
        return Contamination(label="clean", sentence=text)
    if mind.training_cutoff is None:
        memory = "Its training cutoff is unknown, so it may remember this window"
    else:
        memory = f"It read texts up to {mind.training_cutoff} and may remember this window"
    if mask:
        text = f"{memory}, but {' and '.join(mask)} were masked: contaminated only where it sees through that."
    else:
        text = f"{memory}: treat the result as contaminated."
    return Contamination(label="unknown" if mind.training_cutoff is None else "contaminated", sentence=text)


def real_start(market: Market, window: Window) -> date:
    """The window's first session on the real calendar."""
    return window.sessions[0] if market.masked is None else market.masked.key.earlier(window.sessions[0])
