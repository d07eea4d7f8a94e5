"""The relations file of a data folder: checked, known from its time on, kept and written."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from paperdesk.tools.market.check import check_folder
from paperdesk.tools.market.dataset import open_dataset
from paperdesk.tools.market.relations.known import Known
from paperdesk.tools.market.view import Market
from paperdesk.tools.market.write import write_dataset

DAYS = ("2024-01-02", "2024-01-03", "2024-01-04", "2024-01-05", "2024-01-08")
PRICES = "date,ticker,open,high,low,close,volume\n" + "".join(
    f"{day},{ticker},10,11,9,10,1000\n" for ticker in ("ACME", "BOLT", "ZETA") for day in DAYS
)
COMPANIES = "ticker,name,industry,sector\nACME,Acme,pumps,industry\nBOLT,Bolt,bolts,industry\nZETA,Zeta,,\n"
HEADER = "ticker,kind,other,available_at,until,source\n"
ROWS = (
    "ACME,supplier,BOLT,2024-01-03T09:30:00-05:00,,annual report\n"
    "ACME,competitor,ZETA,2024-01-02T21:00:00Z,2024-01-04T21:00:00Z,\n"
)


def folder(path: Path, rows: str = ROWS, header: str = HEADER) -> Path:
    (path / "prices.csv").write_text(PRICES)
    (path / "companies.csv").write_text(COMPANIES)
    (path / "relations.csv").write_text(header + rows)
    return path


def at(day: int, hour: int = 21) -> datetime:
    return datetime(2024, 1, day, hour, tzinfo=UTC)


def test_a_row_is_known_from_its_time_to_its_end_from_both_sides(tmp_path: Path) -> None:
    market = Market(open_dataset(folder(tmp_path)))

    def ties(ticker: str, moment: datetime) -> set[tuple[str, str]]:
        return {(tie.kind, tie.other) for tie in Known(market.view(moment)).ties(ticker, peers=False)}

    assert ties("ACME", at(2)) == {("competitor", "ZETA")}
    assert ties("ACME", at(3)) == {("competitor", "ZETA"), ("supplier", "BOLT")}
    assert ties("BOLT", at(3)) == {("customer", "ACME")}
    assert ties("ZETA", at(5)) == set()
    assert {(tie.kind, tie.other) for tie in Known(market.view(at(5))).ties("ACME")} == {
        ("supplier", "BOLT"),
        ("sector_peer", "BOLT"),
    }
    assert [tie.kind for tie in Known(market.view(at(5))).nearest("ACME")] == ["supplier"]


@pytest.mark.parametrize(
    ("kind", "rows", "sentence"),
    [
        ("not_a_relation", "ACME,friend,BOLT,2024-01-03T09:30:00Z,,\n", "line 2, column kind: 'friend' is no relation"),
        ("own_relation", "ACME,partner,ACME,2024-01-03T09:30:00Z,,\n", "ACME is related to itself"),
        ("relation_ends_early", "ACME,partner,BOLT,2024-01-03T09:30:00Z,2024-01-03T09:30:00Z,\n", "it ends before it"),
        ("duplicate_relation", 2 * "ACME,partner,BOLT,2024-01-03T09:30:00Z,,\n", "it stands in line 2 already"),
        ("missing_zone", "ACME,partner,BOLT,2024-01-03T09:30:00,,\n", "has no time zone"),
        ("empty_cell", "ACME,partner,,2024-01-03T09:30:00Z,,\n", "the cell is empty"),
    ],
)
def test_a_defect_is_named_with_its_row(tmp_path: Path, kind: str, rows: str, sentence: str) -> None:
    (defect,) = check_folder(folder(tmp_path, rows)).errors
    assert defect.kind == kind
    assert sentence in defect.sentence


def test_a_stranger_is_a_warning_and_passed_over(tmp_path: Path) -> None:
    path = folder(tmp_path, ROWS + "ACME,partner,NOPE,2024-01-03T09:30:00Z,,\n")
    (warning,) = (defect for defect in check_folder(path).warnings if defect.file == "relations.csv")
    assert (warning.kind, warning.row) == ("unknown_ticker", 4)
    assert len(open_dataset(path).relations) == 2


@pytest.mark.parametrize("form", ["csv", "parquet"])
def test_what_is_written_reads_back_and_counts_for_the_fingerprint(tmp_path: Path, form: str) -> None:
    (tmp_path / "one").mkdir()
    (tmp_path / "none").mkdir()
    dataset = open_dataset(folder(tmp_path / "one"))
    write_dataset(dataset, tmp_path / "two", form)  # type: ignore[arg-type]
    again = open_dataset(tmp_path / "two")
    assert again.relations == dataset.relations
    assert again.fingerprint == dataset.fingerprint
    without = folder(tmp_path / "none")
    (without / "relations.csv").unlink()
    assert open_dataset(without).fingerprint != dataset.fingerprint


def test_an_opened_market_is_kept_with_its_relations(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PAPERDESK_CACHE", "on")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    (tmp_path / "one").mkdir()
    first = open_dataset(folder(tmp_path / "one"))
    assert open_dataset(tmp_path / "one").relations == first.relations
    assert len(first.relations) == 2
    # what documents say is kept beside it, and comes back the same
    (tmp_path / "one" / "news.jsonl").write_text(
        '{"id": "n", "ticker": "ACME", "published_at": "2024-01-03T12:00:00Z", "headline": "Acme raises its outlook"}\n'
    )
    found = [Market(open_dataset(tmp_path / "one")).found for _ in range(2)]
    assert [event.kind for event in found[0].events] == ["guidance_raised"]
    assert found[0] == found[1]
    assert list((tmp_path / "cache" / "paperdesk" / "relations").iterdir())
