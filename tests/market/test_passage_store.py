"""The passages on disk: one process at a time, whatever kills it, whatever damages the folder, the same passages."""

import json
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from paperdesk.tools.market.documents import index, index_folder, store
from paperdesk.tools.market.documents.index import PassageIndex
from paperdesk.tools.market.documents.index_folder import MARKER
from paperdesk.tools.market.documents.search import index_of, index_state, rebuild_index, search_many
from paperdesk.tools.market.documents.store import PassageStore, StoreBusyError, store_key
from paperdesk.tools.market.documents.table import Table
from paperdesk.tools.market.records import Document
from paperdesk.tools.market.view import Market, open_market

CHILD = Path(__file__).with_name("index_child.py")
MOMENTS = ("empty folder", "first insert", "last insert", "before the marker", "within the marker", "searching")


@pytest.fixture(scope="module")
def market() -> Market:
    return open_market("generated")


@pytest.fixture(scope="module")
def documents(market: Market) -> tuple[Document, ...]:
    return market.dataset.documents


@pytest.fixture(scope="module")
def truth(documents: tuple[Document, ...]) -> dict[str, str]:
    """The digest of each company's passages, computed in memory."""
    return digests(PassageIndex(documents), documents)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "passages" / "index"


@pytest.fixture
def kept(folder: Path, documents: tuple[Document, ...]) -> Path:
    """A complete index that nobody has open."""
    PassageIndex(documents, folder).close()
    return folder


def digests(index: PassageIndex, documents: tuple[Document, ...]) -> dict[str, str]:
    tickers = sorted({row.ticker for row in documents})
    return {ticker: table.digest() for ticker, table in zip(tickers, index.tables(tickers), strict=True)}


@pytest.fixture
def no_building(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(documents: object) -> Table:
        raise AssertionError("an index that was complete is computed again")

    monkeypatch.setattr(index, "table_of", refuse)


def test_what_is_read_from_disk_is_what_memory_holds_to_the_bit(
    kept: Path, documents: tuple[Document, ...], truth: dict[str, str], no_building: None
) -> None:
    index = PassageIndex(documents, kept)
    assert index.store is not None
    assert digests(index, documents) == truth
    index.close()


def test_chroma_filters_by_company_and_time_as_the_arrays_do(kept: Path, documents: tuple[Document, ...]) -> None:
    memory = PassageIndex(documents)
    client = store._client(next(kept.glob("chroma-*")))
    collection = client.get_collection("passages", embedding_function=None)
    tickers = sorted({row.ticker for row in documents})
    times = sorted({row.published for table in memory.tables(tickers) for row in table.rows})
    moments = st.sampled_from(times).flatmap(lambda time: st.integers(time - 1, time + 1))

    @given(st.lists(st.sampled_from(tickers), min_size=1, unique=True), moments, moments)
    @settings(max_examples=60)
    def equal(chosen: list[str], since: int, until: int) -> None:
        where = {"$and": [{"ticker": {"$in": chosen}}, {"published": {"$gte": since}}, {"published": {"$lte": until}}]}
        own = {row.id for table in memory.tables(chosen) for row in table.rows[table.between(since, until)]}
        assert set(collection.get(where=where, include=[])["ids"]) == own

    equal()
    client.close()


def test_everything_a_reader_needs_stands_in_chroma(kept: Path, documents: tuple[Document, ...]) -> None:
    client = store._client(next(kept.glob("chroma-*")))
    got = client.get_collection("passages", embedding_function=None).get(limit=20, include=["metadatas"])
    texts = {row.id: row for row in documents}
    assert got["metadatas"]
    for name, at in zip(got["ids"], got["metadatas"], strict=True):
        document = texts[str(at["document"])]
        start, end = at["start"], at["end"]
        assert isinstance(start, int)
        assert isinstance(end, int)
        assert 0 <= start < end <= len(document.text)
        assert name == f"{document.id}:{start:08d}"
        assert at["ticker"] == document.ticker
        assert isinstance(at["published"], int)
        assert 0 <= at["published"] - document.published_at.timestamp() < 1
    client.close()


def start(written: Path, folder: Path, moment: str) -> subprocess.Popen[str]:
    command = [sys.executable, str(CHILD), str(written), str(folder), moment]
    return subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)


@pytest.fixture(scope="module")
def written(documents: tuple[Document, ...], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The documents for other processes."""
    path = tmp_path_factory.mktemp("documents") / "documents.json"
    rows = [{**vars(row), "published_at": row.published_at.isoformat()} for row in documents]
    path.write_text(json.dumps(rows), encoding="utf-8")
    return path


@pytest.fixture
def holder(written: Path, folder: Path) -> Iterator[subprocess.Popen[str]]:
    """Another process that has the index open."""
    with start(written, folder, "hold") as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "open\n"
        yield process
        process.kill()


@pytest.mark.slow
def test_a_second_process_works_in_memory_with_the_same_results(
    holder: subprocess.Popen[str],
    folder: Path,
    documents: tuple[Document, ...],
    truth: dict[str, str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    second = PassageIndex(documents, folder)
    assert second.store is None
    assert second.why_memory == "another process has the folder open"
    assert digests(second, documents) == truth
    with pytest.raises(StoreBusyError, match="let it end first"):
        PassageStore(folder, dict)
    os.kill(holder.pid, signal.SIGKILL)
    holder.wait()
    monkeypatch.setattr(index, "_all_tables", lambda rows: pytest.fail("a complete index was built again"))
    third = PassageIndex(documents, folder)
    assert third.store is not None
    assert digests(third, documents) == truth
    third.close()


@pytest.mark.slow
@pytest.mark.parametrize("moment", MOMENTS)
def test_a_process_killed_at_any_moment_leaves_the_same_results(
    moment: str, written: Path, folder: Path, documents: tuple[Document, ...], truth: dict[str, str]
) -> None:
    with start(written, folder, moment) as process:
        assert process.wait(timeout=120) == -signal.SIGKILL
    assert (folder / MARKER).exists() == (moment == "searching")
    index = PassageIndex(documents, folder)
    assert index.store is not None
    assert digests(index, documents) == truth
    index.close()


def cut(name: str, share: float) -> Callable[[Path], None]:
    def damage(folder: Path) -> None:
        path = next(folder.rglob(name))
        os.truncate(path, int(path.stat().st_size * share))

    return damage


def garble(name: str, count: int) -> Callable[[Path], None]:
    def damage(folder: Path) -> None:
        path = next(folder.rglob(name))
        content = np.frombuffer(path.read_bytes(), dtype=np.uint8).copy()
        where = np.random.default_rng(5).integers(0, len(content), count)
        content[where] ^= 0x5A
        path.write_bytes(content.tobytes())

    return damage


def remove(name: str) -> Callable[[Path], None]:
    return lambda folder: next(folder.rglob(name)).unlink()


def write(name: str, content: str) -> Callable[[Path], None]:
    def damage(folder: Path) -> None:
        next(folder.rglob(name)).write_text(content)

    return damage


DAMAGES = {
    "database emptied": cut("chroma.sqlite3", 0),
    "database cut": cut("chroma.sqlite3", 0.5),
    "database garbled": garble("chroma.sqlite3", 2000),
    "database gone": remove("chroma.sqlite3"),
    "database replaced": write("chroma.sqlite3", "no database " * 1000),
    "vectors cut": cut("data_level0.bin", 0.5),
    "vectors garbled": garble("data_level0.bin", 20),
    "vectors gone": remove("data_level0.bin"),
    # chroma itself dies of this one with a segmentation fault
    "header cut": cut("header.bin", 0.5),
    "numbering garbled": garble("index_metadata.pickle", 50),
    "marker cut": cut(MARKER, 0.5),
    "marker of another kind": write(MARKER, "[1, 2]"),
    "marker of another folder": write(MARKER, '{"contents": "chroma-x", "files": {}, "tables": {}}'),
}


@pytest.mark.parametrize("damage", DAMAGES.values(), ids=DAMAGES.keys())
def test_a_damaged_folder_is_built_again(
    damage: Callable[[Path], None], kept: Path, documents: tuple[Document, ...], truth: dict[str, str]
) -> None:
    damage(kept)
    index = PassageIndex(documents, kept)
    assert digests(index, documents) == truth
    assert index.store is not None
    index.close()
    again = PassageIndex(documents, kept)
    assert digests(again, documents) == truth
    again.close()


def test_a_changed_passage_in_an_intact_database_is_noticed(
    kept: Path, documents: tuple[Document, ...], truth: dict[str, str], caplog: pytest.LogCaptureFixture
) -> None:
    client = store._client(next(kept.glob("chroma-*")))
    collection = client.get_collection("passages", embedding_function=None)
    first = collection.get(limit=1, include=["metadatas"])
    assert first["metadatas"]
    collection.update(ids=first["ids"], metadatas=[{**first["metadatas"][0], "published": 0}])
    client.close()
    index = PassageIndex(documents, kept)
    assert digests(index, documents) == truth
    assert "have changed) and are built again" in caplog.text
    index.close()


def test_a_cache_that_cannot_be_written_means_memory_and_one_warning(
    tmp_path: Path, documents: tuple[Document, ...], truth: dict[str, str], caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "file").write_text("in the way")
    index = PassageIndex(documents, tmp_path / "file" / "passages" / "index")
    assert index.store is None
    assert "XDG_CACHE_HOME" in index.why_memory
    assert [record.levelname for record in caplog.records] == ["WARNING"]
    assert digests(index, documents) == truth


def test_only_the_last_used_indexes_stay_and_none_that_is_open(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(index_folder, "KEPT", 2)
    tables: dict[str, Table] = {}
    first = PassageStore(tmp_path / "a", lambda: tables)
    for age, name in enumerate("bcd"):
        PassageStore(tmp_path / name, lambda: tables).close()
        os.utime(tmp_path / name / MARKER, (1000 + age, 1000 + age))
    os.utime(tmp_path / "a" / MARKER, (1, 1))
    PassageStore(tmp_path / "e", lambda: tables).close()
    assert sorted(path.name for path in tmp_path.iterdir() if path.is_dir()) == ["a", "d", "e"]
    assert not (tmp_path / "b.lock").exists()
    first.close()


def test_an_old_index_that_cannot_be_removed_keeps_nobody_from_the_new_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(index_folder, "KEPT", 1)
    tables: dict[str, Table] = {}
    PassageStore(tmp_path / "old", lambda: tables).close()
    removed = shutil.rmtree

    def refused(path: Path) -> None:
        if path == tmp_path / "old":
            raise PermissionError(13, "Permission denied")
        removed(path)

    monkeypatch.setattr(shutil, "rmtree", refused)
    PassageStore(tmp_path / "new", lambda: tables).close()
    assert "cannot be removed (Permission denied)" in caplog.text
    monkeypatch.undo()
    held = index_folder.lock(tmp_path / "old")
    assert held is not None
    os.close(held)


def test_a_lock_file_that_was_removed_guards_nothing(tmp_path: Path) -> None:
    held = index_folder.lock(tmp_path / "a")
    assert held is not None
    assert index_folder.lock(tmp_path / "a") is None
    (tmp_path / "a.lock").unlink()
    second = index_folder.lock(tmp_path / "a")
    assert second is not None
    assert index_folder.lock(tmp_path / "a") is None
    os.close(held)
    os.close(second)
    third = index_folder.lock(tmp_path / "a")
    assert third is not None
    os.close(third)


def test_the_folder_is_the_user_s_cache_and_can_be_turned_off(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv("PAPERDESK_CACHE", raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert index_folder.passages_folder() == tmp_path / "paperdesk" / "passages"
    monkeypatch.delenv("XDG_CACHE_HOME")
    monkeypatch.setenv("HOME", "/home/somebody")
    assert index_folder.passages_folder() == Path("/home/somebody/.cache/paperdesk/passages")
    monkeypatch.setenv("PAPERDESK_CACHE", "off")
    assert index_folder.passages_folder() is None


def test_a_market_s_index_is_found_again_shared_and_rebuilt(
    market: Market, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.delenv("PAPERDESK_CACHE", raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    own, equal = Market(market.dataset), Market(market.dataset)
    state = index_state(own)
    assert state.folder == tmp_path / "paperdesk" / "passages" / store_key(market.dataset.documents)
    assert (state.why_memory, state.documents) == ("", len(market.dataset.documents))
    assert state.passages > 200
    assert index_of(equal) is index_of(own)
    view = own.view(own.calendar.close_of(own.dataset.bars.sessions[400]))
    before = search_many(view, own.tickers, "outlook")
    built = list(state.folder.glob("chroma-*"))
    assert rebuild_index(own) == state
    assert list(state.folder.glob("chroma-*")) != built
    assert search_many(view, own.tickers, "outlook") == before
    index_of(own).close()
    with pytest.raises(StoreBusyError, match="it was closed"):
        rebuild_index(own)


def test_an_index_nobody_uses_gives_its_lock_back(folder: Path, documents: tuple[Document, ...]) -> None:
    index = PassageIndex(documents, folder)
    index.tables(["VYDN"])
    del index
    again = PassageIndex(documents, folder)
    assert again.store is not None
    again.close()


def test_a_fork_does_not_use_what_its_parent_has_open(
    kept: Path, documents: tuple[Document, ...], truth: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    index = PassageIndex(documents, kept)
    index.tables(["VYDN"])
    with monkeypatch.context() as fork:
        fork.setattr(os, "getpid", lambda: -1)
        assert digests(index, documents) == truth
        assert "not open in this process" in index.why_memory
