"""Running the checks, each on a fresh stage, without pytest."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from importlib import import_module
from importlib.metadata import entry_points
from typing import Literal

from ...errors import InputError
from ..registry import extra_of
from .bench import Bench, Broken
from .checks import CHECKS
from .promise import Check
from .stage import ENTRY_POINTS, Stage

_OWN = {
    "alpaca": "paperdesk.tools.broker.stand_in.alpaca_stage:AlpacaStage",
    "binance": "paperdesk.tools.broker.stand_in.binance_stage:BinanceStage",
    "interactive-brokers": "paperdesk.tools.broker.stand_in.ib_stage:IBStage",
    "simulated": "paperdesk.tools.broker.simulated.venue:SimulatedStage",
}


@dataclass(frozen=True)
class Result:
    """What a check found."""

    check: Check
    outcome: Literal["kept", "broken", "skipped"]
    told: str = ""
    """What was not kept, or what the check needs and did not find."""


def run_checks(stage: Callable[[], Stage], checks: Iterable[Check] = CHECKS) -> list[Result]:
    """Run checks, each on a stage of its own."""
    return [run_one(stage, check) for check in checks]


def run_one(stage: Callable[[], Stage], check: Check) -> Result:
    """Run one check on a fresh stage."""
    place = stage()
    try:
        bench = Bench(place)
        try:
            missing = check.missing(place, bench.broker)
            if missing:
                return Result(check, "skipped", f"needs {', '.join(missing)}")
            check.run(bench)
        except Broken as broken:
            return Result(check, "broken", str(broken))
        except Exception as error:  # noqa: BLE001 (a broker that raises anything has broken its promise; it is told)
            return Result(check, "broken", f"{type(error).__name__}: {error}")
        finally:
            bench.broker.close()
        return Result(check, "kept")
    finally:
        place.close()


def stage_of(name: str) -> Callable[[], Stage]:
    """The stage that a package registers beside its broker.

    Raises:
        InputError: there is none under this name, or it cannot be loaded.
    """
    known = dict(_OWN)
    for point in entry_points(group=ENTRY_POINTS):
        known.setdefault(point.name, point.value)
    if name not in known:
        raise InputError(
            f"No package brings a stage for the broker {name!r}: choose from {', '.join(sorted(known))}, or register "
            f"one under {ENTRY_POINTS} (docs/brokers.md)."
        )
    module, _, attribute = known[name].partition(":")
    try:
        stage: Callable[[], Stage] = getattr(import_module(module), attribute)
    except (ImportError, AttributeError) as error:
        raise InputError(
            f"The stage of {name!r} cannot be loaded ({error}): install what it needs by pip install "
            f"'paperdesk[{extra_of(name)}]'."
        ) from error
    return stage
