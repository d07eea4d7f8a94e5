"""A tear sheet by quantstats (extra `quantstats`): the page that many people know, with what to mind on it.

Its figures were compared with ours (tests/simulations/test_tear_sheet.py): those of `AGREE` are the same, those of
`MIND` are something else than their names may suggest. The page stands alone: what quantstats would load from its own
site is left out.
"""

import logging
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import matplotlib as mpl
import pandas as pd
from markupsafe import Markup, escape

from ...tools.errors import InputError
from ..evaluation.metrics import EvaluationError, daily_returns, sharpe
from ..extras import missing_extra
from ..reading import Session

AGREE = (
    "Cumulative Return, CAGR, Volatility, Sharpe, Sortino, Max Drawdown, Calmar, Beta and Alpha are those that "
    "PaperDesk computes itself (252 sessions a year, risk-free rate 0)."
)
MIND = (
    (
        "Daily Value-at-Risk, Expected Shortfall",
        "of a normal distribution with this mean and spread, not of these days",
    ),
    ("Information Ratio", "per day; times the root of 252 it is the yearly one"),
    ("Treynor Ratio", "the return of the whole period over beta, not that of a year"),
    ("Kelly Criterion, Risk of Ruin", "of a bet with fixed odds, made once a day: they say nothing about this desk"),
    (
        "Prob. Sharpe Ratio",
        "as if this were the only session ever tried: see `paperdesk evaluate` for the deflated one",
    ),
    ("3Y, 5Y, 10Y (ann.)", "of whatever there is, where the session is shorter"),
    ("the chart Rolling Beta", "zero until it has six months, and its dashed mean counts those zeros"),
    ("Max DD Period, Longest DD Days", "from the first day below the high, not from the high"),
)
"""What the sheet's figures are that their names do not say."""
_LEFT_OUT = ('<link rel="shortcut icon" href="https://qtpylib.io/favicon.ico" type="image/x-icon">', ' onload="save()"')
_POLICY = "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">"


def write_tear_sheet(folder: Path, file: Path) -> Path:
    """Writes the tear sheet of a finished session.

    Args:
        folder: of the session.
        file: where the page goes.

    Returns:
        Where it went.

    Raises:
        InputError: the session is not finished, its returns do not vary, its market is not at hand, the file cannot be
            written, or the extra is not installed.
        JournalRefused: there is no session.
    """
    with Session.open(folder) as session:
        page = tear_sheet(session)
    try:
        file.write_text(page, encoding="utf-8")
    except OSError as error:
        raise InputError(f"{file} cannot be written ({error.strerror}); give another --tear-sheet") from error
    return file


def tear_sheet(session: Session) -> str:
    """The page.

    Raises:
        InputError: see `write_tear_sheet`.
    """
    if not session.is_finished:
        raise InputError(f"{session.name} is not finished: its baselines would show what is still to come; resume it")
    tracks = {track.name: track.equity for track in session.tracks()}
    benchmark = session.summary().benchmark or "equal weight"
    desk, other = (_returns(session.name, tracks[name]) for name in ("desk", benchmark))
    name, against = str(escape(session.name)), str(escape(benchmark))
    with TemporaryDirectory() as place, _quietly():
        draft = Path(place) / "sheet.html"
        _quantstats().reports.html(
            desk.rename("desk"),
            benchmark=other.rename(benchmark),
            title=name,
            benchmark_title=against,
            strategy_title="desk",
            output=str(draft),
        )
        page = draft.read_text(encoding="utf-8")
    for part in _LEFT_OUT:
        page = page.replace(part, "")
    return page.replace("<head>", f"<head>\n    {_POLICY}", 1).replace('<div class="container">', _NOTE, 1)


def _returns(name: str, equity: pd.Series) -> pd.Series:
    try:
        returns = daily_returns(equity)
        sharpe(returns)
    except EvaluationError as error:
        raise InputError(f"{name} has no tear sheet: {error}") from error
    return returns


def _quantstats() -> Any:  # it ships no types
    try:
        import quantstats
    except ImportError as error:
        raise missing_extra("A tear sheet", "quantstats", error) from error
    return quantstats


@contextmanager
def _quietly() -> Iterator[None]:
    """Without its warnings about pandas and matplotlib, its search for Arial, its style for later pictures."""
    fonts = logging.getLogger("matplotlib.font_manager")
    level = fonts.level
    fonts.setLevel(logging.ERROR)
    try:
        with mpl.rc_context(), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            mpl.use("Agg")
            yield
    finally:
        fonts.setLevel(level)


_NOTE = str(
    Markup(
        '<div class="container">\n<div style="border:1px solid #999;padding:8px 14px;margin-bottom:20px">'
        "<p><b>What to mind.</b> A simulated account. One track tells no skill from luck. {} Others are not what their "
        "names may suggest:</p><ul>{}</ul></div>"
    ).format(
        AGREE,
        Markup("").join(Markup("<li><b>{}</b>: {}.</li>").format(name, what) for name, what in MIND),
    )
)
