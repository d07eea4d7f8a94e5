"""Which sessions, which names: a configuration made concrete on a market, or refused."""

from dataclasses import dataclass
from datetime import date, datetime

from ..tools.errors import InputError
from ..tools.market.view import Market
from .config import SessionConfig


@dataclass(frozen=True)
class Window:
    """The ground a session covers."""

    sessions: tuple[date, ...]
    """All exchange sessions, first to last."""
    decisions: tuple[date, ...]
    """Those at whose close the desk decides; never the last session, after which nothing can be traded any more."""
    universe: tuple[str, ...]
    benchmark: str | None


def window_of(config: SessionConfig, market: Market) -> Window:
    """The window of a session on a market.

    A configuration speaks of the market's own tickers and dates, also where the market is masked.

    Raises:
        InputError: a ticker that the market does not have, or dates outside its data.
    """
    if market.masked is None:
        return _window(config, market)
    plain, key = _window(config, Market(market.masked.original)), market.masked.key
    return Window(
        sessions=tuple(key.later(day) for day in plain.sessions),
        decisions=tuple(key.later(day) for day in plain.decisions),
        universe=tuple(key.tickers[name] for name in plain.universe),
        benchmark=None if plain.benchmark is None else key.tickers[plain.benchmark],
    )


def _window(config: SessionConfig, market: Market) -> Window:
    universe = config.universe or market.tickers
    unknown = [name for name in universe if name not in market.companies]
    if unknown:
        raise InputError(f"{market.name} has no company {', '.join(unknown)}: choose from {', '.join(market.tickers)}.")
    benchmark = config.benchmark or market.benchmark
    if benchmark is not None and benchmark not in market.instruments:
        raise InputError(f"{market.name} has no prices of {benchmark}: choose from {', '.join(market.instruments)}.")
    every = market.dataset.bars.sessions
    start, end = config.start or market.window[0], config.end or market.window[1]
    if end < start:
        raise InputError(
            f"The window ends on {end}, before it starts on {start}: choose an earlier start or a later end."
        )
    if start < every[0] or end > every[-1]:
        raise InputError(
            f"{market.name} has prices from {every[0]} to {every[-1]}, not from {start} to {end}: choose within."
        )
    sessions = tuple(day for day in every if start <= day <= end)
    if len(sessions) < 2:
        raise InputError(f"There are {len(sessions)} sessions from {start} to {end}: choose a window of at least two.")
    decisions = market.calendar.decision_sessions(sessions, config.frequency)
    return Window(sessions, tuple(day for day in decisions if day < sessions[-1]), universe, benchmark)


def last_decision(market: Market, window: Window) -> datetime:
    """When the last decision of a window is taken (UTC)."""
    return market.calendar.close_of(window.decisions[-1])
