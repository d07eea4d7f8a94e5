"""`from paperdesk import Desk, Session`: the desk driven from outside, and sessions as objects."""

import runpy
import subprocess
import sys
from datetime import date
from itertools import islice
from pathlib import Path

import pandas as pd
import pytest

import paperdesk
from paperdesk import Desk, MarketView, PortfolioSnapshot, Session
from paperdesk.tools.errors import DataError, InputError
from paperdesk.tools.market.from_frames import market_from_frames
from paperdesk.tools.market.view import Market, open_market

from .conftest import Finished

EXAMPLE = runpy.run_path(str(Path(__file__).parents[2] / "examples/drive_the_desk.py"))


@pytest.fixture(scope="module")
def generated() -> Market:
    return open_market("generated")


def portfolio(view: MarketView, cash: float = 1_000_000.0, **shares: float) -> PortfolioSnapshot:
    return PortfolioSnapshot.valued(view.as_of, cash, shares, {name: view.close(name) for name in view.tickers})


def test_importing_the_package_loads_nothing_of_it():
    script = (
        "import sys, paperdesk\n"
        "heavy = [m for m in sys.modules if m.startswith(('paperdesk.', 'numpy', 'pandas', 'pydantic', 'langgraph'))]\n"
        "assert not heavy, heavy\n"
        "assert set(paperdesk.__all__) <= set(dir(paperdesk))\n"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_every_public_name_is_what_its_room_holds():
    for name in paperdesk.__all__:
        assert getattr(paperdesk, name).__name__ == name
    with pytest.raises(AttributeError, match="no attribute 'Nothing'"):
        _ = paperdesk.Nothing


@pytest.mark.slow
def test_a_step_decides_what_a_session_decides(generated_session: Finished, generated: Market) -> None:
    """The first decision of a session and one step of a desk: the same words and the same orders."""
    session = generated_session
    opened = session.of("decision_opened")[0]
    with Desk(model="scorecard") as desk:
        decision = desk.decide(generated.view(opened.as_of), opened.portfolio)
    said = [event.signal for event in session.of("signal_issued") if event.decision == 0]
    assert [event.signal for event in decision.events if event.kind == "signal_issued"] == said
    sent = [event.order for event in session.of("order_submitted") if event.decision == 0]
    assert [replace_id(order) for order in decision.orders] == [replace_id(order) for order in sent]
    assert decision.orders
    assert set(decision.reasons) == {order.client_order_id for order in decision.orders}
    assert decision.proposal.weights == session.of("proposal_made")[0].weights


def replace_id(order: paperdesk.OrderIntent) -> paperdesk.OrderIntent:
    return order.model_copy(update={"client_order_id": ""})


@pytest.mark.slow
def test_a_desk_remembers_between_steps_and_two_desks_decide_alike(generated: Market) -> None:
    sessions = generated.dataset.bars.sessions[-70::22]
    runs = []
    for _ in range(2):
        with Desk(model="scorecard") as desk:
            run = [
                desk.decide(view, portfolio(view))
                for view in (generated.view(generated.calendar.close_of(day)) for day in sessions)
            ]
        runs.append(run)
    assert runs[0] == runs[1]
    assert [decision.number for decision in runs[0]] == [0, 1, 2, 3]
    ids = [order.client_order_id for decision in runs[0] for order in decision.orders]
    assert len(set(ids)) == len(ids) > 0
    resolved = [event for decision in runs[0] for event in decision.events if event.kind == "signal_resolved"]
    assert resolved, "technical signals of the first step have run out by the last"


def test_a_step_refuses_what_it_cannot_mean(generated: Market) -> None:
    later, earlier = (generated.view(generated.calendar.close_of(generated.dataset.bars.sessions[i])) for i in (-1, -2))
    with pytest.raises(InputError, match="belongs to a market"):
        Desk(cash=5)
    with Desk(model="scorecard", desk="solo") as desk:
        stranger = PortfolioSnapshot.valued(later.as_of, 1.0, {"NOPE": 1}, {"NOPE": 1.0})
        with pytest.raises(InputError, match="NOPE"):
            desk.decide(later, stranger)
        desk.decide(later, portfolio(later))
        with pytest.raises(InputError, match="go forwards"):
            desk.decide(earlier, portfolio(earlier))


def in_microseconds(facts: pd.DataFrame) -> pd.DataFrame:
    """Days are kept in the unit in which they came."""
    days = [name for name in facts if pd.api.types.is_datetime64_dtype(facts[name])]
    return facts.astype(dict.fromkeys(days, "datetime64[us]"))


def test_a_market_from_frames_is_the_market_that_they_were_taken_from(generated: Market, tmp_path: Path) -> None:
    data = generated.dataset
    rows = [
        {
            "date": pd.Timestamp(day),
            "ticker": ticker,
            **{key: getattr(data.bars, key)[i, j] for key in ("open", "high", "low", "close", "volume")},
            **{key: getattr(data.bars, key)[i, j] for key in ("dividend", "split")},
        }
        for j, ticker in enumerate(data.bars.tickers)
        for i, day in enumerate(data.bars.sessions)
        if data.bars.close[i, j] == data.bars.close[i, j]
    ]
    facts = data.facts.rename(columns={"available_at": "accepted_at"})
    documents = pd.DataFrame([vars(document) for document in data.documents])
    companies = pd.DataFrame(
        [
            {"ticker": c.ticker, "name": c.name, "industry": c.industry, "sector": c.sector}
            for c in data.companies.values()
        ]
    )
    market = market_from_frames(
        pd.DataFrame(rows),
        fundamentals=facts,
        documents=documents,
        companies=companies,
        calendar=data.calendar,
        benchmark=data.benchmark,
        adjustment="as_traded",
    )
    assert set(market.tickers) == set(data.companies)
    as_of = generated.calendar.close_of(data.bars.sessions[-1])
    for ticker in market.tickers:
        pd.testing.assert_frame_equal(market.view(as_of).history(ticker), generated.view(as_of).history(ticker))
        ours, theirs = (in_microseconds(one.view(as_of).facts(ticker)) for one in (market, generated))
        pd.testing.assert_frame_equal(ours, theirs)
    assert len(market.view(as_of).documents()) == len(generated.view(as_of).documents())


def test_frames_are_checked_as_strictly_as_a_folder():
    prices = EXAMPLE["invented"](60)
    view = MarketView.from_frames(prices.set_index("date"), benchmark="CIRA")
    assert (view.tickers, view.benchmark) == (("AURX", "BOLT"), "CIRA")
    broken = prices.reset_index(drop=True)
    broken.loc[3, "close"] = -1.0
    with pytest.raises(DataError, match="close"):
        MarketView.from_frames(broken)
    with pytest.raises(DataError, match="second row"):
        MarketView.from_frames(pd.concat([prices, prices.iloc[:1]]).sort_values(["ticker", "date"]))
    with pytest.raises(DataError, match="volume"):
        MarketView.from_frames(prices.drop(columns="volume"))


def test_the_example_that_drives_the_desk_runs(capsys: pytest.CaptureFixture[str], monkeypatch) -> None:
    invented = EXAMPLE["invented"]
    monkeypatch.setitem(EXAMPLE["main"].__globals__, "invented", lambda: invented(232))
    EXAMPLE["main"]()
    lines = capsys.readouterr().out.splitlines()
    assert len([line for line in lines if "worth" in line]) == 3
    assert [line for line in lines if " buy " in line]


@pytest.mark.slow
def test_a_session_as_an_object_runs_replays_and_is_read(tmp_path: Path) -> None:
    made = Session.run(tmp_path / "s", model="scorecard", desk="solo", end=date(2023, 2, 2))
    session = Session(tmp_path / "s")
    assert session.finished
    assert session.config == made.config
    assert session.config.desk == "solo"
    assert session.verify().problem is None
    first = next(islice(session.events("session_started"), 1))
    assert first.universe == list(open_market("generated").tickers)
    assert session.metrics["rows"][0]["name"] == "desk"
    assert session.replay().events == len(list(session.events()))
    with pytest.raises(InputError, match="finished"):
        session.resume()
