"""The key of an index of passages: equal documents read by equal rules, and nothing else, have equal ones."""

import ast
from dataclasses import replace
from pathlib import Path

import pytest

from paperdesk.tools.market.documents import store
from paperdesk.tools.market.documents.store import store_key
from paperdesk.tools.market.records import Document
from paperdesk.tools.market.view import Market, open_market


@pytest.fixture(scope="module")
def market() -> Market:
    return open_market("generated")


@pytest.fixture(scope="module")
def documents(market: Market) -> tuple[Document, ...]:
    return market.dataset.documents


def test_the_key_knows_the_documents_and_the_rules(
    documents: tuple[Document, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    key = store_key(documents)
    assert key == store_key(list(documents))
    first = documents[0]
    for other in (
        replace(first, body=first.body + "."),
        replace(first, ticker="OTHER"),
        replace(first, published_at=first.published_at.replace(microsecond=1)),
        replace(first, id="other"),
        replace(first, source="other"),
        replace(first, headline=f"{first.headline}\n{first.body}", body=""),
    ):
        assert store_key([other, *documents[1:]]) != key
    for name, value in (("FORMAT", 99), ("VERSION", "other"), ("_code", lambda: "other")):
        with monkeypatch.context() as changed:
            changed.setattr(store, name, value)
            assert store_key(documents) != key


def test_the_key_knows_the_source_of_all_that_makes_a_table() -> None:
    """What `table_of` is made with, found by following its imports within the folder."""
    folder, found, waiting = Path(store.__file__).parent, set[str](), ["table"]
    while waiting:
        name = waiting.pop()
        if name not in found:
            found.add(name)
            tree = ast.parse((folder / f"{name}.py").read_text())
            imports = [node for node in ast.walk(tree) if isinstance(node, ast.ImportFrom) and node.level == 1]
            waiting += [node.module for node in imports if node.module]
    assert found == set(store.MAKERS)
