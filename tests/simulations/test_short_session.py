"""Sessions that may go short: off by default, bounded by the configuration, permitted by the policy, on record."""

import io
from collections.abc import Iterator
from contextlib import redirect_stdout
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from paperdesk.memory.journal.events import BarClosed, CorporateActionApplied, ProposalMade
from paperdesk.memory.journal.index import Filters
from paperdesk.simulations import session as session_module
from paperdesk.simulations.config import ConfigError, SessionConfig, load_config
from paperdesk.simulations.digest import Digest
from paperdesk.simulations.session import replay, start
from paperdesk.simulations.show import Form, print_session
from paperdesk.simulations.stages import SessionError
from paperdesk.tools.broker.simulated import Margin
from paperdesk.tools.rules import load_policy

from .conftest import Finished, run

POLICY = Path(__file__).parents[2] / "examples" / "long_short_policy.toml"


def config(**changes: Any) -> SessionConfig:
    """Half a year of the generated market with a third of equity short at most."""
    usual = {
        "model": "scorecard",
        "start": date(2023, 1, 3),
        "end": date(2023, 6, 30),
        "max_short": 0.3,
        "min_invested": 0.2,
        "policy": str(POLICY),
        "borrow_fee": 0.1,
    }
    return SessionConfig(**{**usual, **changes})


@pytest.fixture(scope="module")
def short_session(tmp_path_factory: pytest.TempPathFactory) -> tuple[Finished, Path]:
    folder = tmp_path_factory.mktemp("short") / "session"
    return run(config(), folder), folder


@pytest.fixture(scope="module")
def called_session(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Finished, Path]]:
    """One whose maintenance margin is the initial one, so that the first loss calls it."""
    folder = tmp_path_factory.mktemp("called") / "session"
    terms = session_module.margin_of

    def tight(chosen: SessionConfig) -> Margin | None:
        margin = terms(chosen)
        return margin.model_copy(update={"maintenance_long": 1.0}) if margin and chosen.short_margin == 5 else margin

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(session_module, "margin_of", tight)
        yield run(config(short_margin=5, short_maintenance=5), folder), folder


@pytest.mark.slow
def test_a_session_goes_short_within_its_limit_and_pays_for_it(short_session: tuple[Finished, Path]) -> None:
    session, _ = short_session
    proposals = [event for event in session.events if isinstance(event, ProposalMade)]
    assert 0.05 < max(-sum(w for w in event.weights.values() if w < 0) for event in proposals) <= 0.3 + 1e-9
    assert all(sum(abs(weight) for weight in event.weights.values()) <= 0.97 + 1e-6 for event in proposals)
    bars = [event for event in session.events if isinstance(event, BarClosed)]
    assert any(shares < 0 for event in bars for shares in event.positions.values())
    payments = [event for event in session.events if isinstance(event, CorporateActionApplied)]
    fees = [event.amount for event in payments if event.action == "borrow_fee"]
    assert fees
    assert max(fees) < 0
    for event in bars:
        worth = sum(shares * event.prices[name] for name, shares in event.positions.items())
        assert event.equity == pytest.approx(event.cash + worth, abs=1e-6)


@pytest.mark.slow
def test_positions_are_turned_around_by_no_order(short_session: tuple[Finished, Path]) -> None:
    session, _ = short_session
    held: dict[str, float] = {}
    for event in session.events:
        if event.kind == "bar_closed":
            held = event.positions
        if event.kind == "order_submitted":
            before = held.get(event.ticker, 0.0)
            after = before + event.order.quantity * (1 if event.order.side == "buy" else -1)
            assert before * after >= 0
            assert event.order.reduces == (abs(after) < abs(before))


@pytest.mark.slow
@pytest.mark.parametrize("which", ["short_session", "called_session"])
def test_a_short_session_is_derived_again_to_the_same_head(which: str, request: pytest.FixtureRequest) -> None:
    session, folder = request.getfixturevalue(which)
    assert replay(folder).head == session.outcome.head


@pytest.mark.slow
def test_a_margin_call_is_journaled_with_its_forced_orders_and_read_by_people(
    called_session: tuple[Finished, Path],
) -> None:
    session, folder = called_session
    calls, forced = session.of("margin_called"), session.of("order_forced")
    assert calls
    assert all(call.equity < call.requirement for call in calls)
    assert {event.cause for event in forced} == {"margin_call"}
    by_id = {event.order.client_order_id: event for event in forced}
    filled = [event.fill for event in session.of("order_filled") if event.fill.cause == "margin_call"]
    assert {fill.client_order_id for fill in filled} == set(by_id)
    text = io.StringIO()
    with redirect_stdout(text):
        print_session(folder, Filters(), Form())
    assert text.getvalue().count("Margin call 2023") == len(calls)
    assert text.getvalue().count("forced by a margin call, at the next open") == len(forced)
    assert text.getvalue().count("Filled by margin call") == len(filled)
    digest = Digest()
    lines = [line.text for event in session.events for line in digest.take(event)]
    assert sum("margin call: equity" in line for line in lines) == len(calls)


@pytest.mark.slow
def test_a_long_only_session_records_nothing_of_short_positions(generated_session: Finished) -> None:
    (first,) = generated_session.of("session_started")
    assert not {"max_short", "short_margin", "short_maintenance", "borrow_fee", "debit_interest"} & set(first.config)
    assert not any("cause" in event.fill.model_dump() for event in generated_session.of("order_filled"))


def test_a_policy_that_permits_no_short_sales_is_refused_before_anything_starts(tmp_path: Path) -> None:
    with pytest.raises(SessionError, match="The policy standard lets nothing be sold short"):
        start(config(policy="standard"), tmp_path / "session")
    assert not (tmp_path / "session" / "journal.sqlite").exists()


def test_margins_that_contradict_each_other_are_refused() -> None:
    with pytest.raises(ConfigError, match="short_maintenance is above short_margin"):
        load_config(None, {"short_margin": 0.2})


def test_the_example_policy_is_the_standard_one_but_for_short_sales() -> None:
    mine, standard = load_policy(str(POLICY)).model_dump(), load_policy().model_dump()
    assert {key for key in mine if mine[key] != standard[key]} == {"name", "permissions"}
