"""What the desk must beat: accounts that follow a rule on the desk's own ledger, calendar and costs.

Here stand the ledger's side of it and the three that every session is compared with: equal weight, buy and hold, the
benchmark. They see no more than an account snapshot; the rules in `strategies` see a market view as well. None of them
asks the rule engine: a baseline is not a recommendation.
"""

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import TYPE_CHECKING

import pandas as pd

from ...tools.broker.protocol import OrderIntent, PortfolioSnapshot, VerdictToken, client_order_id
from .metrics import EvaluationError, Trading, trading_of

if TYPE_CHECKING:
    from ...tools.broker.simulated import SimulatedBroker  # imports backtrader

OpenAccount = Callable[[tuple[str, ...]], "SimulatedBroker"]
"""Makes a new simulated account for these instruments, like the desk's in all else, with `authorise=permit`."""


Targets = Callable[["SimulatedBroker"], Mapping[str, float]]
"""The value (currency) to hold of each name, asked at a decision; a name that is absent stays as it is."""


@dataclass(frozen=True)
class Track:
    """What became of an account."""

    name: str
    equity: pd.Series
    """At each session's close (currency), by date."""
    trading: Trading


def permit(order: OrderIntent, token: VerdictToken) -> None:
    """The `authorise` of a baseline's account: everything may go out."""


def equal_weight(open_account: OpenAccount, tickers: Sequence[str], decisions: Iterable[date]) -> Track:
    """The same share of equity in every name that has a price, restored once a month.

    Args:
        open_account: makes the account.
        tickers: the desk's universe.
        decisions: the desk's decision sessions; the first of each month is used.
    """
    return follow("equal weight", open_account, tickers, monthly(decisions), _equal(tickers))


def buy_and_hold(open_account: OpenAccount, tickers: Sequence[str], decisions: Iterable[date]) -> Track:
    """The same share of equity in every name that has a price at the first decision, then nothing more."""
    return follow("buy and hold", open_account, tickers, sorted(decisions)[:1], _equal(tickers))


def benchmark_curve(open_account: OpenAccount, ticker: str, decisions: Iterable[date]) -> Track:
    """All equity in the benchmark from the first decision on."""
    return follow(ticker, open_account, (ticker,), sorted(decisions)[:1], _equal((ticker,)))


def monthly(decisions: Iterable[date]) -> list[date]:
    """The first decision of each calendar month."""
    first: dict[tuple[int, int], date] = {}
    for day in sorted(decisions):
        first.setdefault((day.year, day.month), day)
    return list(first.values())


def follow(
    name: str, open_account: OpenAccount, tickers: Sequence[str], rebalances: Iterable[date], targets: Targets
) -> Track:
    """What becomes of an account that goes to its targets at some sessions' closes.

    Args:
        name: of the track.
        open_account: makes the account.
        tickers: what it may hold.
        rebalances: sessions at whose close the targets are asked; orders fill at the next open.
        targets: values to hold, from the account as it stands then.

    Raises:
        EvaluationError: a rebalance is no session of the account, or the account refuses an order.
    """
    broker = open_account(tuple(tickers))
    days, values, left = [broker.session], [broker.report.equity], set(rebalances)
    while True:
        if broker.session in left:
            left.remove(broker.session)
            _rebalance(name, broker, targets(broker), len(values))
        report = broker.step()
        if report is None:
            break
        days.append(report.session)
        values.append(report.equity)
    if left:
        raise EvaluationError(f"{min(left)} is a decision but no session of the account; give both the same window.")
    return Track(name, pd.Series(values, index=pd.DatetimeIndex(days), name=name), trading_of(broker.fills()))


def _equal(tickers: Sequence[str]) -> Targets:
    def targets(broker: "SimulatedBroker") -> Mapping[str, float]:
        account = broker.account()
        priced = [ticker for ticker in tickers if account.prices.get(ticker, 0.0) > 0]
        return {ticker: account.equity / len(priced) for ticker in priced}

    return targets


def _rebalance(name: str, broker: "SimulatedBroker", targets: Mapping[str, float], number: int) -> None:
    account = broker.account()
    for ticker, value in targets.items():
        change = value / account.prices[ticker] - account.positions.get(ticker, 0.0)
        quantity = abs(change) if broker.capabilities.fractional else float(math.floor(abs(change)))
        if quantity * account.prices[ticker] < 1e-6 * account.equity:  # also rounding noise of a fractional account
            continue
        order = OrderIntent(
            client_order_id=client_order_id(name, number, ticker),
            ticker=ticker,
            side="buy" if change > 0 else "sell",
            quantity=quantity,
            reference_price=account.prices[ticker],
            decided_at=account.at,
            reduces=change < 0,
        )
        answer = broker.submit(order, _token(order, account))
        if answer.status != "accepted":
            raise EvaluationError(f"The account refused an order of the baseline {name}: {answer.reason}.")


def _token(order: OrderIntent, account: PortfolioSnapshot) -> VerdictToken:
    return VerdictToken(
        terms=order.terms_hash(),
        policy="baseline",
        state_version=account.version(),
        expires_at=order.decided_at + timedelta(days=7),
        mac="",
    )
