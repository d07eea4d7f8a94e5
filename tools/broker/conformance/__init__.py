"""The conformance kit: what every broker must keep, as checks for the command line and as a pytest class.

A broker is checked on a `Stage`: a venue that can be told to trade and to fail. `suite.BrokerConformance` is the pytest
class; `run.run_checks` runs the same checks without pytest, as `paperdesk brokers check` does.
"""

from .checks import CHECKS
from .promise import Check
from .run import Result, run_checks
from .stage import Stage

__all__ = ["CHECKS", "Check", "Result", "Stage", "run_checks"]
