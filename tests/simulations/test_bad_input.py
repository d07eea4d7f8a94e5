"""Bad input: exit code 2, one sentence at the end of standard error, and nothing half-written."""

import re
import shutil
import sys
from collections.abc import Callable
from datetime import date, timedelta
from pathlib import Path

import pytest

from paperdesk.agents.models.open import bundled_model
from paperdesk.cli import main
from paperdesk.tools.clock import TradingCalendar

PROGRESS = re.compile(r"\d\d:\d\d  \S.*")
"""What may stand above the sentence: the steps of the preparation."""
SHORT = ("--model", "scorecard", "--start", "2023-11-01", "--end", "2023-12-29")

Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def paperdesk(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    """The command line in this process: exit code, standard output, standard error."""

    def run(*words: str | Path) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["paperdesk", *map(str, words)])
        code = 0
        try:
            main()
        except SystemExit as end:
            code = int(end.code or 0)
        said = capsys.readouterr()
        return code, said.out, said.err

    return run


def the_sentence(result: tuple[int, str, str]) -> str:
    """The one sentence of a refusal, after everything around it was checked."""
    code, out, err = result
    assert code == 2
    assert out == ""
    *above, last = err.splitlines()
    assert err.endswith("\n")
    assert all(PROGRESS.fullmatch(line) for line in above), err
    assert last.startswith("paperdesk: ")
    assert "Traceback" not in err
    sentence = last.removeprefix("paperdesk: ")
    assert len(sentence.split()) >= 4
    assert "`" in sentence or ";" in sentence or ":" in sentence  # what happened, and what to do
    return sentence


@pytest.fixture
def out(tmp_path: Path) -> Path:
    return tmp_path / "out" / "session"


def bars(first: date = date(2023, 1, 3), last: date = date(2023, 12, 29)) -> list[str]:
    """Lines of a prices file of two companies and a fund, one per session and name."""
    days = TradingCalendar("XNYS", first, last).sessions(first, last)
    lines = []
    for number, day in enumerate(days):
        for base, name in ((10, "AAA"), (20, "BBB"), (100, "IDX")):
            close = base * (1 + (number * (7 + base) % 31) / 400)
            lines.append(f"{day},{name},{close:.4f},{close * 1.01:.4f},{close * 0.99:.4f},{close:.4f},100000")
    return lines


@pytest.fixture
def market(tmp_path: Path) -> Callable[[list[str]], Path]:
    """Writes a data set with these lines of prices."""

    def write(lines: list[str]) -> Path:
        folder = tmp_path / "market"
        folder.mkdir()
        (folder / "prices.csv").write_text("\n".join(["date,ticker,open,high,low,close,volume", *lines]) + "\n")
        (folder / "companies.csv").write_text("ticker,name\nAAA,Alpha\nBBB,Beta\n")
        return folder

    return write


def cell(line: str, column: int, value: str) -> str:
    """A line with another value in a column."""
    cells = line.split(",")
    cells[column] = value
    return ",".join(cells)


DEFECTS: dict[str, tuple[Callable[[list[str]], list[str]], str]] = {
    "a price that is NaN": (lambda b: [*b[:7], cell(b[7], 5, "nan"), *b[8:]], r"prices\.csv, line 9, column close"),
    "an empty price": (lambda b: [*b[:7], cell(b[7], 5, ""), *b[8:]], r"prices\.csv, line 9, column close"),
    "a negative price": (lambda b: [*b[:7], cell(b[7], 2, "-5"), *b[8:]], r"prices\.csv, line 9, column open"),
    "a date twice": (lambda b: [*b[:9], b[6], *b[9:]], r"prices\.csv, line 11, column date: .*AAA"),
    "dates out of order": (lambda b: [*b[6:9], *b[:6], *b[9:]], r"prices\.csv, line 5, column date"),
    "a word for a price": (lambda b: [cell(b[0], 5, "ten"), *b[1:]], r"prices\.csv, line 2, column close: 'ten'"),
    "no prices at all": (lambda b: [], r"prices\.csv has no rows"),
}


@pytest.mark.parametrize("defect", DEFECTS.values(), ids=list(DEFECTS))
def test_a_defective_data_set_is_refused_at_its_line(
    paperdesk: Run, market: Callable[[list[str]], Path], out: Path, defect: tuple[Callable[[list[str]], list[str]], str]
) -> None:
    spoil, message = defect
    folder = market(spoil(bars(last=date(2023, 3, 1))))
    said = the_sentence(paperdesk("run", "--market", folder, "--model", "scorecard", "--out", out))
    assert re.search(message, said), said
    assert not out.parent.exists()


OPTIONS: dict[str, tuple[list[str], str]] = {
    "a market that is not there": (
        ["--market", "nowhere"],
        "there is no market 'nowhere'; name generated, us-tech or sp20",
    ),
    "an unknown ticker": (["--universe", "BRQL,APPL"], r"no company APPL: choose from BRQL"),
    "no ticker": (["--universe", ","], "universe must name at least one ticker"),
    "a ticker twice": (["--universe", "BRQL,BRQL"], "each once"),
    "an unknown benchmark": (["--benchmark", "SPX"], "no prices of SPX: choose from"),
    "an end before the start": (
        ["--start", "2023-12-01", "--end", "2023-11-01"],
        "ends on 2023-11-01, before it starts on 2023-12-01",
    ),
    "an end before the market's own start": (["--end", "2022-11-01"], "before it starts"),
    "a window after the data": (["--start", "2031-01-02", "--end", "2031-06-30"], "has prices from 2021"),
    "a window before the data": (["--start", "1999-01-04", "--end", "1999-06-30"], "has prices from 2021"),
    "a window of one session": (["--start", "2023-12-29"], "at least two"),
    "a model that is no word we know": (["--model", "gpt"], "no model 'gpt': give `smollm2`"),
    "a model file that is not there": (["--model", "nowhere.gguf"], r"nowhere\.gguf"),
    "a server that does not listen": (["--model", "http://127.0.0.1:9/v1"], r"127\.0\.0\.1:9"),
    "a URL without a host": (["--model", "http://"], "the address of the model server is none: give one like"),
    "an unknown policy": (["--policy", "yolo"], "No policy 'yolo'|no policy 'yolo'"),
    "an unknown frequency": (["--frequency", "hourly"], "'hourly' of 'frequency' .*'daily'"),
    "no cash": (["--cash", "0"], "'cash'"),
    "cash that is no number": (["--cash", "nan"], "'cash'"),
    "infinite cash": (["--cash", "inf"], "'cash'"),
    "a negative seed": (["--seed", "-1"], "'seed'"),
    "no threads": (["--threads", "0"], "'threads'"),
    "a weight above one": (["--max-weight", "1.5"], "1.5 of 'max_weight'"),
    "a negative cost": (["--commission-bps", "-1"], "'commission_bps'"),
    "a configuration that is not there": (["--config", "nowhere.toml"], "cannot be read"),
}


@pytest.mark.parametrize("case", OPTIONS.values(), ids=list(OPTIONS))
def test_a_refused_option_leaves_nothing_behind(
    paperdesk: Run, out: Path, monkeypatch: pytest.MonkeyPatch, case: tuple[list[str], str]
) -> None:
    options, message = case
    out.parent.mkdir()
    monkeypatch.chdir(out.parent)
    defaults = ["--model", "scorecard"] if "--model" not in options else []
    said = the_sentence(paperdesk("run", *defaults, *options, "--out", out))
    assert re.search(message, said), said
    assert list(out.parent.iterdir()) == []
    the_sentence(paperdesk("run", *defaults, *options))  # nor is a numbered folder made where none was named
    assert list(out.parent.iterdir()) == []


CONFIGS = {
    "an unknown key": (b'modell = "scorecard"\n', "unknown key 'modell' in .*: use one of .*model"),
    "no TOML": (b"model: scorecard\n", "is not valid TOML"),
    "no text": (b"\xff\xfe\x00model", "is not valid TOML"),
    "a value out of range": (b"beta = 1.5\n", "1.5 of 'beta'"),
    "a value of another type": (b'cash = "much"\n', "'much' of 'cash'"),
    "a list for a word": (b"model = [1]\n", "'model'"),
    "limits that exceed the whole": (b"min_invested = 0.9\nmin_cash = 0.2\n", "lower one of them"),
}


@pytest.mark.parametrize("case", CONFIGS.values(), ids=list(CONFIGS))
def test_a_defective_configuration_is_refused(
    paperdesk: Run, tmp_path: Path, out: Path, case: tuple[bytes, str]
) -> None:
    content, message = case
    file = tmp_path / "desk.toml"
    file.write_bytes(content)
    said = the_sentence(paperdesk("run", "--config", file, "--out", out))
    assert re.search(message, said), said
    assert not out.parent.exists()


def half(file: Path) -> bytes:
    content = file.read_bytes()
    return content[: len(content) // 2]


MODELS: dict[str, Callable[[], bytes]] = {
    "cut in half": lambda: half(bundled_model()),
    "cut within its header": lambda: bundled_model().read_bytes()[:1000],
    "garbage": lambda: bytes(range(256)) * 64,
    "garbage after the magic word": lambda: b"GGUF" + bytes(range(256)) * 64,
    "empty": lambda: b"",
    "a page of a web site": lambda: b"<html>not found</html>",
}


@pytest.mark.parametrize("content", MODELS.values(), ids=list(MODELS))
def test_a_defective_model_file_is_refused(
    paperdesk: Run, tmp_path: Path, out: Path, content: Callable[[], bytes]
) -> None:
    file = tmp_path / "model.gguf"
    file.write_bytes(content())
    said = the_sentence(paperdesk("run", "--model", file, "--out", out))
    assert "model.gguf" in said
    assert not out.parent.exists()


def test_a_folder_named_like_a_model_is_refused(paperdesk: Run, tmp_path: Path, out: Path) -> None:
    (tmp_path / "model.gguf").mkdir()
    assert "model.gguf" in the_sentence(paperdesk("run", "--model", tmp_path / "model.gguf", "--out", out))
    assert not out.parent.exists()


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A session of two decisions."""
    from paperdesk.simulations.config import SessionConfig
    from paperdesk.simulations.session import start

    folder = tmp_path_factory.mktemp("finished") / "session"
    start(SessionConfig(model="scorecard", start=date(2023, 11, 15), end=date(2023, 12, 29)), folder)
    return folder


def contents(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.fixture
def held(finished: Path, tmp_path: Path) -> Path:
    """A copy of a finished session."""
    return Path(shutil.copytree(finished, tmp_path / "held"))


def test_a_folder_that_holds_a_session_is_refused_and_left_alone(paperdesk: Run, held: Path) -> None:
    before = contents(held)
    assert "already holds a session" in the_sentence(paperdesk("run", *SHORT, "--out", held))
    assert contents(held) == before


def test_a_file_for_an_output_folder_is_refused_and_left_alone(paperdesk: Run, tmp_path: Path) -> None:
    file = tmp_path / "notes.txt"
    file.write_text("mine")
    assert "is a file" in the_sentence(paperdesk("run", *SHORT, "--out", file))
    assert "notes.txt" in the_sentence(paperdesk("run", *SHORT, "--out", file / "below"))
    assert contents(tmp_path) == {"notes.txt": b"mine"}


def test_an_output_folder_whose_name_is_too_long_is_refused(paperdesk: Run, tmp_path: Path) -> None:
    the_sentence(paperdesk("run", *SHORT, "--out", tmp_path / ("x" * 300)))
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("verb", ["resume", "show", "replay", "verify"])
def test_a_folder_without_a_session_is_refused(paperdesk: Run, tmp_path: Path, verb: str) -> None:
    empty = tmp_path / "empty"
    empty.mkdir()
    file = tmp_path / "file"
    file.write_text("x")
    for folder in (empty, file, tmp_path / "absent", tmp_path / ("x" * 300)):
        the_sentence(paperdesk(verb, folder))
    assert sorted(path.name for path in tmp_path.iterdir()) == ["empty", "file"]
    assert list(empty.iterdir()) == []


def test_a_finished_session_has_nothing_to_resume(paperdesk: Run, held: Path) -> None:
    before = contents(held)
    assert "is finished" in the_sentence(paperdesk("resume", held))
    assert contents(held) == before


def test_a_filter_that_names_nothing_of_the_session_is_refused(paperdesk: Run, held: Path) -> None:
    assert "choose from" in the_sentence(paperdesk("show", held, "--ticker", "AAPL"))
    assert "choose from" in the_sentence(paperdesk("show", held, "--agent", "boss"))
    assert "decision 99" in the_sentence(paperdesk("show", held, "--decision", "99"))
    assert "choose from 1" in the_sentence(paperdesk("show", held, "--decision", "0"))


@pytest.mark.parametrize("words", [["run", "--nonsense"], ["fly"], ["resume"], ["run", "--start", "yesterday"]])
def test_a_wrong_usage_is_explained(paperdesk: Run, words: list[str]) -> None:
    code, out, err = paperdesk(*words)
    assert code == 2
    assert out == ""
    assert "Usage: paperdesk" in err
    assert "Traceback" not in err


def test_a_market_without_enough_sessions_for_a_window_is_refused(
    paperdesk: Run, market: Callable[[list[str]], Path], out: Path
) -> None:
    day = date(2023, 1, 3)
    folder = market(bars(day, day + timedelta(days=1))[:3])
    assert "at least two" in the_sentence(paperdesk("run", "--market", folder, "--model", "scorecard", "--out", out))
    assert not out.parent.exists()
