"""A promise of a broker: a function whose docstring says it, with what it needs to be checked."""

from collections.abc import Callable
from dataclasses import dataclass

from ..protocol import Broker
from .bench import Bench
from .stage import LiveStage, Stage


@dataclass(frozen=True)
class Check:
    """One promise."""

    name: str
    topic: str
    about: str
    run: Callable[[Bench], None]
    needs: frozenset[str]
    """Faults, and of the broker `replaces`, `limit`, `fractional`, `streams`; of the stage `partial`, and `live` where
    it is a `LiveStage`."""

    def missing(self, stage: Stage, broker: Broker) -> list[str]:
        """What it needs and does not find here."""
        able = broker.capabilities
        found: set[str] = set(stage.faults)
        found |= {"partial"} if stage.partial else set()
        found |= {"live"} if isinstance(stage, LiveStage) else set()
        found |= {"replaces"} if able.replaces else set()
        found |= {"limit"} if "limit" in able.order_types else set()
        found |= {"fractional"} if able.fractional else set()
        found |= {"streams"} if able.streams else set()
        return sorted(self.needs - found)


def registering(found: list[Check]) -> Callable[..., Callable[[Callable[[Bench], None]], Callable[[Bench], None]]]:
    """Makes a decorator `@check(topic, *needs)` that adds a function to a list of checks."""

    def check(topic: str, *needs: str) -> Callable[[Callable[[Bench], None]], Callable[[Bench], None]]:
        def register(function: Callable[[Bench], None]) -> Callable[[Bench], None]:
            about = " ".join((function.__doc__ or "").split())
            found.append(Check(function.__name__, topic, about, function, frozenset(needs)))
            return function

        return register

    return check
