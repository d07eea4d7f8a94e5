"""The simulated account of a session: its costs and terms, the same for the desk and for every baseline."""

from ..tools.broker.simulated import Costs, SimulatedBroker, Terms
from ..tools.market.view import Market
from .config import SessionConfig
from .evaluation.baselines import OpenAccount, permit
from .window import Window


def terms_of(config: SessionConfig) -> Terms:
    """The terms of the account."""
    return Terms(
        cash_interest=config.cash_interest,
        delisted_after=config.delisted_after,
        delisting_loss=config.delisting_loss,
    )


def costs_of(config: SessionConfig) -> Costs:
    """The costs of execution."""
    return Costs(
        commission_bps=config.commission_bps,
        commission_per_share=config.commission_per_share,
        commission_minimum=config.commission_minimum,
        slippage_bps=config.slippage_bps,
        spread_bps=config.spread_bps,
        impact=config.impact,
        volume_limit=config.volume_limit,
    )


def accounts_of(config: SessionConfig, market: Market, window: Window) -> OpenAccount:
    """Makes accounts like the desk's in all but who trades, for baselines: nobody has to permit an order."""

    def open_account(tickers: tuple[str, ...]) -> SimulatedBroker:
        return SimulatedBroker(
            market.bars(tickers, window.sessions[0], window.sessions[-1]),
            cash=config.cash,
            costs=costs_of(config),
            terms=terms_of(config),
            authorise=permit,
            close_of=market.calendar.close_of,
            fractional=config.fractional,
        )

    return open_account
