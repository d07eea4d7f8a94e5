"""Run by another environment's python: bt, vectorbt and backtesting.py on monthly rebalances, as far as each can.

Prints `name_s=seconds` (CPU) and `name_version=version` of each. bt and vectorbt rebalance at closes; backtesting.py
knows one instrument, so it gets as many bars in one name and its figure is multiplied by the number of names.
"""

import sys
import time
import warnings
from collections.abc import Callable
from importlib.metadata import version

import numpy as np
import pandas as pd

MONTH = 21


def main(names: int, length: int) -> None:
    """Every peer that can be imported."""
    warnings.simplefilter("ignore")
    rng = np.random.default_rng(names)
    close = 50 * np.exp(np.cumsum(rng.normal(0.0002, 0.015, (length, names)), axis=0))
    prices = pd.DataFrame(
        close, index=pd.date_range("2000-01-03", periods=length), columns=[f"N{i}" for i in range(names)]
    )
    weights = pd.DataFrame(
        rng.dirichlet(np.full(names, 3.0), size=length // MONTH + 1)[: len(prices.index[::MONTH])] * 0.9,
        index=prices.index[::MONTH],
        columns=prices.columns,
    )
    for name, run in (("bt", _bt), ("vectorbt", _vectorbt), ("backtesting", _backtesting)):
        try:
            seconds = round(run(prices, weights), 3)
        except ImportError:
            sys.stdout.write(f"{name}_s=not_installed\n")
        else:
            sys.stdout.write(f"{name}_s={seconds}\n{name}_version={version(name)}\n")


def _spent(work: Callable[[], object]) -> float:
    began = time.process_time()
    work()
    return time.process_time() - began


def _bt(prices: pd.DataFrame, weights: pd.DataFrame) -> float:
    import bt

    algos = [bt.algos.RunOnDate(*weights.index), bt.algos.WeighTarget(weights), bt.algos.Rebalance()]

    def work() -> None:
        test = bt.Backtest(
            bt.Strategy("s", algos), prices, initial_capital=1e8, commissions=lambda q, p: abs(q) * p * 5e-4
        )
        bt.run(test)

    return _spent(work)


def _vectorbt(prices: pd.DataFrame, weights: pd.DataFrame) -> float:
    import vectorbt as vbt

    size = weights.reindex(prices.index)

    def work() -> None:
        portfolio = vbt.Portfolio.from_orders(
            prices,
            size,
            size_type="targetpercent",
            fees=5e-4,
            slippage=3e-4,
            init_cash=1e8,
            cash_sharing=True,
            group_by=True,
            call_seq="auto",
        )
        portfolio.value()

    work()  # compiles
    return _spent(work)


def _backtesting(prices: pd.DataFrame, weights: pd.DataFrame) -> float:
    from backtesting import Backtest, Strategy

    name = prices.columns[0]
    frame = pd.DataFrame(dict.fromkeys(("Open", "High", "Low", "Close"), prices[name]))
    frame["Volume"] = 1e7

    class Rebalance(Strategy):  # type: ignore[misc]
        def init(self) -> None:
            pass

        def next(self) -> None:
            if (len(self.data) - 1) % MONTH == 0:
                self.position.close()
                self.buy(size=0.9)

    return _spent(lambda: Backtest(frame, Rebalance, cash=1e8, commission=5e-4).run()) * len(prices.columns)


main(int(sys.argv[1]), int(sys.argv[2]))
