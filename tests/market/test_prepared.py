"""What a market arranges once gives a view the same as reading bars and documents anew, and no way to the future."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from paperdesk.tools.errors import InputError, LookAheadError
from paperdesk.tools.market.bars import Bars
from paperdesk.tools.market.dataset import facts_frame
from paperdesk.tools.market.documents.duplicates import collapse
from paperdesk.tools.market.records import FACT_COLUMNS, Company, Dataset, Document
from paperdesk.tools.market.trades import Trades, equally_weighted
from paperdesk.tools.market.view import Market, open_market

SESSIONS = tuple(day.date() for day in pd.bdate_range("2024-01-22", periods=18))
SPLITS = st.sampled_from([1.0, 1.0, 1.0, 2.0, 0.1, 1.5, 3.0])
FIELDS = ("open", "high", "low", "close", "volume", "dividend", "split")


@pytest.fixture(scope="module")
def market() -> Market:
    return open_market("generated")


def bars_of(close: np.ndarray, split: np.ndarray) -> Bars:
    close, split = close[:, None], split[:, None]
    return Bars(SESSIONS, ("A",), close, close + 1, close - 1, close, 100 * close, close / 50, split)


@given(
    close=arrays(np.float64, 18, elements=st.one_of(st.just(np.nan), st.floats(1, 1000))),
    split=arrays(np.float64, 18, elements=SPLITS),
    sessions=st.integers(0, 18),
    last=st.none() | st.integers(1, 20),
)
def test_arrays_are_the_bars_in_the_shares_of_the_last_session(
    close: np.ndarray, split: np.ndarray, sessions: int, last: int | None
) -> None:
    past = Trades(bars_of(close, split), 0).until(sessions, last)
    rows = [row for row in range(sessions) if np.isfinite(close[row])][-(last or 99) :]
    assert past.rows.tolist() == rows
    assert len(past) == len(rows)
    for place, row in enumerate(rows):
        shares = np.prod(split[row + 1 : sessions])
        assert past.close[place] == pytest.approx(close[row] / shares)
        assert past.open[place] == past.close[place]
        assert past.high[place] == pytest.approx((close[row] + 1) / shares)
        assert past.low[place] == pytest.approx((close[row] - 1) / shares)
        assert past.dividend[place] == pytest.approx(close[row] / 50 / shares)
        assert past.volume[place] == pytest.approx(100 * close[row] * shares)
        assert past.split[place] == split[row]


@given(
    close=arrays(np.float64, 18, elements=st.one_of(st.just(np.nan), st.floats(1, 1000))),
    split=arrays(np.float64, 18, elements=SPLITS),
    sessions=st.integers(1, 18),
)
def test_arrays_have_the_same_bits_without_the_future(close: np.ndarray, split: np.ndarray, sessions: int) -> None:
    whole = Trades(bars_of(close, split), 0).until(sessions)
    bars = bars_of(close, split)
    cut = Trades(bars.select(("A",), SESSIONS[0], SESSIONS[sessions - 1]), 0).until(sessions)
    for name in ("rows", *FIELDS):
        assert getattr(whole, name).tobytes() == getattr(cut, name).tobytes()


def test_history_and_arrays_agree_for_every_instrument(market: Market) -> None:
    for row in (0, 80, 300, 700):
        view = market.view(market.calendar.close_of(market.dataset.bars.sessions[row]))
        for ticker in market.instruments:
            frame, past = view.history(ticker, 50), view.arrays(ticker, 50)
            assert [day.date() for day in frame.index] == [view.sessions[i] for i in past.rows]
            for name in FIELDS:
                np.testing.assert_array_equal(frame[name], getattr(past, name))


def test_arrays_of_a_view_lead_neither_to_later_rows_nor_back_into_the_market(market: Market) -> None:
    view = market.view(market.calendar.close_of(market.dataset.bars.sessions[300]))
    past = view.arrays("BRQL")
    for array in (past.close, past.rows, view.market_returns):
        assert array.base is None or len(array.base) < len(market.dataset.bars.sessions)
    before = past.close.copy()
    past.close[:] = 0
    np.testing.assert_array_equal(view.arrays("BRQL").close, before)
    assert len(view.market_returns) == len(view.sessions)


def test_too_few_sessions_and_unknown_tickers_are_refused(market: Market) -> None:
    view = market.view(market.calendar.close_of(market.dataset.bars.sessions[300]))
    with pytest.raises(InputError, match="at least 1"):
        view.arrays("BRQL", 0)
    with pytest.raises(InputError, match="NOPE"):
        view.arrays("NOPE")
    with pytest.raises(InputError, match="NOPE"):
        view.stories("NOPE")


def test_the_market_s_returns_are_the_benchmark_s_or_the_mean_of_the_companies(market: Market) -> None:
    moment = market.calendar.close_of(market.dataset.bars.sessions[700])
    view = market.view(moment)
    assert view.market_name == "HXSI"
    np.testing.assert_array_equal(view.market_returns, view.returns(("HXSI",), 9999)["HXSI"])
    alone = Market(replace(market.dataset, benchmark=None)).view(moment)
    assert alone.market_name == "equally weighted universe"
    expected = alone.returns(alone.tickers, 9999).mean(axis=1)
    np.testing.assert_allclose(alone.market_returns, expected, rtol=1e-12)


def test_the_mean_skips_what_has_no_return_and_is_absent_without_any() -> None:
    nan = np.nan
    returns = np.array([[0.01, 0.03, 9.0], [nan, 0.03, 9.0], [nan, nan, 9.0]])
    np.testing.assert_allclose(equally_weighted(returns, (0, 1)), [0.02, 0.03, nan])


START = datetime(2024, 1, 22, 12, tzinfo=UTC)
TEXTS = (
    "Orders rose in the spring quarter while costs stayed flat in every region of the world.",
    "The board names a new chief of research who comes from a university in the north.",
    "A recall of pumps costs more than was set aside for it, and customers wait longer.",
)
RELEASES = st.lists(st.tuples(st.integers(0, 40), st.sampled_from("AB"), st.integers(0, 2)), max_size=12)


def with_documents(rows: list[tuple[int, str, int]]) -> Market:
    ones = np.ones((18, 2))
    documents = [
        Document(f"d{i}", ticker, START + timedelta(days=day / 2), "wire", "", TEXTS[text])
        for i, (day, ticker, text) in enumerate(sorted(rows))
    ]
    return Market(
        Dataset(
            name="texts",
            note="",
            generated=True,
            calendar="XNYS",
            bars=Bars(SESSIONS, ("A", "B"), ones, ones, ones, ones, ones, 0 * ones, ones),
            companies={name: Company(name, name) for name in "AB"},
            facts=facts_frame({name: [] for name in FACT_COLUMNS}),
            documents=tuple(documents),
        )
    )


@given(rows=RELEASES, at=st.integers(2, 30), since=st.none() | st.integers(-10, 30), ticker=st.sampled_from("AB"))
def test_documents_and_stories_are_what_reading_all_of_them_gives(
    rows: list[tuple[int, str, int]], at: int, since: int | None, ticker: str
) -> None:
    market = with_documents(rows)
    as_of = START + timedelta(days=at / 2)
    view = market.view(as_of)
    oldest = None if since is None else START + timedelta(days=since / 2)
    if oldest is not None and oldest > as_of:
        for read in (view.documents, view.stories):
            with pytest.raises(LookAheadError):
                read(ticker, oldest)
        return
    known = [row for row in market.dataset.documents if row.published_at <= as_of]
    assert view.documents() == tuple(known)
    mine = [row for row in known if row.ticker == ticker]
    recent = [row for row in mine if oldest is None or row.published_at >= oldest]
    assert view.documents(ticker, oldest) == tuple(recent)
    assert view.stories(ticker, oldest) == tuple(row for row in collapse(mine) if row in recent)
