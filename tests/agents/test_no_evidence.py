"""An analyst that needs no kind of evidence still says nothing without any."""

from datetime import UTC, datetime

from paperdesk.agents.analyst import Brief, analyse
from paperdesk.agents.models.core import Reply, Request
from paperdesk.agents.roles import read_role


class Unasked:
    """A mind that must not be asked."""

    key = "unasked"

    def answer(self, request: Request) -> Reply:
        raise AssertionError("asked about nothing")


def test_without_any_evidence_it_abstains_and_says_why() -> None:
    role = read_role("easy", {"easy": '+++\ntitle = "Easy"\nlike = "news_analyst"\nneeds = ""\n+++\n'})
    briefs = [Brief("AURX", "Aurex", (), missing="no recent release"), Brief("BLTN", "Boltan", ())]
    as_of = datetime(2031, 3, 28, 20, tzinfo=UTC)
    signals = analyse(role, briefs, mind=Unasked(), as_of=as_of, regime="calm", seed=0)
    assert [(signal.abstained, signal.reason) for signal in signals] == [
        (True, "no recent release"),
        (True, "no evidence"),
    ]
