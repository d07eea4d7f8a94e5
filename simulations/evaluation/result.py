"""What a session came to, and what that may be taken for.

The desk stands beside its baselines, on the same ledger and at the same costs.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from ...agents.models.core import Fingerprint
from ...memory.journal.events import BarClosed, OrderFilled
from ...memory.journal.store import Journal
from ...tools.market.view import Market
from ..account import accounts_of
from ..config import SessionConfig
from ..window import Window
from .baselines import Track, benchmark_curve, buy_and_hold, equal_weight
from .contamination import contamination_of
from .metrics import performance, trading_of

DESK = "desk"
"""Name of the desk's own track."""


def desk_track(journal: Journal) -> Track:
    """The desk's equity and trading, read from its journal."""
    equity: dict[pd.Timestamp, float] = {}
    fills = []
    for record in journal.events():
        match record.event:
            case BarClosed() as bar:
                equity[pd.Timestamp(bar.session)] = bar.equity
            case OrderFilled() as filled:
                fills.append(filled.fill)
            case _:
                pass
    return Track(DESK, pd.Series(equity, name=DESK), trading_of(fills))


def tracks_of(config: SessionConfig, market: Market, window: Window, journal: Journal) -> list[Track]:
    """The desk, equal weight, buy and hold, and the benchmark where there is one."""
    open_account = accounts_of(config, market, window)
    tracks = [
        desk_track(journal),
        equal_weight(open_account, window.universe, window.decisions),
        buy_and_hold(open_account, window.universe, window.decisions),
    ]
    if window.benchmark is not None:
        tracks.append(benchmark_curve(open_account, window.benchmark, window.decisions))
    return tracks


def result_of(tracks: list[Track]) -> dict[str, Any]:
    """The figures of all tracks, as JSON."""
    rows = [{"name": track.name} | performance(track.equity, track.trading).model_dump(mode="json") for track in tracks]
    return {"rows": rows}


def notes_of(market: Market, window: Window, mind: Fingerprint, mask: Sequence[str] = ()) -> list[str]:
    """What a reader must know before taking the figures for anything; for people, so not part of the journal."""
    return [market.note, _about(mind, market, window, mask), _length(window)]


def _about(mind: Fingerprint, market: Market, window: Window, mask: Sequence[str]) -> str:
    if mind.backend == "scorecard":
        return "No language model was used: the scorecard adds up documented points for figures."
    if "smollm2-135m" in mind.name.lower():
        about = (
            "SmolLM2-135M is a very small model: it fills in forms that are always valid and cites only evidence that "
            "it was given, but by itself it reads figures and news worse than a simple rule"
        )
        if mind.adapters:
            about += "; an adapter changed that for some agents, and its card says how far."
        else:
            about += "; take its stances as noise to be weighed."
    else:
        about = f"The mind was {mind.name}; nothing is known here about how well it reads."
    if market.generated:
        return about
    return f"{about} {contamination_of(mind, market, window, mask).sentence}"


def _length(window: Window) -> str:
    return (
        f"{len(window.decisions)} decisions over {len(window.sessions)} sessions: the figures describe what happened; "
        "nothing here tells skill from luck."
    )


def draw(tracks: list[Track], market: Market, window: Window, mind: Fingerprint, path: Path) -> None:
    """The picture of all tracks, as a file."""
    from .plot import equity_plot

    kind = "generated market" if market.generated else "historical prices"
    equity_plot(
        {track.name: track.equity for track in tracks},
        path,
        title=f"{market.name}: the desk with {mind.name}",
        subtitle=f"{kind}, {window.sessions[0]} to {window.sessions[-1]}, {len(window.decisions)} decisions",
        decisions=window.decisions,
    )
