"""Drive the desk from a loop of your own: your clock, your prices, your broker.

Usage: python examples/drive_the_desk.py
"""

import sys

import numpy as np
import pandas as pd

from paperdesk import Desk, MarketView, PortfolioSnapshot


def invented(days: int = 300) -> pd.DataFrame:
    """Prices of three invented shares: one row per share and session."""
    draw, dates = np.random.default_rng(1), pd.bdate_range("2021-01-04", periods=days + 20)
    holidays = pd.to_datetime(["2021-01-18", "2021-02-15", "2021-04-02", "2021-05-31", "2021-07-05", "2021-09-06",
                               "2021-11-25", "2021-12-24", "2022-01-17", "2022-02-21"])  # fmt: skip
    dates = dates.difference(holidays)[:days]
    rows = []
    for ticker in ("AURX", "BOLT", "CIRA"):
        close = 50 * np.exp(draw.normal(3e-4, 0.015, days).cumsum())
        opens = close * np.exp(draw.normal(0, 0.004, days))
        rows.append(pd.DataFrame({"date": dates, "ticker": ticker, "open": opens, "high": np.maximum(opens, close),
                                  "low": np.minimum(opens, close), "close": close, "volume": 2e6}))  # fmt: skip
    return pd.concat(rows)


def main() -> None:
    """A decision every fifteen sessions, filled at the next open."""
    prices = invented()
    days = sorted(prices["date"].unique())
    cash, shares = 100_000.0, dict.fromkeys(("AURX", "BOLT", "CIRA"), 0.0)
    with Desk(model="scorecard") as desk:
        for today, tomorrow in zip(days[200:-1:15], days[201::15], strict=False):
            view = MarketView.from_frames(prices[prices["date"] <= today])  # all that the desk can know
            last = {ticker: view.close(ticker) for ticker in view.tickers}
            decision = desk.decide(view, PortfolioSnapshot.valued(view.as_of, cash, shares, last))
            opens = prices[prices["date"] == tomorrow].set_index("ticker")["open"]
            for order in decision.orders:
                signed = order.quantity if order.side == "buy" else -order.quantity
                shares[order.ticker] += signed
                cash -= signed * opens[order.ticker]
                sys.stdout.write(f"{today:%Y-%m-%d} {order.side} {order.quantity:g} {order.ticker}\n")
            worth = cash + sum(held * last[ticker] for ticker, held in shares.items())
            sys.stdout.write(f"{today:%Y-%m-%d} {decision.proposal.posture.name}, worth {worth:,.0f}\n")


if __name__ == "__main__":
    main()
