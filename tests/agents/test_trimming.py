"""Evidence that does not fit the context is left out by rank, and everyone is told."""

from collections.abc import Iterator
from datetime import UTC, datetime

import pytest

from paperdesk.agents.analyst import Brief, analyse, reorderings
from paperdesk.agents.auditor import Case, audit_signals
from paperdesk.agents.models.core import Reply, Request
from paperdesk.agents.models.llama_cpp import LlamaCpp
from paperdesk.agents.models.open import bundled_model
from paperdesk.agents.roles import read_role
from paperdesk.tools.evidence import Evidence

AS_OF = datetime(2024, 3, 28, 20, tzinfo=UTC)


def evidence(measure: str, value: float | None = None, text: str | None = None) -> Evidence:
    return Evidence.of(
        id=f"AURX/{measure}/2024",
        kind="passage" if text else "ratio",
        measure=measure,
        ticker="AURX",
        as_of=AS_OF,
        available_at=AS_OF,
        period="to 2024-03-28",
        value=value,
        text=text,
        source="filing",
    )


FUNDAMENTAL_ANALYST = read_role("fundamental_analyst", {})
GROWTH, DEBT = evidence("revenue_growth_yoy", 0.21), evidence("liabilities_to_assets", 0.4)
LONG = evidence("passage", text="The company expects steady demand in all of its regions. " * 60)


class Recorder:
    """A small model with a record of what it was asked."""

    key = "small"

    def __init__(self, n_ctx: int) -> None:
        self._mind = LlamaCpp(bundled_model(), n_ctx=n_ctx)
        self.asked: list[Request] = []
        self.replies: list[Reply] = []

    def answer(self, request: Request) -> Reply:
        self.asked.append(request)
        self.replies.append(self._mind.answer(request))
        return self.replies[-1]

    def close(self) -> None:
        self._mind.close()


@pytest.fixture(scope="module")
def mind() -> Iterator[Recorder]:
    recorder = Recorder(512)
    yield recorder
    recorder.close()


def test_the_least_important_evidence_goes_and_the_signal_and_the_audit_say_so(mind: Recorder) -> None:
    briefs = [Brief("AURX", "Aurex", (GROWTH, DEBT, LONG)), Brief("ZEPL", "Zepl", (GROWTH, DEBT))]
    long, short = analyse(FUNDAMENTAL_ANALYST, briefs, mind=mind, as_of=AS_OF, regime="calm", seed=0, repeats=1)
    assert (long.abstained, short.abstained) == (False, False)
    assert long.left_out == (LONG.id,)
    assert short.left_out == ()
    assert {claim.evidence for claim in long.claims} <= {GROWTH.id, DEBT.id}
    _, second = mind.asked
    failure = mind.replies[0].answers[0].failure
    assert failure is not None
    assert failure.kind == "context"
    assert failure.excess_tokens > 0
    assert [q.ticker for q in second.questions] == ["AURX"]  # the other one is not asked twice
    assert second.questions[0].evidence == (GROWTH, DEBT)
    (report,) = audit_signals([long], Case({e.id: e for e in (GROWTH, DEBT, LONG)}), mind=mind, max_rounds=1, seed=0)
    assert any(f.rule == "nothing_left_out" and LONG.id in f.message for f in report.findings)


def test_what_cannot_be_shortened_is_an_abstention_with_its_reason(mind: Recorder) -> None:
    huge = Brief("AURX", "Aurex " * 400, (GROWTH, DEBT))
    (signal,) = analyse(FUNDAMENTAL_ANALYST, [huge], mind=mind, as_of=AS_OF, regime="calm", seed=0)
    assert signal.abstained
    assert "the context holds 512" in signal.reason


def test_an_unknown_excess_takes_one_piece_at_a_time() -> None:
    brief = Brief("AURX", "Aurex", (GROWTH, DEBT, LONG))
    once = brief.shortened(0)
    assert once is not None
    assert (once.evidence, once.left_out) == ((GROWTH, DEBT), (LONG,))
    twice = once.shortened(0)
    assert twice is not None
    assert (twice.evidence, twice.left_out) == ((GROWTH,), (DEBT, LONG))
    assert twice.shortened(0) is None


def test_the_reverse_is_the_first_other_order_and_all_are_reproducible() -> None:
    given = (GROWTH, DEBT, LONG)
    assert reorderings(given, 0, 3) == ()
    assert reorderings(given, 1, 3) == ((LONG, DEBT, GROWTH),)
    assert reorderings(given, 4, 3) == reorderings(given, 4, 3)
    assert all(sorted(e.id for e in order) == sorted(e.id for e in given) for order in reorderings(given, 4, 3))
    assert reorderings((GROWTH,), 2, 3) == ()
