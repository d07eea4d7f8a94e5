"""The conformance kit: our own brokers pass it, one of a third party passes it, and broken ones do not."""

import json
import shutil
import subprocess
import sys
from collections.abc import Callable
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Any, cast

import pytest

from paperdesk.tools.broker import Accepted, Broker, Execution, OrderIntent, Rejected, Submission, Unknown
from paperdesk.tools.broker.conformance import CHECKS, Check, run_checks
from paperdesk.tools.broker.conformance.run import run_one, stage_of
from paperdesk.tools.broker.conformance.suite import BrokerConformance
from paperdesk.tools.broker.registry import list_brokers
from paperdesk.tools.broker.simulated.venue import SimulatedStage
from paperdesk.tools.broker.stand_in.alpaca_stage import AlpacaStage
from paperdesk.tools.broker.stand_in.binance_stage import BinanceStage
from paperdesk.tools.broker.stand_in.faults import FAULTS
from paperdesk.tools.broker.stand_in.ib_stage import IBStage
from paperdesk.tools.broker.stand_in.stage import ServedStage
from paperdesk.tools.errors import BrokerError, InputError

TEMPLATE = Path(__file__).parents[2] / "examples/broker_template"


class TestAlpaca(BrokerConformance):
    stage = staticmethod(AlpacaStage)


class TestBinance(BrokerConformance):
    stage = staticmethod(BinanceStage)


class TestInteractiveBrokers(BrokerConformance):
    stage = staticmethod(IBStage)


class TestSimulated(BrokerConformance):
    stage = staticmethod(SimulatedStage)


def named(name: str) -> Check:
    return next(check for check in CHECKS if check.name == name)


class Changed:
    """An adapter with another answer to something, or with other methods."""

    def __init__(self, inner: Broker, **others: Any) -> None:
        self._inner, self._others = inner, others

    def __getattr__(self, name: str) -> Any:
        return self._others[name] if name in self._others else getattr(self._inner, name)


@pytest.mark.parametrize("wrong", [{"paper": True}, {"account": ""}, {"account": "another"}])
def test_the_kit_finds_an_adapter_that_does_not_say_whose_money_it_is(wrong: dict[str, Any]) -> None:
    class Stage(AlpacaStage):
        def open_live(self, live: bool, named: str) -> Broker:
            broker = super().open_live(live, named)
            return cast(Broker, Changed(broker, capabilities=broker.capabilities.model_copy(update=wrong)))

    assert run_one(Stage, named("real_money_needs_both_switches")).outcome == "broken"


def test_the_kit_finds_an_adapter_that_does_not_ask_for_both_switches() -> None:
    class Stage(AlpacaStage):
        def open_live(self, live: bool, named: str) -> Broker:
            return super().open_live(True, self.live_number)

    told = run_one(Stage, named("real_money_needs_both_switches")).told
    assert told == "it was opened with live=False and the number ''"


def test_the_stage_of_a_silent_stream_is_silent() -> None:
    class Stage(AlpacaStage):
        """Loses no event, whatever is planned."""

        def __init__(self) -> None:
            super().__init__()
            self.injector.plan = lambda *plan, **times: None  # type: ignore[method-assign]

    assert "was not silent" in run_one(Stage, named("nothing_is_concluded_from_a_silent_stream")).told


@pytest.mark.parametrize("kind", [BinanceStage, IBStage])
def test_the_kit_finds_an_adapter_that_does_not_say_what_an_execution_cost(kind: type[ServedStage]) -> None:
    class Stage(kind):  # type: ignore[misc, valid-type]
        def open(self) -> Broker:
            inner = super().open()

            def for_nothing(since: datetime) -> list[Execution]:
                return [made.model_copy(update={"commission": 0.0}) for made in inner.fills(since)]

            return cast(Broker, Changed(inner, fills=for_nothing))

    assert "paid was" in run_one(Stage, named("a_purchase_fills_once")).told


def test_every_fault_is_met_by_a_check():
    needed = set().union(*(check.needs for check in CHECKS))
    assert set(FAULTS) <= needed
    assert len({check.name for check in CHECKS}) == len(CHECKS) >= 30
    assert not [check.name for check in CHECKS if not check.about]


def test_our_own_brokers_are_found_by_name():
    assert {"alpaca", "binance", "interactive-brokers", "simulated"} <= {row.name for row in list_brokers()}
    with pytest.raises(InputError, match="No package brings a stage"):
        stage_of("nobody")


def broken(**changes: Callable[..., Any]) -> Callable[[], AlpacaStage]:
    """Stages on which the adapter has another method, given the adapter and what it was asked."""

    class Stage(AlpacaStage):
        def open(self) -> Broker:
            inner = super().open()
            return cast(Broker, Changed(inner, **{name: partial(change, inner) for name, change in changes.items()}))

    return Stage


def other_id(inner: Broker, order: OrderIntent) -> Submission:
    """An adapter that makes up an id for every submission."""
    other_id.made += 1  # type: ignore[attr-defined]
    inner.submit(order.model_copy(update={"client_order_id": f"x{other_id.made}"}))  # type: ignore[attr-defined]
    return Accepted(client_order_id=order.client_order_id)


other_id.made = 0  # type: ignore[attr-defined]


def guess(inner: Broker, order: OrderIntent) -> Submission:
    """An adapter that takes silence for a refusal."""
    answer = inner.submit(order)
    if isinstance(answer, Unknown):
        return Rejected(client_order_id=order.client_order_id, reason="no answer")
    return answer


def or_else(value: Any, method: str) -> Callable[..., Any]:
    """An adapter that answers with a default where the venue does not answer."""

    def ask(inner: Broker, *given: Any) -> Any:
        try:
            return getattr(inner, method)(*given)
        except BrokerError:
            return value

    return ask


FAULTY: dict[str, dict[str, Callable[..., Any]]] = {
    "the_same_order_twice_is_one_order": {"submit": other_id},
    "an_order_whose_answer_is_lost_is_not_sent_twice": {"submit": guess},
    "a_failed_snapshot_is_an_error": {"positions": or_else({}, "positions")},
    "a_failed_look_up_is_no_none": {"order": or_else(None, "order")},
    "executions_come_in_order": {"fills": lambda inner, since: inner.fills(since)[::-1]},
    "executions_told_twice_count_once": {"fills": lambda inner, since: inner.fills(since) * 2},
    "the_rest_of_a_partial_fill_can_be_cancelled": {"cancel": lambda inner, key: inner.order(key)},
    "an_id_that_was_never_seen_is_none": {"cancel": lambda inner, key: None},
    "other_terms_under_a_known_id_are_refused": {"submit": lambda inner, order: accept(inner, order)},
    "only_executions_since_the_time_are_told": {"fills": lambda inner, since: inner.fills(since.replace(year=2000))},
    "a_part_is_reported_and_the_rest_fills_later": {"open_orders": lambda inner: []},
}


def accept(inner: Broker, order: OrderIntent) -> Submission:
    inner.submit(order)
    return Accepted(client_order_id=order.client_order_id)


@pytest.mark.parametrize("name", FAULTY)
def test_the_kit_finds_an_adapter_that_breaks_its_promise(name: str) -> None:
    result = run_one(broken(**FAULTY[name]), named(name))
    assert result.outcome == "broken", result
    assert result.told


@pytest.mark.slow
def test_a_third_partys_broker_is_installed_found_and_passes_the_kit(tmp_path: Path) -> None:
    source, target = tmp_path / "source", tmp_path / "site"
    shutil.copytree(TEMPLATE, source)
    build = f"import setuptools.build_meta as b; print(b.build_wheel({str(tmp_path)!r}))"
    built = subprocess.run([sys.executable, "-c", build], cwd=source, capture_output=True, text=True, check=False)
    assert built.returncode == 0, built.stderr
    wheel = next(tmp_path.glob("paperdesk_toy_broker-*.whl"))
    install = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--no-index", "--target", str(target)]
    installed = subprocess.run([*install, str(wheel)], capture_output=True, text=True, check=False)
    assert installed.returncode == 0, installed.stderr

    def run(*arguments: str) -> subprocess.CompletedProcess[str]:
        path = f"import sys; sys.path.insert(0, {str(target)!r}); from paperdesk.cli import main; "
        code = f"{path} sys.argv = ['paperdesk', *{list(arguments)!r}]; main()"
        return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False, cwd=tmp_path)

    listed = json.loads(run("brokers", "list", "--json").stdout)
    assert ("toy", "paperdesk-toy-broker") in {(row["name"], row["package"]) for row in listed}
    checked = run("brokers", "check", "toy", "--json")
    outcomes = {row["check"]: row["outcome"] for row in json.loads(checked.stdout)["results"]}
    assert checked.returncode == 0, outcomes
    assert [name for name, outcome in outcomes.items() if outcome == "skipped"] == [
        "a_stale_snapshot_is_not_taken_for_the_truth",
        "a_clock_that_is_off_shows",
        "news_of_an_order_is_pushed",
        "pushes_twice_and_late_change_nothing",
        "a_stream_that_breaks_says_so_and_comes_back",
        "nothing_is_concluded_from_a_silent_stream",
    ]
    assert list(outcomes.values()).count("kept") == len(CHECKS) - 6


def test_a_broker_that_raises_anything_has_broken_its_promise():
    def explode(inner: Broker) -> dict[str, float]:
        raise ZeroDivisionError("oops")

    results = run_checks(broken(positions=explode), [named("the_account_adds_up")])
    assert [(result.outcome, result.told) for result in results] == [("broken", "ZeroDivisionError: oops")]
