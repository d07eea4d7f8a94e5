"""`paperdesk markets pull` and `list` as Python users call them."""

import signal
from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from paperdesk.simulations.console import Interrupted
from paperdesk.simulations.laboratory_command import parse_edges
from paperdesk.simulations.market_commands import first_day, last_day, list_markets, pull_command, update_command
from paperdesk.tools.errors import InputError
from paperdesk.tools.market.vendors.errors import IncompletePull
from paperdesk.tools.market.vendors.manifest import Manifest
from paperdesk.tools.market.view import open_market

from ..market.vendors.plugin import install


@pytest.fixture
def stall(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / "site"
    folder.mkdir()
    install(folder, "stall = stall_vendor:open_vendor")
    monkeypatch.syspath_prepend(folder)


def run(out: Path, *tickers: str, skip_missing: bool = False) -> list[str]:
    manifest = pull_command(tickers, "2024-06-05", out, end="2024-06-06", vendors=("stall",), skip_missing=skip_missing)
    return [row.request.symbol for row in manifest.pieces]


@pytest.mark.usefixtures("stall")
def test_a_pulled_folder_opens_as_a_market(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(tmp_path / "mine", "acme", "BOLT") == ["ACME", "BOLT"]
    market = open_market(tmp_path / "mine")
    assert market.tickers == ("ACME", "BOLT")
    shown = capsys.readouterr()
    assert shown.out == ""
    assert "2 of 2 parts" in shown.err


@pytest.mark.usefixtures("stall")
def test_ctrl_c_says_how_to_go_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
    monkeypatch.setenv("STALL_INTERRUPT", "BOLT")
    with pytest.raises(Interrupted, match="the same command continues from here"):
        run(tmp_path / "out", "ACME", "BOLT")
    listed = list_markets(tmp_path).markets[-1]
    assert (listed.name, listed.kind, listed.ready) == (str(tmp_path / "out"), "unfinished", False)
    assert run(tmp_path / "out", "ACME", "BOLT") == ["ACME", "BOLT"]


@pytest.mark.usefixtures("stall")
def test_a_missing_name_fails_or_is_left_out(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(IncompletePull, match="prices from stall for NOPE"):
        run(tmp_path / "out", "ACME", "NOPE")
    assert "failed: prices of NOPE from stall" in capsys.readouterr().err
    assert run(tmp_path / "out", "ACME", "NOPE", skip_missing=True) == ["ACME"]
    listed = list_markets(tmp_path).markets[-1]
    assert (listed.kind, listed.ready, listed.about) == (
        "pulled",
        True,
        "ACME, NOPE from 2024-06-05 to 2024-06-06 by stall",
    )


def test_the_listing_knows_markets_and_vendors(tmp_path: Path) -> None:
    listing = list_markets(tmp_path)
    assert [row.name for row in listing.markets] == ["generated", "us-tech", "sp20"]
    yahoo = next(row for row in listing.vendors if row.name == "yahoo")
    assert yahoo.ready
    assert yahoo.provides == ("prices", "companies")
    csv = next(row for row in listing.vendors if row.name == "csv")
    assert not csv.ready
    assert "--csv-folder" in csv.about


def test_a_folder_of_another_program_is_no_market(tmp_path: Path) -> None:
    (tmp_path / "other").mkdir()
    (tmp_path / "other/manifest.json").write_text("{}")
    assert all(row.kind == "built-in" for row in list_markets(tmp_path).markets)


@pytest.mark.parametrize(
    ("text", "first", "last"),
    [
        ("2022", date(2022, 1, 1), date(2022, 12, 31)),
        ("2024-02", date(2024, 2, 1), date(2024, 2, 29)),
        ("2023-06-01", date(2023, 6, 1), date(2023, 6, 1)),
    ],
)
def test_a_year_and_a_month_are_dates(text: str, first: date, last: date) -> None:
    assert (first_day(text), last_day(text)) == (first, last)


@pytest.mark.parametrize("text", ["", "22", "2022-13", "2022-02-30", "2022-01-01-01", "next year", "2022/01"])
def test_what_is_no_date_is_refused(text: str) -> None:
    with pytest.raises(InputError, match="is no date; write 2022, 2022-06 or 2022-06-01"):
        first_day(text)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"tickers": ()}, "no ticker is given; name at least one"),
        ({"benchmark": "acme"}, "ACME cannot be a company and the benchmark"),
        ({"form": "xlsx"}, "form: Input should be 'parquet' or 'csv'"),
        ({"options": ("feed=iex",)}, "write vendor.name=value"),
        ({"vendors": ("bloomberg",)}, "there is no vendor 'bloomberg'"),
        ({"end": "2020"}, "is before the start"),
    ],
)
def test_options_that_cannot_be_are_refused(tmp_path: Path, options: dict[str, object], message: str) -> None:
    with pytest.raises(InputError, match=message):
        pull_command(**{"tickers": ("ACME",), "start": "2022", "out": tmp_path / "out", **options})  # type: ignore[arg-type]
    assert not (tmp_path / "out").exists()


def test_a_name_that_is_no_single_line_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="a comma or a line break"):
        pull_command(("ACME,BOLT",), "2022", tmp_path / "out")


def test_an_edge_without_a_strength_after_the_sign_is_refused() -> None:
    assert parse_edges(["momentum", "drift=0.5"]) == {"momentum": 1.0, "post_earnings_drift": 0.5}
    with pytest.raises(InputError, match="strength of post_earnings_drift is '', which is no number"):
        parse_edges(["drift="])


@pytest.mark.usefixtures("stall")
def test_a_folder_is_brought_up_to_date(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "mine"
    pull_command(("ACME",), "2024-06-05", out, vendors=("stall",))
    evening = datetime(2024, 6, 6, 21, 0, tzinfo=UTC)
    assert not update_command(out, clock=lambda: evening)[1]
    assert "parts" not in capsys.readouterr().err.partition("1 of 1 parts")[2]
    assert update_command(out) == (Manifest.model_validate_json((out / "manifest.json").read_bytes()), True)
    assert "1 of 1 parts" in capsys.readouterr().err
    run(tmp_path / "fixed", "ACME")
    with pytest.raises(InputError, match="was pulled to 2024-06-06; pull without --to"):
        update_command(tmp_path / "fixed")
