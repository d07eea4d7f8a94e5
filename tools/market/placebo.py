"""Markets in which something that a desk claims to read has been made worthless, all else being equal.

A desk whose result survives that was not reading it. Each placebo is a data set made from another one by seed:

- `documents`: every document carries the text of another one, published some time earlier. Prices and filings stay.
- `flip`: the sign of every total return is turned, within the day as well: what rose, falls. Filings and texts stay.
- `blocks`: blocks of a month change places in time, the same for all names: trends across blocks, and whatever links
  prices to filings and texts, are gone; what names have in common on a day stays.
- `hostile`: every document holds one more sentence, which tells its reader to buy.

Prices of `flip` and `blocks` start where the original ones do, and live through the same splits; dividends are in the
returns, so they are not paid again.
"""

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from ..errors import InputError
from .bars import Bars
from .dataset import fingerprinted
from .laboratory.noise_texts import HOSTILE
from .records import Dataset, Document

PlaceboName = Literal["documents", "flip", "blocks", "hostile"]
PLACEBOS: dict[PlaceboName, str] = {
    "documents": "texts exchanged between documents",
    "flip": "the sign of every return turned",
    "blocks": "months of prices in another order",
    "hostile": "a sentence in every document that tells its reader to buy",
}
BLOCK_SESSIONS = 21

Matrix = NDArray[np.float64]
Moves = dict[str, Matrix]
"""Log distance of open, high, low and close (dividend included) from the close before, in shares of the day."""


def placebo(dataset: Dataset, name: PlaceboName, seed: int) -> Dataset:
    """The placebo of a data set, the same for the same seed.

    Raises:
        InputError: the market has too little of what is to be changed.
    """
    rng = np.random.default_rng([seed, list(PLACEBOS).index(name)])
    changed = _MAKERS[name](dataset, rng)
    note = f"Placebo: {PLACEBOS[name]}. Nothing earned here says anything about the market it was made from."
    return fingerprinted(replace(changed, name=f"{dataset.name}, placebo {name}", note=note))


def _documents(dataset: Dataset, rng: np.random.Generator) -> Dataset:
    count = len(dataset.documents)
    if count < 4:
        raise InputError(f"{dataset.name} has {count} documents, too few to exchange their texts; take another placebo")
    # A text goes to a later document: shown earlier, it would tell the future.
    distance = int(rng.integers(1, max(2, count // 4)))
    pairs = zip(dataset.documents[distance:], dataset.documents, strict=False)
    moved = (replace(late, headline=early.headline, body=early.body) for late, early in pairs)
    return replace(dataset, documents=tuple(moved))


def _hostile(dataset: Dataset, rng: np.random.Generator) -> Dataset:
    if not dataset.documents:
        raise InputError(f"{dataset.name} has no documents to put a sentence into; take another placebo")

    def told(document: Document) -> Document:
        sentence = HOSTILE[int(rng.integers(len(HOSTILE)))]
        company = dataset.companies.get(document.ticker)
        said = sentence.format(ticker=document.ticker, name=company.name if company else document.ticker)
        lines = document.body.split("\n")
        place = int(rng.integers(len(lines) + 1))
        return replace(document, body="\n".join([*lines[:place], said, *lines[place:]]))

    return replace(dataset, documents=tuple(told(document) for document in dataset.documents))


def _flip(dataset: Dataset, rng: np.random.Generator) -> Dataset:
    moves = moves_of(dataset.bars)
    turned = {"open": -moves["open"], "high": -moves["low"], "low": -moves["high"], "close": -moves["close"]}
    return replace(dataset, bars=_rebuilt(dataset.bars, turned))


def _blocks(dataset: Dataset, rng: np.random.Generator) -> Dataset:
    sessions = len(dataset.bars.sessions)
    if sessions < 3 * BLOCK_SESSIONS:
        raise InputError(f"{dataset.name} has {sessions} sessions, too few to exchange months; take another placebo")
    # The first session has no move; blocks are cut from the second on.
    blocks = np.array_split(np.arange(1, sessions), (sessions - 1) // BLOCK_SESSIONS)
    order = np.concatenate([[0], *(blocks[i] for i in rng.permutation(len(blocks)))])
    moves = {name: matrix[order] for name, matrix in moves_of(dataset.bars).items()}
    return replace(dataset, bars=_rebuilt(dataset.bars, moves))


def moves_of(bars: Bars) -> Moves:
    """How each bar lies to the last close before it: log ratios, NaN where nothing traded or nothing had before."""
    before = np.full_like(bars.close, np.nan)
    last = np.full(bars.close.shape[1], np.nan)
    for row in range(len(bars.sessions)):
        before[row] = last / bars.split[row]  # in the shares of this session
        last = before[row]
        last = np.where(np.isfinite(bars.close[row]), bars.close[row], last)
    return {name: np.log((getattr(bars, name) + bars.dividend) / before) for name in ("open", "high", "low", "close")}


def _rebuilt(bars: Bars, moves: Mapping[str, Matrix]) -> Bars:
    """Prices that make these moves, from the first close of each instrument on, through the splits of the original."""
    prices = {name: np.full_like(bars.close, np.nan) for name in ("open", "high", "low", "close")}
    last = np.full(bars.close.shape[1], np.nan)
    for row in range(len(bars.sessions)):
        last = last / bars.split[row]
        starts = np.isnan(last) & np.isfinite(bars.close[row])
        moved = np.isfinite(last) & np.isfinite(moves["close"][row])
        for name, matrix in prices.items():
            first = np.where(starts, getattr(bars, name)[row], np.nan)
            matrix[row] = np.where(moved, last * np.exp(moves[name][row]), first)
        last = np.where(np.isfinite(prices["close"][row]), prices["close"][row], last)
    return replace(
        bars,
        open=prices["open"],
        high=prices["high"],
        low=prices["low"],
        close=prices["close"],
        volume=np.where(np.isfinite(prices["close"]), _known_volume(bars), 0.0),
        dividend=np.zeros_like(bars.dividend),
    )


def _known_volume(bars: Bars) -> Matrix:
    """The volume of each session; where an instrument did not trade then, its median."""
    traded = np.where(bars.volume > 0, bars.volume, np.nan)
    usual = np.array([np.median(c[np.isfinite(c)]) if np.isfinite(c).any() else 0.0 for c in traded.T])
    return np.where(np.isfinite(traded), traded, usual)


_MAKERS: dict[PlaceboName, Callable[[Dataset, np.random.Generator], Dataset]] = {
    "documents": _documents,
    "flip": _flip,
    "blocks": _blocks,
    "hostile": _hostile,
}
