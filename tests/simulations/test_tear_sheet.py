"""A tear sheet by quantstats: it stands alone, and its figures are what the note on it says."""

import html
import re
import sys
import warnings
from pathlib import Path
from typing import Any

import matplotlib as mpl
import numpy as np
import pandas as pd
import pytest
from scipy.stats import kurtosis, norm, skew
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


def figures(sheet: str) -> dict[str, tuple[str, str]]:
    """By name, of the benchmark and of the desk, as the page has them."""
    table = sheet.split("Key Performance Metrics")[1].split("</table>")[0]
    rows = (re.findall(r"<td[^>]*>\s*(.*?)\s*</td>", row, re.S) for row in table.split("<tr")[1:])
    return {html.unescape(row[0]): (row[1], row[2]) for row in rows if len(row) == 3}


def test_the_page_itself_has_the_figures_that_are_said_to_agree(sheet: str, tracks: dict[str, pd.Series]) -> None:
    told = figures(sheet)
    desk, other = (daily_returns(tracks[name]) for name in ("desk", "HXSI"))
    beta = np.cov(desk, other)[0, 1] / np.var(other, ddof=1)
    expected: dict[str, tuple[str, ...]] = {
        "Beta": ("-", f"{round(beta, 2)}"),
        "Alpha": ("-", f"{round((desk.mean() - beta * other.mean()) * 252, 2)}"),
    }
    both = [performance(tracks[name], Trading(0, 0, 0, 0)) for name in ("HXSI", "desk")]
    for label, name, percent in (
        *(("Cumulative Return", "total_return", True), ("CAGR", "annual_return", True)),
        *(("Volatility (ann.)", "annual_volatility", True), ("Max Drawdown", "max_drawdown", True)),
        *(("Sharpe", "sharpe", False), ("Sortino", "sortino", False), ("Calmar", "calmar", False)),
    ):
        values = [getattr(one, name) for one in both]
        expected[label] = tuple(f"{round(v * 100, 2)}%" if percent else f"{round(v, 2)}" for v in values)
    assert {name: told[next(key for key in told if key.rstrip("﹪") == name)] for name in expected} == expected
    labels = ("Cumulative Return", "CAGR", "Volatility", "Sharpe", "Sortino", "Max Drawdown", "Calmar", "Beta", "Alpha")
    assert {label.removesuffix(" (ann.)") for label in expected} == set(labels)  # and all that are named are looked at
    assert AGREE.startswith(", ".join(labels[:-1]) + " and Alpha are")


def test_what_it_says_of_ruin_luck_years_and_drawdowns_is_so(
    stats: Any, sheet: str, tracks: dict[str, pd.Series]
) -> None:
    told, desk = figures(sheet), daily_returns(tracks["desk"])
    wins = (desk > 0).sum() / (desk != 0).sum()
    assert stats.risk_of_ruin(desk) == pytest.approx(((1 - wins) / (1 + wins)) ** len(desk), rel=1e-6)
    # Bailey and Lopez de Prado (2012), against a Sharpe ratio of 0: as if only one had been tried
    days = desk.to_numpy(dtype=float)
    ratio = days.mean() / days.std(ddof=1)
    tilt, tails = skew(days, bias=False), kurtosis(days, bias=False, fisher=False)
    spread = np.sqrt((1 - tilt * ratio + (tails - 1) / 4 * ratio**2) / (len(days) - 1))
    assert told["Prob. Sharpe Ratio"][1] == f"{round(norm.cdf(ratio / spread) * 100, 2)}%"
    assert len({told[f"{years}Y (ann.)"] for years in (3, 5, 10)} | {told["All-time (ann.)"]}) == 1  # it has one year
    equity = tracks["desk"]
    low = int((equity / equity.cummax()).to_numpy().argmin())
    high = int(equity.to_numpy()[:low].argmax())
    assert told["Max DD Period Start"][1] == f"{equity.index[high + 1]:%Y-%m-%d}"
    below = equity < equity.cummax()
    spells = [spell.index for _, spell in equity[below].groupby((~below).cumsum()[below])]
    assert told["Longest DD Days"][1] == str(max((spell[-1] - spell[0]).days + 1 for spell in spells))


def test_its_rolling_beta_is_nought_until_it_has_half_a_year(
    stats: Any, tracks: dict[str, pd.Series], monkeypatch: pytest.MonkeyPatch
) -> None:
    from matplotlib.axes import Axes
    from quantstats import plots

    drawn: list[pd.Series] = []
    levels: list[float] = []
    plot, line = Axes.plot, Axes.axhline

    def draw(axes: Axes, *args: Any, **how: Any) -> Any:
        drawn.append(args[0])
        return plot(axes, *args, **how)

    def draw_line(axes: Axes, y: float, **how: Any) -> Any:
        levels.append(y)
        return line(axes, y, **how)

    monkeypatch.setattr(Axes, "plot", draw)
    monkeypatch.setattr(Axes, "axhline", draw_line)
    desk, other = (daily_returns(tracks[name]) for name in ("desk", "HXSI"))
    with mpl.rc_context(), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        mpl.use("Agg")
        plots.rolling_beta(desk, other, window1=126, window2=252, show=False)
    half_year, _ = drawn
    assert (half_year[:125] == 0).all()
    assert half_year.iloc[125] == pytest.approx(np.cov(desk[:126], other[:126])[0, 1] / np.var(other[:126], ddof=1))
    assert levels[0] == pytest.approx(half_year.mean())  # the zeros count


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
