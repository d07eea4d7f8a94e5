"""What `paperdesk markets` prints: whole in a pipe, legible in eighty columns."""

from pathlib import Path

import pytest
from rich.console import Console

from paperdesk.simulations.market_screens import print_check, print_description, print_listing

HEADER = "date,ticker,open,high,low,close,volume\n"


def test_a_description_in_a_pipe_cuts_and_breaks_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    print_description("generated", 7, json=False)
    lines = capsys.readouterr().out.splitlines()
    assert all(line == line.rstrip() for line in lines)
    head = next(place for place, line in enumerate(lines) if line.startswith("Ticker"))
    assert lines[head].split() == ["Ticker", "Name", "Sector", "From", "To", "Gaps", "Splits", "Figures", "Texts"]
    rows = lines[head + 1 :]
    assert len(rows) == 7
    assert all("2023-12-29" in row and "…" not in row for row in rows)


def test_in_eighty_columns_dates_and_figures_stay_whole(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(
        "paperdesk.simulations.market_screens.Console",
        lambda **_: Console(width=80, force_terminal=True, no_color=True),
    )
    print_description("generated", 7, json=False)
    shown = capsys.readouterr().out
    assert "…" not in shown
    assert shown.count("2021-01-04 ") >= 7


def test_the_listing_in_a_pipe_has_one_line_for_each(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    print_listing(json=False)
    lines = capsys.readouterr().out.splitlines()
    shown = [line.split()[0] for line in lines if line]
    assert shown[:5] == ["Markets", "Market", "generated", "us-tech", "sp20"]
    assert shown[5:] == ["Vendors", "Vendor", "alpaca", "csv", "edgar", "fred", "yahoo"]


def test_one_error_is_counted_as_one(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "prices.csv").write_text(HEADER + "2024-01-02,ACME,1,1,1,1,-1\n")
    assert print_check(tmp_path, everything=False, json=False) == 3
    assert "1 error, 0 warnings; rows read: prices.csv 1" in capsys.readouterr().out
