"""The toy broker keeps what every broker must keep: `pytest tests`."""

from paperdesk_toy_broker.stage import ToyStage

from paperdesk.tools.broker.conformance.suite import BrokerConformance


class TestToy(BrokerConformance):
    """All checks of the kit."""

    stage = staticmethod(ToyStage)
