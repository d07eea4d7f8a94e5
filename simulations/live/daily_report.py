"""What people read while a desk trades: a heartbeat file, and one report a day."""

import os
from collections.abc import Callable
from datetime import datetime
from pathlib import Path

from ...memory.journal.events import VenueReported
from ...tools.frozen import canonical_json
from .settings import HEARTBEAT, REPORTS


class Heartbeat:
    """Writes to a small file that the desk is alive and what it is doing, whole or not at all."""

    def __init__(self, folder: Path, now: Callable[[], datetime], say: Callable[[str], None]) -> None:
        self._file, self._now, self._say = folder / HEARTBEAT, now, say
        self._doing = ""

    def beat(self, doing: str) -> None:
        """It is alive."""
        draft = self._file.with_suffix(".new")
        state = {"at": self._now().isoformat(), "doing": doing, "process": os.getpid()}
        draft.write_text(canonical_json(state) + "\n", encoding="utf-8")
        os.replace(draft, self._file)
        if doing != self._doing:
            self._doing = doing
            self._say(doing)


def write_report(folder: Path, reported: VenueReported, before: VenueReported | None) -> Path:
    """The report of a session that has closed, as a page of Markdown in the session's folder."""
    place = folder / REPORTS
    place.mkdir(exist_ok=True)
    path = place / f"{reported.session}.md"
    path.write_text("\n".join([*_lines(reported, before), ""]), encoding="utf-8")
    return path


def _lines(reported: VenueReported, before: VenueReported | None) -> list[str]:
    equity = worth(reported)
    change = f" ({equity / worth(before) - 1:+.2%} since {before.session})" if before else ""
    rows = [
        f"# {reported.session}",
        "",
        f"Equity {equity:,.2f}{change}, cash {reported.cash:,.2f}, asked at {reported.at:%Y-%m-%d %H:%M} UTC.",
        "",
    ]
    if reported.positions:
        rows += ["| name | shares | last close | value |", "| --- | ---: | ---: | ---: |"]
        for name, shares in sorted(reported.positions.items()):
            price = reported.prices[name]
            rows.append(f"| {name} | {shares:,.6g} | {price:,.4f} | {shares * price:,.2f} |")
        rows.append("")
    rows += [f"- {fill.side} {fill.quantity:,.6g} {fill.ticker} at {fill.price:,.4f}" for fill in reported.fills]
    rows += [
        f"- not filled: {row['unfilled_quantity']:,.6g} {row['ticker']}: {row['reason']}" for row in reported.ended
    ]
    rows += [f"- **look at this:** {note}" for note in reported.notes]
    rows.append("- the desk decides now" if reported.decide else "- no decision at this close")
    return rows


def worth(reported: VenueReported) -> float:
    """Cash and positions at the close."""
    return reported.cash + sum(shares * reported.prices[name] for name, shares in reported.positions.items())
