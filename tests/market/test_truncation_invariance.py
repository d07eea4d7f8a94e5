"""Whatever can be read at a time is the same when all that comes later is deleted, shuffled or blanked.

A case is a market, a random time and an alteration of the future; at each, everything readable about two companies is
compared to the bit: prices, returns, figures, documents, the evidence of every tool, the regime, and the prompts as the
analysts and the auditor send them.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from paperdesk.agents.analyst import Brief, analyse
from paperdesk.agents.auditor import Case, audit_signals
from paperdesk.agents.models.core import Reply, Request
from paperdesk.agents.models.scorecard import Scorecard
from paperdesk.agents.rosters import roster
from paperdesk.orchestration.desk_nodes import describe
from paperdesk.simulations import masking
from paperdesk.tools.errors import InputError
from paperdesk.tools.evidence import Evidence
from paperdesk.tools.indicators import indicators
from paperdesk.tools.market.documents import duplicates, screening, table
from paperdesk.tools.market.documents.search import search
from paperdesk.tools.market.fundamentals import ratios
from paperdesk.tools.market.invariance import ALTERATIONS, Alteration, alter, comparable, reads_future, refuse_leaking
from paperdesk.tools.market.records import Dataset
from paperdesk.tools.market.view import Market, MarketView, open_market
from paperdesk.tools.regime import regime
from paperdesk.tools.toolbox import call, research_tools


@dataclass
class Recorder:
    """A mind that keeps what it was asked."""

    core: Scorecard = field(default_factory=Scorecard)
    asked: list[Request] = field(default_factory=list)

    @property
    def key(self) -> str:
        return self.core.fingerprint.key()

    def answer(self, request: Request) -> Reply:
        self.asked.append(request)
        return self.core.answer(request)


def prompts(view: MarketView, evidence: dict[str, list[Evidence]]) -> list[Request]:
    """What the analysts and the auditor would send about these companies."""
    mind = Recorder()
    by_id = {item.id: item for items in evidence.values() for item in items}
    for role in roster().analysts:
        briefs = [
            Brief(ticker, view.company(ticker).name, tuple(e for e in found if e.measure in role.shows))
            for ticker, found in evidence.items()
        ]
        state = describe(regime(view))
        signals = analyse(role, briefs, mind=mind, as_of=view.as_of, regime=state, seed=0)
        audit_signals([s for s in signals if not s.abstained], Case(by_id), mind=mind, max_rounds=1, seed=0)
    return mind.asked


FITS_A_REGIME = ("market_state",)
"""Tools that cost seconds on a market that nobody has asked before, as every altered one is."""


def everything(tickers: tuple[str, ...], deep: bool) -> Callable[[MarketView], object]:
    """A tool that reads all there is about some companies; `deep` adds the regime and the prompts."""

    def read(view: MarketView) -> object:
        tools = research_tools(view)
        found: dict[str, object] = {"session": view.session, "sessions": view.sessions[-5:]}
        gathered: dict[str, list[Evidence]] = {}
        for ticker in tickers:
            asked = [name for name in tools if name != "market_regime" and (deep or name not in FITS_A_REGIME)]
            answers = {name: call(tools, name, ticker=ticker) for name in asked}
            gathered[ticker] = [item for _, items in answers.values() for item in items]
            found[ticker] = {
                "tools": answers,
                "history": view.history(ticker),
                "tradable": view.is_tradable(ticker),
                "facts": view.facts(ticker),
                "documents": view.documents(ticker),
                "passages": search(view, ticker, "guidance for the coming year", k=3),
            }
        found["returns"] = view.returns(tickers, 60)
        if deep:
            found["regime"] = regime(view)
            found["prompts"] = prompts(view, gathered)
        return found

    return read


def moments(market: Market, count: int, rng: np.random.Generator) -> list[datetime]:
    """Random times from the second year on: closes, seconds around closes, nights, weekends, and within sessions."""
    sessions = market.dataset.bars.sessions
    chosen = rng.choice(np.arange(260, len(sessions) - 1), size=count, replace=False)
    offsets = (timedelta(0), timedelta(microseconds=1), timedelta(seconds=-1), timedelta(hours=-3), timedelta(hours=9))
    return [
        market.calendar.close_of(sessions[row]) + offsets[int(rng.integers(len(offsets)))] for row in sorted(chosen)
    ]


def about(dataset: Dataset, tickers: tuple[str, ...]) -> Dataset:
    """The market's prices, and the filings and documents of some companies only, so that a case is quick."""
    facts = dataset.facts[dataset.facts["ticker"].isin(tickers)].reset_index(drop=True)
    return replace(dataset, facts=facts, documents=tuple(d for d in dataset.documents if d.ticker in tickers))


def check(market: Market, times: int, rng: np.random.Generator) -> int:
    """Compare at random times; the number of cases."""
    cases = 0
    for number, moment in enumerate(moments(market, times, rng)):
        tickers = tuple(rng.choice(market.tickers, size=2, replace=False).tolist())
        tool = everything(tickers, deep=number % 4 == 0)
        found = reads_future(tool, about(market.dataset, tickers), [moment], rng)
        assert not found, f"{tickers} at {moment}: changes when the future is {found[0].alteration}"
        cases += len(ALTERATIONS)
    return cases


@pytest.fixture(autouse=True, scope="module")
def remembered() -> Iterator[None]:
    """What is a function of one text alone is computed once for all altered markets; each has an index of its own."""
    with pytest.MonkeyPatch.context() as patch:
        texts = ((table, "measured"), (table, "passages"), (duplicates, "_shingles"), (screening, "_read"))
        for module, name in texts:
            patch.setattr(module, name, lru_cache(maxsize=None)(getattr(module, name)))
        yield


@pytest.fixture(scope="module")
def generated() -> Market:
    return open_market("generated")


def test_the_future_of_the_generated_market_is_unreachable(generated: Market) -> None:
    assert check(generated, 6, np.random.default_rng(0)) == 18


@pytest.mark.slow
def test_five_hundred_futures_change_nothing(generated: Market, us8: Path) -> None:
    rng = np.random.default_rng(20240607)
    cases = check(open_market(us8), 60, rng)
    cases += check(generated, 60, rng)
    cases += check(open_market("generated", seed=11), 60, rng)
    assert cases >= 500


def closes_of_tomorrow(view: MarketView) -> object:
    return view._market.dataset.bars.close[: len(view.sessions) + 1, 0]


def scaled_by_the_whole_sample(view: MarketView) -> object:
    everything = view._market.dataset.bars.close[:, 0]
    return view.close(view.tickers[0]) / float(np.nanmean(everything))


def adjusted_for_splits_to_come(view: MarketView) -> object:
    return float(np.prod(view._market.dataset.bars.split))


def restated(view: MarketView) -> object:
    facts = view._market.dataset.facts
    return facts[facts["ticker"] == view.tickers[0]].drop_duplicates(["concept", "period_end"], keep="last")["value"]


def ranked_among_all_documents(view: MarketView) -> object:
    """Past documents only, but their rank is that among all."""
    lengths = sorted(len(document.text) for document in view._market.dataset.documents)
    return [lengths.index(len(document.text)) for document in view.documents()]


LEAKING = [
    closes_of_tomorrow,
    scaled_by_the_whole_sample,
    adjusted_for_splits_to_come,
    restated,
    ranked_among_all_documents,
]


@pytest.mark.parametrize("tool", LEAKING, ids=lambda tool: tool.__name__)
def test_a_tool_that_leaks_is_caught(tool: Callable[[MarketView], object], generated: Market) -> None:
    times = moments(generated, 4, np.random.default_rng(1))
    assert reads_future(tool, generated.dataset, times, np.random.default_rng(2))
    with pytest.raises(InputError, match=rf"{tool.__name__} reads the future: at .* its answer changes when"):
        refuse_leaking(tool, generated.dataset, times, np.random.default_rng(2))


def test_an_honest_tool_passes(generated: Market) -> None:
    def honest(view: MarketView) -> object:
        ticker = view.tickers[0]
        return indicators(view, ticker), ratios(view, ticker), view.close(ticker)

    refuse_leaking(honest, generated.dataset, moments(generated, 3, np.random.default_rng(1)), np.random.default_rng(2))


@pytest.mark.parametrize("how", ALTERATIONS)
def test_the_past_stays_and_the_future_does_not(generated: Market, how: Alteration) -> None:
    dataset = generated.dataset
    after = datetime(2023, 5, 3, 12, 0, tzinfo=UTC)
    changed = alter(dataset, after, how, np.random.default_rng(3))
    past = sum(day.isoformat() < "2023-05-03" for day in dataset.bars.sessions)
    np.testing.assert_array_equal(changed.bars.close[:past], dataset.bars.close[:past])
    assert [d for d in changed.documents if d.published_at <= after] == [
        d for d in dataset.documents if d.published_at <= after
    ]
    known = dataset.facts["available_at"] <= after
    assert changed.facts[: known.sum()].equals(dataset.facts[known])
    closes, other_closes = dataset.bars.close[past:], changed.bars.close[past:]
    texts = [d.text for d in dataset.documents if d.published_at > after]
    other_texts = [d.text for d in changed.documents if d.published_at > after]
    values, other_values = dataset.facts["value"][~known], changed.facts["value"][known.sum() :]
    if how == "deleted":
        assert (len(other_closes), other_texts, len(other_values)) == (0, [], 0)
    elif how == "shuffled":
        assert sorted(other_texts) == sorted(texts) != other_texts
        assert not np.array_equal(other_closes, closes, equal_nan=True)
        assert np.nansum(other_closes) == pytest.approx(np.nansum(closes))
        assert sorted(other_values) == sorted(values) != list(other_values)
    else:
        assert np.isnan(other_closes).all()
        assert set(other_texts) == {"\n"}
        assert other_values.isna().all()


def test_values_are_compared_to_the_bit() -> None:
    assert comparable(float("nan")) == comparable(np.nan)
    assert comparable(0.1 + 0.2) != comparable(0.3)
    assert comparable({"a": np.array([1.0, np.nan])}) == comparable({"a": np.array([1.0, np.nan])})
    assert comparable(np.array([1.0])) != comparable(np.array([1]))
    with pytest.raises(TypeError, match="cannot be compared"):
        comparable(object())


def session_events(folder: Path, first: date, last: date) -> list[dict[str, Any]]:
    from paperdesk.memory.journal import Journal
    from paperdesk.simulations.config import SessionConfig
    from paperdesk.simulations.session import start

    config = SessionConfig(model="scorecard", start=first, end=last)
    start(config, folder)
    with Journal.open_readonly(folder) as journal:
        return [record.event.model_dump(mode="json") for record in journal.events()]


def test_a_session_that_ends_earlier_is_the_beginning_of_the_longer_one(
    generated: Market, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The whole desk, prompts and orders included: the market's later data never reached it."""
    first, end = generated.window[0], generated.calendar.previous_session(date(2023, 4, 15))
    whole = session_events(tmp_path / "whole", first, end)
    after = generated.calendar.close_of(end)
    cut = Market(alter(generated.dataset, after, "shuffled", np.random.default_rng(5)))
    monkeypatch.setattr(masking, "open_market", lambda *args, **more: cut)
    altered = session_events(tmp_path / "cut", first, end)
    # the fingerprint of the market stands in the first event alone, and the measured results in the last
    assert len(whole) == len(altered) > 300
    assert whole[1:-1] == altered[1:-1]
