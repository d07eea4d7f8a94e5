"""A tear sheet by quantstats: it stands alone, and its figures are what the note on it says."""

import sys
from pathlib import Path
from typing import Any

import matplotlib as mpl
import numpy as np
import pandas as pd
import pytest
from scipy.stats import norm
from typer.testing import CliRunner

from paperdesk.cli import app
from paperdesk.memory.journal import Journal
from paperdesk.simulations.evaluation.metrics import Trading, daily_returns, performance
from paperdesk.simulations.reading import Session
from paperdesk.simulations.reporting.tear_sheet import AGREE, MIND, tear_sheet, write_tear_sheet
from paperdesk.tools.errors import InputError

from .conftest import Finished
from .test_report import _Parsed


@pytest.fixture(scope="module")
def stats() -> Any:
    with mpl.rc_context():  # its import changes how all later pictures look
        return pytest.importorskip("quantstats", reason="needs the extra quantstats").stats


@pytest.fixture(scope="module")
def sheet(generated_session: Finished, tmp_path_factory: pytest.TempPathFactory) -> str:
    file: Path = tmp_path_factory.mktemp("sheet") / "sheet.html"
    told = CliRunner().invoke(app, ["report", str(generated_session.outcome.folder), "--tear-sheet", str(file)])
    assert told.exit_code == 0, told.output
    return file.read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def tracks(generated_session: Finished) -> dict[str, pd.Series]:
    with Session.open(generated_session.outcome.folder) as session:
        return {track.name: track.equity for track in session.tracks()}


def test_the_page_stands_alone(sheet: str) -> None:
    for tag, attrs in _Parsed(sheet).tags:
        assert tag not in {"script", "img", "iframe", "object", "embed", "link", "form", "base"}
        for name, value in attrs.items():
            assert not name.startswith("on")
            assert name != "src"
            if name.endswith("href") and tag != "a":
                assert (value or "").startswith("#")


def test_it_shows_the_desk_beside_the_benchmark_with_what_to_mind(sheet: str, tracks: dict[str, pd.Series]) -> None:
    text = _Parsed(sheet).text
    assert AGREE in text
    assert all(f"{name} : {what}" in text for name, what in MIND)
    other, desk = (round((tracks[name].iloc[-1] / tracks[name].iloc[0] - 1) * 100, 2) for name in ("HXSI", "desk"))
    assert f"Cumulative Return {other}% {desk}%" in text


def test_what_is_said_to_agree_does_to_nine_digits(stats: Any, tracks: dict[str, pd.Series]) -> None:
    desk, other = (daily_returns(tracks[name]) for name in ("desk", "HXSI"))
    ours = performance(tracks["desk"], Trading(0, 0, 0, 0))
    theirs = [stats.comp(desk), stats.cagr(desk), stats.volatility(desk), stats.sharpe(desk), stats.sortino(desk)]
    theirs += [stats.max_drawdown(desk), stats.calmar(desk)]
    mine = [ours.total_return, ours.annual_return, ours.annual_volatility, ours.sharpe, ours.sortino]
    mine += [ours.max_drawdown, ours.calmar]
    assert theirs == pytest.approx(mine, rel=1e-9)
    beta = np.cov(desk, other)[0, 1] / np.var(other, ddof=1)
    greeks = stats.greeks(desk, other)
    assert greeks["beta"] == pytest.approx(beta, rel=1e-9)
    assert greeks["alpha"] == pytest.approx((desk.mean() - beta * other.mean()) * 252, rel=1e-9)


def test_what_is_said_to_be_something_else_is(stats: Any, tracks: dict[str, pd.Series]) -> None:
    desk, other = (daily_returns(tracks[name]) for name in ("desk", "HXSI"))
    mean, spread, z = desk.mean(), desk.std(ddof=1), norm.ppf(0.05)
    assert stats.value_at_risk(desk) == pytest.approx(mean + z * spread, rel=1e-6)
    shortfall = stats.conditional_value_at_risk(desk)
    assert shortfall == pytest.approx(mean - spread * norm.pdf(z) / 0.05, rel=1e-6)
    assert abs(shortfall / desk[desk <= desk.quantile(0.05)].mean() - 1) > 0.02
    active = desk - other
    assert stats.information_ratio(desk, other) == pytest.approx(active.mean() / active.std(ddof=1), rel=1e-9)
    twice = pd.concat([tracks["desk"], tracks["desk"].iloc[1:] * tracks["desk"].iloc[-1] / tracks["desk"].iloc[0]])
    twice.index = pd.bdate_range("2021-01-04", periods=len(twice))
    years = daily_returns(twice)
    beta = stats.greeks(years, years)["beta"]
    assert stats.treynor_ratio(years, years) == pytest.approx((twice.iloc[-1] / twice.iloc[0] - 1) / beta, rel=1e-6)
    wins = (desk > 0).mean()
    payoff = desk[desk > 0].mean() / -desk[desk < 0].mean()
    assert stats.kelly_criterion(desk) == pytest.approx(wins - (1 - wins) / payoff, abs=0.01)


def test_what_has_no_tear_sheet_is_refused(generated_session: Finished, tmp_path: Path) -> None:
    with Journal.create(tmp_path / "half") as journal:
        for event in generated_session.events[:120]:
            journal.append(event)
    with pytest.raises(InputError, match="not finished"):
        write_tear_sheet(tmp_path / "half", tmp_path / "sheet.html")
    with pytest.raises(InputError, match="cannot be written"):
        write_tear_sheet(generated_session.outcome.folder, tmp_path / "absent" / "sheet.html")
    assert [path.name for path in tmp_path.iterdir()] == ["half"]


def test_without_the_extra_it_is_named(generated_session: Finished, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "quantstats", None)
    with (
        Session.open(generated_session.outcome.folder) as session,
        pytest.raises(InputError, match=r"pip install 'paperdesk\[quantstats\]'"),
    ):
        tear_sheet(session)
