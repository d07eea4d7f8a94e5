"""Monthly rebalances with costs: the simulated broker beside a plain backtrader script, the same orders in both.

The figures are CPU seconds from bars in memory to the last equity. The final equities must agree to the cent. Other
backtesters are run where they are installed in another environment; `PAPERDESK_PEERS` names its python.
"""

import gc
import math
import os
import subprocess
import time
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import backtrader as bt
import numpy as np
import pandas as pd

from paperdesk.tools.broker.protocol import OrderIntent, VerdictToken, client_order_id
from paperdesk.tools.broker.simulated import Costs, SimulatedBroker
from paperdesk.tools.market.bars import Bars

SIZES = ((10, 2520), (100, 1260), (500, 504))
MONTH = 21
CASH = 1e8
COSTS = Costs(commission_bps=5, slippage_bps=3, volume_limit=None)


def measure() -> list[dict[str, Any]]:
    """A row per size."""
    return [_row(names, length) for names, length in SIZES]


def _row(names: int, length: int) -> dict[str, Any]:
    bars, weights = _market(names, length)
    frames = [
        pd.DataFrame(
            {line: getattr(bars, line)[:, i] for line in ("open", "high", "low", "close", "volume")},
            index=pd.DatetimeIndex(bars.sessions),
        )
        for i in range(names)
    ]
    fast, value = _least(lambda: _paperdesk(bars, weights, "fast"))
    stepped, same = _least(lambda: _paperdesk(bars, weights, "stock"))
    stock, other = _least(lambda: _backtrader(frames, weights))
    assert abs(value - other) < 0.005, (value, other)
    assert value == same
    row = {
        "names": names,
        "bars": length,
        "paperdesk_s": round(fast, 3),
        "paperdesk_stock_engine_s": round(stepped, 2),
        "backtrader_s": round(stock, 2),
        "times_backtrader": round(stock / fast, 1),
        "final_equity": round(value, 2),
    }
    return row | _peers(names, length)


def _least(work: Any, runs: int = 2) -> tuple[float, float]:
    """CPU seconds of the quickest run, and what it returned."""
    spent = []
    for _ in range(runs):
        gc.collect()
        began = time.process_time()
        value = work()
        spent.append(time.process_time() - began)
    return min(spent), value


def _market(names: int, length: int) -> tuple[Bars, np.ndarray]:
    rng = np.random.default_rng(names)
    close = 50 * np.exp(np.cumsum(rng.normal(0.0002, 0.015, (length, names)), axis=0))
    opens = close * np.exp(rng.normal(0, 0.003, close.shape))
    days = tuple(date(2000, 1, 3) + timedelta(days=i) for i in range(length))
    high, low = np.maximum(opens, close), np.minimum(opens, close)
    flat = np.ones(close.shape)
    bars = Bars(days, tuple(f"N{i}" for i in range(names)), opens, high, low, close, flat * 1e7, flat * 0, flat)
    return bars, rng.dirichlet(np.full(names, 3.0), size=length // MONTH + 1) * 0.9


def _token(order: OrderIntent) -> VerdictToken:
    return VerdictToken(terms="t", policy="p", state_version="s", expires_at=order.decided_at, mac="m")


def _paperdesk(bars: Bars, weights: np.ndarray, engine: Any) -> float:
    broker = SimulatedBroker(
        bars,
        cash=CASH,
        costs=COSTS,
        authorise=lambda order, token: None,
        close_of=lambda day: datetime(day.year, day.month, day.day, 21, tzinfo=UTC),
        engine=engine,
    )
    for row in range(len(bars.sessions)):
        if row % MONTH == 0 and broker.remaining:
            account, wanted = broker.account(), weights[row // MONTH].tolist()
            for weight, name in zip(wanted, bars.tickers, strict=True):
                price = account.prices[name]
                change = math.floor(weight * account.equity / price) - account.positions.get(name, 0.0)
                if change:
                    order = OrderIntent(
                        client_order_id=client_order_id("benchmark", row, name),
                        ticker=name,
                        side="buy" if change > 0 else "sell",
                        quantity=abs(change),
                        reference_price=price,
                        decided_at=account.at,
                        reduces=change < 0,
                    )
                    assert broker.submit(order, _token(order)).status == "accepted"
        broker.step()
    return broker.report.equity


def _backtrader(frames: list[pd.DataFrame], weights: np.ndarray) -> float:
    class Rebalance(bt.Strategy):  # type: ignore[misc]  # backtrader has no types
        def next(self) -> None:
            row = len(self) - 1
            if row % MONTH or row + 1 >= len(frames[0]):
                return
            value, wanted = self.broker.getvalue(), weights[row // MONTH].tolist()
            changes = [
                (math.floor(weight * value / data.close[0]) - self.getposition(data).size, data)
                for weight, data in zip(wanted, self.datas, strict=True)
            ]
            for change, data in sorted(changes, key=lambda pair: pair[0] > 0):  # sales first, or purchases fail
                if change:
                    (self.buy if change > 0 else self.sell)(data, size=abs(change))

    engine = bt.Cerebro(stdstats=False)
    for i, frame in enumerate(frames):
        engine.adddata(bt.feeds.PandasData(dataname=frame), name=f"N{i}")
    engine.addstrategy(Rebalance)
    engine.broker.setcash(CASH)
    engine.broker.set_checksubmit(False)
    engine.broker.setcommission(COSTS.commission_bps / 1e4)
    engine.broker.set_slippage_perc(COSTS.slippage_bps / 1e4, slip_open=True, slip_out=True)
    engine.run()
    return float(engine.broker.getvalue())


def _peers(names: int, length: int) -> dict[str, Any]:
    """CPU seconds of other backtesters on a market of the same size; nothing where no environment is named."""
    python = os.environ.get("PAPERDESK_PEERS")
    if not python:
        return {}
    script = Path(__file__).with_name("ledger_peers.py")
    done = subprocess.run([python, script, str(names), str(length)], capture_output=True, text=True, check=True)
    told = dict(line.split("=", 1) for line in done.stdout.split())
    return {
        name: float(value) if name.endswith("_s") and value != "not_installed" else value
        for name, value in told.items()
    }
