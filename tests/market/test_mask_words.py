"""Which words are ordinary: an installed dictionary, less the names in it, and words of our own."""

import sys
import tomllib
from importlib.machinery import ModuleSpec
from pathlib import Path
from time import process_time

import pytest

from paperdesk.tools.errors import InputError
from paperdesk.tools.market.mask import dictionary, words
from paperdesk.tools.market.mask.words import is_given, is_kept, is_ordinary

LISTS = Path(words.__file__).with_name("vocabulary.toml")


@pytest.fixture(scope="module")
def lists() -> dict[str, list[str]]:
    return {name: text.split() for name, text in tomllib.loads(LISTS.read_text(encoding="utf-8")).items()}


@pytest.mark.parametrize(
    "word",
    [
        "revenue", "deleveraging", "cybersecurity", "datacenters", "noninterest", "headwinds", "united", "airlines",
        "bill", "target", "square", "chase", "best", "hasn", "repurchasing", "meanwhile", "max", "monetizing",
    ],
)  # fmt: skip
def test_words_of_business_are_ordinary(word: str) -> None:
    assert is_ordinary(word)


@pytest.mark.parametrize(
    "word",
    [
        "nvidia", "toyota", "oracle", "citigroup", "california", "detroit", "robbins", "brooks", "huang", "microsoft",
        "july", "turner", "jennifer", "boeing", "zymurgy", "qxkv", "a",
    ],
)  # fmt: skip
def test_names_and_strange_words_are_not(word: str) -> None:
    assert not is_ordinary(word)


def test_a_vocabulary_with_capitals_tells_names_from_frequent_words() -> None:
    frequent, names = dictionary.frequent_words(), dictionary.capitalised_words()
    assert 33_000 < len(frequent) < 35_000
    assert {"microsoft", "california", "george", "paris", "october"} <= frequent & names
    assert {"market", "growth", "loss"} <= frequent - names
    assert all(word == word.lower() and len(word) > 1 for word in frequent)


def test_our_own_lists_do_not_contradict_each_other(lists: dict[str, list[str]]) -> None:
    names, ordinary = lists["names"], lists["ordinary"]
    assert names == sorted(set(names))
    assert ordinary == sorted(set(ordinary))
    assert not set(names) & set(ordinary)
    assert not [word for word in names if is_ordinary(word)]
    assert not [word for word in ordinary if not is_ordinary(word)]
    assert all(is_given(word) for word in lists["given"])
    assert all(is_kept(word) for word in lists["kept"])


def test_nothing_of_the_package_is_imported_and_its_words_are_read_quickly() -> None:
    spent = []
    for _ in range(3):
        began = process_time()
        dictionary.frequent_words.__wrapped__()
        dictionary.capitalised_words.__wrapped__()
        spent.append(process_time() - began)
    assert min(spent) < 0.3
    assert "symspellpy" not in sys.modules


def test_a_dictionary_that_is_missing_is_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    empty = ModuleSpec("symspellpy", None, is_package=True)
    empty.submodule_search_locations = [str(tmp_path)]
    for spec in (None, empty):
        monkeypatch.setattr(dictionary, "find_spec", lambda name, spec=spec: spec)
        for read in (dictionary.frequent_words, dictionary.digest):
            with pytest.raises(InputError, match=r"frequency_dictionary_en_82_765\.txt of symspellpy; install"):
                read.__wrapped__()
