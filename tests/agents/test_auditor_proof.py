"""The auditor's rates on thousands of claims in prose; benchmarks/auditor.py prints the whole table."""

import pytest

from paperdesk.benchmarks import auditor
from paperdesk.benchmarks.auditor_faults import FAULTS
from paperdesk.benchmarks.auditor_wordings import HELD_OUT, SEEN, Wordings
from paperdesk.tools.market.view import open_market


def rates(wordings: Wordings, clean: int, per_kind: int, decisions: int) -> tuple[dict[str, float], float, int]:
    """Share found by kind of fault, share of clean ones refused, faulty texts."""
    rows = auditor.rows_of("", *auditor.corpus(wordings, clean, per_kind, seed=23, decisions=decisions))
    by_kind = {row["fault"]: row for row in rows}
    assert by_kind["none"]["texts"] == clean
    return {kind: by_kind[kind]["found"] for kind in FAULTS}, by_kind["none"]["refused"], by_kind["all kinds"]["texts"]


@pytest.mark.slow
@pytest.mark.parametrize(("wordings", "per_kind"), [(SEEN, 200), (HELD_OUT, 120)], ids=["seen", "held out"])
def test_faults_are_found_and_clean_claims_pass(wordings: Wordings, per_kind: int) -> None:
    found, refused, texts = rates(wordings, clean=10 * per_kind, per_kind=per_kind, decisions=per_kind // 25)
    assert texts >= 10 * per_kind * 0.95
    assert sum(found.values()) / len(found) >= 0.99
    assert min(found.values()) >= 0.97
    assert refused <= 0.01


def test_a_few_of_each_kind_on_a_generated_market(monkeypatch: pytest.MonkeyPatch) -> None:
    market = open_market("generated")
    monkeypatch.setattr(auditor, "markets", lambda: iter([market]))
    found, refused, _ = rates(SEEN, clean=150, per_kind=12, decisions=2)
    assert min(found.values()) >= 0.9
    assert refused <= 0.01
