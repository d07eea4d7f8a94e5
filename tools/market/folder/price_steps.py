"""Sessions without a row, and steps of a price that do not fit the splits in the file."""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from .prices import PriceRows
from .settings import MarketFile

_RATIOS = (2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0, 10.0, 15.0, 20.0, 25.0, 30.0, 40.0, 50.0)
"""Share ratios that companies choose, and the same the other way round for reverse splits."""
_STEPS = np.array([1 / ratio for ratio in _RATIOS] + list(_RATIOS))
_NEAR_LOG = 0.08
"""How near a step comes to a ratio that is taken for a split."""
_STAYS_LOG = 0.15
_STAYS_SESSIONS = 5
_OUTSIDE_SIGMAS = 8.0
"""A step is unlike the instrument if it is so many of its daily standard deviations."""
_SPLIT_LOG, _SPLIT_SIGMAS = 0.15, 6.0
"""How far the step on the day of a split may lie from what the split explains."""
_FEW_ROWS, _USUAL_SIGMA, _LEAST_SIGMA = 20, 0.02, 0.005
"""The volatility of an instrument with few rows is taken to be usual."""


def look_for_gaps(prices: PriceRows) -> None:
    """Warn of each run of sessions without a row between an instrument's first row and its last."""
    sessions = np.array(prices.sessions, dtype="datetime64[D]")
    for ticker, rows in _by_ticker(prices):
        places = np.searchsorted(sessions, prices.days[rows])
        for i in np.flatnonzero(np.diff(places) > 1).tolist():
            missing = sessions[places[i] + 1 : places[i + 1]]
            days = str(missing[0]) if len(missing) == 1 else f"{missing[0]} to {missing[-1]}"
            count = "1 session" if len(missing) == 1 else f"{len(missing)} sessions"
            message = f"{ticker} has no row for {count} before this one ({days}); add the rows unless it did not trade"
            prices.table.warn(int(rows[i + 1]), "date", "gap", message)


def look_for_steps(prices: PriceRows, settings: MarketFile) -> None:
    """Warn where an overnight step does not fit the split in the column, or looks like a split without one."""
    values = prices.values
    for ticker, rows in _by_ticker(prices):
        sound = rows[np.isfinite(values["open"][rows]) & (values["open"][rows] > 0) & (values["close"][rows] > 0)]
        if len(sound) < 2:
            continue
        closes, split = np.log(values["close"][sound]), values["split"][sound]
        nights = np.log(values["open"][sound][1:]) - closes[:-1]
        ratio = np.where(split[1:] > 0, split[1:], 1.0)
        explained = -np.log(ratio) if settings.prices == "as_traded" else np.zeros_like(nights)
        sigma = _sigma(np.diff(closes) + (np.log(ratio) if settings.prices == "as_traded" else 0.0))
        off = np.abs(nights - explained) > max(_SPLIT_LOG, _SPLIT_SIGMAS * sigma)
        for i in np.flatnonzero((ratio != 1) & off).tolist():
            _warn_of_split(prices, settings, ticker, int(sound[i]), int(sound[i + 1]))
        large = np.abs(nights) > _OUTSIDE_SIGMAS * sigma
        for i in np.flatnonzero((ratio == 1) & large).tolist():
            nearest = int(np.argmin(np.abs(nights[i] - np.log(_STEPS))))
            target = float(np.log(_STEPS[nearest]))
            # From a level that had stood to one that stands: a single wrong print, or its end, is no split.
            before = np.median(closes[max(0, i + 1 - _STAYS_SESSIONS) : i + 1])
            settled = np.median(closes[i + 1 : i + 1 + _STAYS_SESSIONS]) - before
            if abs(nights[i] - target) < _NEAR_LOG and abs(settled - target) < _STAYS_LOG:
                _warn_of_step(prices, ticker, int(sound[i]), int(sound[i + 1]), nearest)


def _by_ticker(prices: PriceRows) -> Iterator[tuple[str, NDArray[np.int64]]]:
    """The rows of each instrument by date; rows without date or ticker are left out."""
    rows = np.flatnonzero(~np.isnat(prices.days) & ~prices.tickers.empty)
    if not len(rows):
        return
    rows = rows[np.lexsort((prices.days[rows], prices.tickers.codes[rows]))]
    codes, first = np.unique(prices.tickers.codes[rows], return_index=True)
    for code, part in zip(codes.tolist(), np.split(rows, first[1:]), strict=True):
        yield prices.tickers.vocabulary[code], part


def _sigma(returns: NDArray[np.float64]) -> float:
    """Standard deviation of daily log returns by the median absolute deviation, which single jumps do not move."""
    if len(returns) < _FEW_ROWS:
        return _USUAL_SIGMA
    return max(_LEAST_SIGMA, 1.4826 * float(np.median(np.abs(returns - np.median(returns)))))


def _warn_of_split(prices: PriceRows, settings: MarketFile, ticker: str, before: int, row: int) -> None:
    ratio, close, opened = (
        float(prices.values[name][at]) for name, at in (("split", row), ("close", before), ("open", row))
    )
    if settings.prices == "as_traded":
        reason = f"not to about {close / ratio:.6g}, which prices as traded would"
        advice = 'correct the split, or say prices = "split_adjusted" in market.toml'
    else:
        reason = "which prices adjusted for splits would not"
        advice = 'adjust the prices before it, or say prices = "as_traded" in market.toml'
    message = (
        f"{ticker} has a split of {ratio:g} on {prices.days[row]}, and its price went from {close:.6g} to {opened:.6g} "
        f"overnight, {reason}; {advice}"
    )
    prices.table.warn(row, "split", "split_without_step", message)


def _warn_of_step(prices: PriceRows, ticker: str, before: int, row: int, nearest: int) -> None:
    ratio = _RATIOS[nearest % len(_RATIOS)]
    step, split = (f"a {ratio:g}th", f"{ratio:g}") if nearest < len(_RATIOS) else (f"{ratio:g} times", f"{1 / ratio:g}")
    step = "a half" if step == "a 2th" else "a third" if step == "a 3th" else step
    close, opened = float(prices.values["close"][before]), float(prices.values["open"][row])
    message = (
        f"{ticker} opened on {prices.days[row]} at {opened:.6g} after a close of {close:.6g}, about {step}, and stayed "
        f"there, without a split; add the split of {split} if there was one, or correct the prices"
    )
    prices.table.warn(row, "open", "step_without_split", message)
