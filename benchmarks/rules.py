"""The pre-trade rules: time to judge an order, and 100,000 hostile orders against the broker layer.

The time is CPU time, of the quickest and of the median of many small batches: other work on the machine adds to it.
"""

import os
import statistics
import subprocess
import sys
import time
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

from paperdesk.tools.broker.protocol import OrderIntent, PortfolioSnapshot
from paperdesk.tools.rules import Activity, MarketFacts, RuleContext, RuleEngine, load_policy

NOW = datetime(2023, 3, 31, 20, tzinfo=UTC)
ORDERS, BATCH = 3000, 25
HOSTILE = 100_000


def measure() -> list[dict[str, Any]]:
    """Rows per number of names held, then the attack."""
    return [*(_judged(names) for names in (10, 100, 500)), _attacked()]


def _judged(names: int) -> dict[str, Any]:
    context, engine = _context(names), RuleEngine(load_policy("lenient"), b"the key of a benchmark")
    orders = [
        OrderIntent(
            client_order_id=f"o{i}",
            ticker=f"N{i % names}",
            side="buy",
            quantity=5.0 + i % 7,
            reference_price=100.0,
            decided_at=NOW,
        )
        for i in range(ORDERS)
    ]
    assert engine.judge(orders[0], context).verdict == "approve"
    alone = [_time(lambda batch: [engine.judge(order, context) for order in batch], orders, i) for i in _starts()]
    together = [_time(lambda batch: engine.judge_all(batch, context), orders, i) for i in _starts()]
    return {
        "names_held": names,
        "rules": len(engine.judge(orders[0], context).findings),
        "judge_us_best": round(min(alone) * 1e6),
        "judge_us_median": round(statistics.median(alone) * 1e6),
        "judge_all_us_best": round(min(together) * 1e6),
        "judge_all_us_median": round(statistics.median(together) * 1e6),
    }


def _starts() -> range:
    return range(0, ORDERS, BATCH)


def _time(work: Any, orders: list[OrderIntent], start: int) -> float:
    batch = orders[start : start + BATCH]
    began = time.process_time()
    work(batch)
    return (time.process_time() - began) / BATCH


def _context(names: int) -> RuleContext:
    prices = {f"N{i}": 100.0 for i in range(names)}
    equity = 1e6 + names * 1000.0
    return RuleContext(
        portfolio=PortfolioSnapshot(
            at=NOW, cash=1e6, equity=equity, positions=dict.fromkeys(prices, 10.0), prices=prices
        ),
        equity_previous_close=equity,
        equity_peak=equity,
        market={
            name: MarketFacts(
                last_close=100.0,
                last_session=date(2023, 3, 31),
                age_sessions=0,
                adv_shares=1e6,
                tradable=True,
                currency="USD",
                asset_class="equity",
                sector="Energy",
                newest_evidence_at=NOW,
                edge_bps=5.0,
            )
            for name in prices
        },
        activity=Activity.none(),
        live=None,
        currency="USD",
        fractional=False,
        now=NOW,
    )


def _attacked() -> dict[str, Any]:
    test = "tests/rules/test_broker_layer.py"
    began = time.monotonic()
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", test],
        env=os.environ | {"PAPERDESK_HOSTILE_ORDERS": str(HOSTILE)},
        cwd=Path(__file__).parents[1],
        check=False,
        capture_output=True,
    )
    return {
        "hostile_orders": HOSTILE,
        "rule_breakers_at_the_broker": "none" if done.returncode == 0 else "some: the test fails",
        "wall_s": round(time.monotonic() - began),
    }
