"""The kit as a pytest class: subclass it, give it your stage, and every check is a test.

from paperdesk.tools.broker.conformance.suite import BrokerConformance

class TestMine(BrokerConformance):
stage = staticmethod(MyStage)
"""

import pytest

from .checks import CHECKS
from .promise import Check
from .run import run_one
from .stage import Stage


class BrokerConformance:
    """Every check as a test; what the broker or the stage cannot do is skipped with its reason."""

    @staticmethod
    def stage() -> Stage:
        """Makes a fresh stage."""
        raise NotImplementedError

    @pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.name)
    def test_keeps(self, check: Check) -> None:
        """One promise of a broker."""
        result = run_one(self.stage, check)
        if result.outcome == "skipped":
            pytest.skip(result.told)
        assert result.outcome == "kept", result.told
