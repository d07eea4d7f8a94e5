"""A masked market is made once, and never taken for another one."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from paperdesk.tools.errors import InputError
from paperdesk.tools.market.generated import generate
from paperdesk.tools.market.mask import Masked, kept, mask, mask_or_load
from paperdesk.tools.market.mask.key import What
from paperdesk.tools.market.records import Dataset

WHAT: frozenset[What] = frozenset({"names", "dates", "levels"})


@pytest.fixture(scope="module")
def market() -> Dataset:
    return generate(7)


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A cache of one's own."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.delenv("PAPERDESK_CACHE", raising=False)
    return tmp_path / "paperdesk"


@pytest.fixture
def made(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The seeds of the masks that were made rather than read."""
    seeds: list[int] = []

    def counted(dataset: Dataset, what: frozenset[What], seed: int) -> Masked:
        seeds.append(seed)
        return mask(dataset, what, seed)

    monkeypatch.setattr(kept, "mask", counted)
    return seeds


def test_the_second_time_the_same_mask_is_read(home: Path, market: Dataset, made: list[int]) -> None:
    first, second = mask_or_load(market, WHAT, 3), mask_or_load(market, WHAT, 3)
    assert made == [3]
    assert second.key == first.key
    assert second.original is market
    for name in ("name", "note", "generated", "calendar", "companies", "documents", "benchmark", "window"):
        assert getattr(second.dataset, name) == getattr(first.dataset, name)
    assert second.dataset.fingerprint == first.dataset.fingerprint
    assert second.dataset.facts.equals(first.dataset.facts)
    assert second.dataset.series.equals(first.dataset.series)
    assert (second.dataset.bars.sessions, second.dataset.bars.tickers) == (
        first.dataset.bars.sessions,
        first.dataset.bars.tickers,
    )
    for name in ("open", "high", "low", "close", "volume", "dividend", "split"):
        assert np.array_equal(getattr(second.dataset.bars, name), getattr(first.dataset.bars, name), equal_nan=True)


def test_whatever_a_mask_depends_on_makes_another_one(
    home: Path, market: Dataset, made: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    few = replace(market, documents=())
    mask_or_load(few, WHAT, 0)
    mask_or_load(few, WHAT, 1)
    mask_or_load(few, frozenset({"names"}), 2)
    mask_or_load(replace(few, fingerprint="another"), WHAT, 0)
    mask_or_load(replace(few, generated=False), WHAT, 0)
    monkeypatch.setattr(kept, "digest", lambda: "another dictionary")
    mask_or_load(few, WHAT, 0)
    monkeypatch.setattr(kept, "_code", lambda: "another release")
    mask_or_load(few, WHAT, 0)
    assert made == [0, 1, 2, 0, 0, 0, 0]
    mask_or_load(few, WHAT, 0)
    assert made == [0, 1, 2, 0, 0, 0, 0]


@pytest.mark.parametrize("kind", ["masks", "markets"])
def test_a_damaged_entry_is_made_again(home: Path, market: Dataset, made: list[int], kind: str) -> None:
    few = replace(market, documents=())
    first = mask_or_load(few, WHAT, 0)
    (entry,) = (home / kind).iterdir()
    entry.write_bytes(entry.read_bytes()[:-1] + b"?")
    assert mask_or_load(few, WHAT, 0).dataset.fingerprint == first.dataset.fingerprint
    assert made == [0, 0]


def test_without_a_cache_nothing_is_kept(
    home: Path, market: Dataset, made: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PAPERDESK_CACHE", "off")
    few = replace(market, documents=())
    assert mask_or_load(few, WHAT, 0).key == mask_or_load(few, WHAT, 0).key
    assert made == [0, 0]
    assert not home.exists()


def test_a_mask_that_is_refused_is_not_kept(home: Path, market: Dataset) -> None:
    with pytest.raises(InputError, match="name names, dates, levels"):
        mask_or_load(market, frozenset(), 0)
    assert not home.exists()
