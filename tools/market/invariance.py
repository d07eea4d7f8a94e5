"""Does a tool see the future? Change everything that becomes known later, ask again, compare.

For everyone who writes a tool: `reads_future(my_tool, dataset, moments, rng)` must come back empty. The future is
deleted, shuffled among itself, or replaced by nothing; the past stays as it is, bit for bit.
"""

import dataclasses
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from typing import Any, Literal, get_args

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from pydantic import BaseModel

from ..errors import InputError, PaperDeskError
from .bars import Bars
from .prepared import calendar_of
from .records import Dataset, Document
from .relations.records import Link
from .view import Market, MarketView

Alteration = Literal["deleted", "shuffled", "blanked"]
ALTERATIONS: tuple[Alteration, ...] = get_args(Alteration)
"""What can be done to the future: it ends; its values change places; its values are gone but its times stand."""

Tool = Callable[[MarketView], object]
"""Anything that reads a view."""

_NOTHING = {"volume": 0.0, "dividend": 0.0, "split": 1.0}
"""What a session without trade holds; prices are NaN."""


@dataclass(frozen=True)
class LookAhead:
    """A case in which a tool's answer depended on what was not known yet."""

    moment: datetime
    alteration: Alteration
    answer: object
    """With the real future."""
    changed: object
    """With the other one."""


def alter(dataset: Dataset, after: datetime, how: Alteration, rng: np.random.Generator) -> Dataset:
    """The market with another future: bars, figures, texts, series, relations that become known after `after`.

    The times of what is shuffled or blanked stay. What is public ahead of time stays too: the exchange's calendar, who
    the companies are. The fingerprint is not computed anew.

    Args:
        dataset: the market.
        after: aware; what is known at this very moment is past.
        how: what becomes of the future.
        rng: shuffles.

    Raises:
        InputError: no session has closed by `after`, or it lies beyond the data.
    """
    sessions = dataset.bars.sessions
    calendar = calendar_of(dataset)
    closed = sessions.index(min(calendar.last_closed(after), sessions[-1])) + 1
    return replace(
        dataset,
        bars=_bars(dataset.bars, closed, how, rng),
        facts=_frame(dataset.facts, after, how, rng),
        documents=_documents(dataset.documents, after, how, rng),
        series=_frame(dataset.series, after, how, rng),
        relations=_relations(dataset.relations, after, how, rng),
        window=None,
    )


def reads_future(
    tool: Tool,
    dataset: Dataset,
    moments: Iterable[datetime],
    rng: np.random.Generator,
    alterations: Sequence[Alteration] = ALTERATIONS,
) -> list[LookAhead]:
    """The cases in which a tool's answer changes with the future; empty for an honest one.

    An error that PaperDesk raises on purpose (no price yet, say) is an answer like any other.

    Args:
        tool: called with a view; its answer may be anything made of numbers, texts, times, arrays, frames, models and
            containers of these.
        dataset: the market.
        moments: the times at which it is asked (aware).
        rng: shuffles.
        alterations: what is done to the future.
    """
    market, found = Market(dataset), []
    for moment in moments:
        answer = _answer(tool, market.view(moment))
        for how in alterations:
            changed = _answer(tool, Market(alter(dataset, moment, how, rng)).view(moment))
            if changed != answer:
                found.append(LookAhead(moment, how, answer, changed))
    return found


def comparable(value: object) -> object:
    """A value in a form in which equal means equal to the bit, NaN included.

    Raises:
        TypeError: there is no such form for its type.
    """
    match value:
        case None | bool() | int() | str() | bytes():
            return value
        case float() | np.floating():
            return float(value).hex()
        case datetime() | date() | timedelta():
            return (type(value).__name__, str(value))
        case np.ndarray() if value.dtype == object:
            return (value.shape, [comparable(item) for item in value.tolist()])
        case np.ndarray() | np.generic():
            return (str(value.dtype), value.shape, value.tobytes())
        case pd.DataFrame():
            return [(comparable(name), comparable(value[name])) for name in value.columns]
        case pd.Series():
            return (comparable(value.index), comparable(_plain(value)))
        case pd.Index():
            return comparable(_plain(value))
        case BaseModel():
            return (type(value).__name__, comparable({name: getattr(value, name) for name in type(value).model_fields}))
        case Mapping():
            return [(comparable(key), comparable(item)) for key, item in value.items()]
        case list() | tuple():
            return [comparable(item) for item in value]
        case set() | frozenset():
            return sorted((comparable(item) for item in value), key=repr)
    if dataclasses.is_dataclass(value):
        fields = dataclasses.fields(value)
        return (type(value).__name__, [comparable(getattr(value, field.name)) for field in fields])
    raise TypeError(f"an answer of type {type(value).__name__} cannot be compared; return numbers, texts or models")


def _plain(column: pd.Series | pd.Index) -> NDArray[Any]:
    """The values of a column: numbers and times as they are stored, all else as objects."""
    stored = column.to_numpy()
    return stored if stored.dtype.kind in "biufM" else column.to_numpy(dtype=object)


def _answer(tool: Tool, view: MarketView) -> object:
    try:
        return comparable(tool(view))
    except PaperDeskError as error:
        return ("raised", type(error).__name__, str(error))


def _bars(bars: Bars, closed: int, how: Alteration, rng: np.random.Generator) -> Bars:
    if how == "deleted":
        return bars.select(bars.tickers, bars.sessions[0], bars.sessions[closed - 1])
    order = np.arange(len(bars.sessions))
    order[closed:] = rng.permutation(order[closed:])

    def changed(name: str) -> NDArray[np.float64]:
        matrix: NDArray[np.float64] = getattr(bars, name)[order]
        if how == "blanked":
            matrix[closed:] = _NOTHING.get(name, np.nan)
        return matrix

    return Bars(
        sessions=bars.sessions,
        tickers=bars.tickers,
        open=changed("open"),
        high=changed("high"),
        low=changed("low"),
        close=changed("close"),
        volume=changed("volume"),
        dividend=changed("dividend"),
        split=changed("split"),
    )


def _frame(frame: pd.DataFrame, after: datetime, how: Alteration, rng: np.random.Generator) -> pd.DataFrame:
    """Facts or series: only the value of a later row changes; who filed what, and when, is its time."""
    later = (frame["available_at"] > pd.Timestamp(after)).to_numpy()
    if how == "deleted":
        return frame[~later].reset_index(drop=True)
    values = frame["value"].to_numpy(dtype=np.float64, copy=True)
    values[later] = np.nan if how == "blanked" else rng.permutation(values[later])
    return frame.assign(value=values)


def _relations(
    relations: tuple[Link, ...], after: datetime, how: Alteration, rng: np.random.Generator
) -> tuple[Link, ...]:
    """Of a later row only the companies change, or it is gone; its end is known when it comes (`until` stays)."""
    past = [row for row in relations if row.available_at <= after]
    future = [row for row in relations if row.available_at > after]
    if how != "shuffled":
        return tuple(past)
    others = [future[i] for i in rng.permutation(len(future))]
    moved = (
        row.model_copy(update={"ticker": other.ticker, "other": other.other})
        for row, other in zip(future, others, strict=True)
    )
    return (*past, *moved)


def _documents(
    documents: tuple[Document, ...], after: datetime, how: Alteration, rng: np.random.Generator
) -> tuple[Document, ...]:
    past = [row for row in documents if row.published_at <= after]
    future = [row for row in documents if row.published_at > after]
    if how == "deleted":
        return tuple(past)
    if how == "blanked":
        return (*past, *(replace(row, headline="", body="") for row in future))
    texts = [future[i] for i in rng.permutation(len(future))]
    moved = (replace(row, headline=t.headline, body=t.body) for row, t in zip(future, texts, strict=True))
    return (*past, *moved)


def refuse_leaking(tool: Tool, dataset: Dataset, moments: Iterable[datetime], rng: np.random.Generator) -> None:
    """Refuse a tool that reads the future.

    Raises:
        InputError: it does; the message names the first case.
    """
    found = reads_future(tool, dataset, moments, rng)
    if found:
        first, name = found[0], getattr(tool, "__name__", type(tool).__name__)
        raise InputError(
            f"{name} reads the future: at {first.moment.isoformat()} its answer changes when what comes later is"
            f" {first.alteration}; let it read its view alone"
        )
