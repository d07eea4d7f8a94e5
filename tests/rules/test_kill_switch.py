"""The kill switch: its file's existence stops, and so does any doubt about it."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from paperdesk.tools.rules import RuleError

Build = Callable[..., Any]
EXIT = {"ticker": "AURX", "side": "sell", "reference_price": 100.0, "reduces": True}


def verdicts(engine: Any, order: Build, context: Build) -> tuple[str, str]:
    """Of an entry and of an exit."""
    return engine.judge(order(), context()).verdict, engine.judge(order(**EXIT), context()).verdict


def test_no_file_no_stop(tmp_path: Path, engine: Build, order: Build, context: Build) -> None:
    assert verdicts(engine(kill_switch=tmp_path / "stop"), order, context) == ("approve", "approve")


@pytest.mark.parametrize("content", [b"", b"stop", b"reduce", b"\xff\xfe\x00"])
def test_the_mere_existence_of_the_file_stops_everything(
    content: bytes, tmp_path: Path, engine: Build, order: Build, context: Build
) -> None:
    (tmp_path / "stop").write_bytes(content)
    assert verdicts(engine(kill_switch=tmp_path / "stop"), order, context) == ("veto", "veto")


def test_reduce_only_lets_exits_pass(tmp_path: Path, engine: Build, order: Build, context: Build) -> None:
    (tmp_path / "stop").write_text("reduce-only\n")
    assert verdicts(engine(kill_switch=tmp_path / "stop"), order, context) == ("veto", "approve")


def test_a_folder_a_dangling_link_or_a_missing_parent_stops(
    tmp_path: Path, engine: Build, order: Build, context: Build
) -> None:
    (tmp_path / "link").symlink_to(tmp_path / "nowhere")
    for place in (tmp_path, tmp_path / "link", tmp_path / "gone" / "stop", Path("a\0b")):
        assert verdicts(engine(kill_switch=place), order, context) == ("veto", "veto")


def test_a_switch_set_after_the_approval_still_stops_the_submission(
    tmp_path: Path, engine: Build, order: Build, context: Build
) -> None:
    desk, here = engine(kill_switch=tmp_path / "stop"), context()
    report = desk.judge(order(), here)
    (tmp_path / "stop").touch()
    with pytest.raises(RuleError, match="kill switch"):
        desk.authorise(report.order, report.token, state_version=here.portfolio.version(), now=here.now)
