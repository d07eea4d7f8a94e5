"""Run a session from Python, then ask its journal why the desk sent its orders.

Usage: python examples/run_from_python.py runs/from-python
"""

import sys
from datetime import date
from pathlib import Path

from paperdesk.memory.journal import Journal
from paperdesk.memory.journal.events import OrderSubmitted, SignalIssued
from paperdesk.simulations.config import SessionConfig
from paperdesk.simulations.session import start


def main(folder: Path) -> None:
    """Two decisions on the generated market, without a language model, into a new folder."""
    config = SessionConfig(model="scorecard", end=date(2023, 2, 28))
    outcome = start(config, folder)
    desk = outcome.metrics["rows"][0]
    sys.stdout.write(f"{outcome.events} events, head {outcome.head[:16]}, return {desk['total_return']:+.1%}\n")

    said: dict[tuple[int | None, str], dict[str, str]] = {}
    with Journal.open_readonly(folder) as journal:
        for record in journal.events():
            match record.event:
                case SignalIssued() as signal:  # a revision takes the place of what was said before it
                    said.setdefault((signal.decision, signal.ticker), {})[signal.agent] = signal.rationale
                case OrderSubmitted() as sent:
                    sys.stdout.write(f"\n{sent.order.side} {sent.order.quantity:g} {sent.ticker}: {sent.reason}\n")
                    for agent, rationale in said[sent.decision, sent.ticker].items():
                        sys.stdout.write(f"    {agent}: {rationale}\n")
                case _:
                    pass


if __name__ == "__main__":
    main(Path(sys.argv[1]))
