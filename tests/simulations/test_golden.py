"""Golden sessions: a change of any figure must be meant, and explained in the commit that changes it.

The scorecard sessions do not depend on a processor's floating point beyond the last digits, so their statistics are
compared to six digits and their order lists by hash.
"""

import json
from pathlib import Path
from typing import Any

import pytest

from .conftest import Finished

pytestmark = pytest.mark.slow

GOLDEN: dict[str, dict[str, Any]] = json.loads((Path(__file__).parent / "golden.json").read_text())


def statistics(session: Finished) -> dict[str, Any]:
    desk = session.outcome.metrics["rows"][0]
    return {
        "orders": len(session.of("order_submitted")),
        "orders_hash": session.orders_hash(),
        "fills": desk["fills"],
        "decisions": len(session.of("decision_opened")),
        "audits": {
            verdict: sum(e.verdict == verdict for e in session.of("audit_issued"))
            for verdict in ("pass", "revise", "reject")
        },
        "total_return": desk["total_return"],
        "sharpe": desk["sharpe"],
        "max_drawdown": desk["max_drawdown"],
        "turnover": desk["turnover"],
        "costs": desk["costs"],
    }


@pytest.mark.parametrize("name", sorted(GOLDEN))
def test_a_golden_session_is_as_it_was(name: str, request: pytest.FixtureRequest) -> None:
    found, golden = statistics(request.getfixturevalue(name)), GOLDEN[name]
    assert found.pop("audits") == golden["audits"]
    assert found.pop("orders_hash") == golden["orders_hash"]
    assert found == pytest.approx({key: golden[key] for key in found}, rel=1e-6)
