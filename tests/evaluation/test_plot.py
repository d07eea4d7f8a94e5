"""The picture of a session."""

from itertools import pairwise
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from paperdesk.simulations.evaluation.plot import _money, _spread, equity_plot


def tracks(names: list[str], sessions: int = 60) -> dict[str, pd.Series]:
    rng = np.random.default_rng(5)
    days = pd.bdate_range("2031-01-02", periods=sessions)
    return {name: pd.Series(1e5 * np.exp(np.cumsum(rng.normal(0, 0.01, sessions))), index=days) for name in names}


def test_a_plot_is_a_png_of_the_promised_size(tmp_path: Path) -> None:
    curves = tracks(["desk", "equal weight", "buy and hold", "INDEX"])
    days = curves["desk"].index
    path = tmp_path / "equity.png"
    equity_plot(curves, path, title="t", subtitle="s", decisions=[day.date() for day in days[::5]])
    content = path.read_bytes()
    assert content.startswith(b"\x89PNG")
    assert (int.from_bytes(content[16:20]), int.from_bytes(content[20:24])) == (1800, 1050)


@pytest.mark.parametrize("sessions", [2, 3, 600])
def test_short_long_and_constant_tracks_can_be_drawn(tmp_path: Path, sessions: int) -> None:
    curves = tracks(["desk"], sessions) | {"flat": pd.Series(1e5, index=tracks(["x"], sessions)["x"].index)}
    equity_plot(curves, tmp_path / "a.png", title="t", drawdown=True)
    equity_plot({"flat": curves["flat"]}, tmp_path / "b.png", title="t", drawdown=False)
    assert (tmp_path / "a.png").stat().st_size > (tmp_path / "b.png").stat().st_size > 0


@given(st.lists(st.floats(0, 100), min_size=1, max_size=6))
def test_labels_keep_their_order_and_their_distance(values: list[float]) -> None:
    places = _spread(values, 10, 0, 100)
    ordered = sorted(zip(values, places, strict=True))
    assert all(low <= high for (_, low), (_, high) in pairwise(ordered))
    spots = sorted(places)
    assert all(right - left >= 10 - 1e-9 for left, right in pairwise(spots))
    assert spots[0] >= -1e-9
    assert spots[-1] <= 100 + 1e-9


@pytest.mark.parametrize(
    ("value", "text"), [(950.0, "950"), (9_500.0, "9,500"), (105_000.0, "105k"), (102_500.0, "102.5k"), (2.5e6, "2.5M")]
)
def test_money_is_short(value: float, text: str) -> None:
    assert _money(value) == text
