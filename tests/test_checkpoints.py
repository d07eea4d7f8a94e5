"""A checkpoint gives back the state and calls nothing else that it may name."""

import os
import subprocess
import sys
import zlib
from pathlib import Path

import ormsgpack
import pytest
from langgraph.checkpoint.serde.jsonplus import EXT_CONSTRUCTOR_SINGLE_ARG, JsonPlusSerializer

from paperdesk.agents.debate.board import Point
from paperdesk.agents.portfolio_manager import Posture, Proposal
from paperdesk.agents.risk_officer import Tightening
from paperdesk.orchestration.checkpoints import PACKED, STATE_TYPES, serializer


def planted(path: Path) -> tuple[str, bytes]:
    """A row that asks to call `os.mkdir(path)`."""
    call = ormsgpack.packb(("os", "mkdir", str(path)))
    return "msgpack", ormsgpack.packb(ormsgpack.Ext(EXT_CONSTRUCTOR_SINGLE_ARG, call))


def test_what_a_planted_row_names_is_not_called(tmp_path: Path) -> None:
    path = tmp_path / "made"
    assert serializer().loads_typed(planted(path)) == str(path)
    kind, row = planted(path)
    assert serializer().loads_typed((kind + PACKED, zlib.compress(row))) == str(path)
    assert not path.exists()
    # the row is a working one: where anything may be called, it is
    JsonPlusSerializer(allowed_msgpack_modules=True).loads_typed(planted(path))
    assert path.is_dir()


@pytest.mark.parametrize("given", ["true", "false", None])
def test_it_is_strict_whatever_the_environment_says(tmp_path: Path, given: str | None) -> None:
    program = f"""
import paperdesk.orchestration.graph
from langgraph.checkpoint.serde._msgpack import STRICT_MSGPACK_ENABLED
from paperdesk.orchestration.checkpoints import saver
saver().serde.loads_typed(("msgpack", {planted(tmp_path / "made")[1]!r}))
print(STRICT_MSGPACK_ENABLED)
"""
    environment = {k: v for k, v in os.environ.items() if k != "LANGGRAPH_STRICT_MSGPACK"}
    environment |= {} if given is None else {"LANGGRAPH_STRICT_MSGPACK": given}
    done = subprocess.run([sys.executable, "-c", program], env=environment, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == str(given != "false")
    assert not (tmp_path / "made").exists()


def test_every_type_of_the_state_is_known_and_no_other() -> None:
    names = {kind.__name__ for kind in STATE_TYPES}
    assert {
        "Signal",
        "AuditReport",
        "Proposal",
        "OrderIntent",
        "VerdictToken",
        "Regime",
        "Tightening",
        "Point",
    } <= names
    assert all(kind.__module__.startswith("paperdesk.") for kind in STATE_TYPES)


def test_the_state_comes_back_as_it_was() -> None:
    proposal = Proposal(
        weights={"A": 0.5}, cash=0.5, posture=Posture(name="neutral"), risk_aversion=1.0, views=(), rationale="So."
    )
    point = Point(id="A/agent/E1", alias="C1", agent="agent", ticker="A", side="buy", evidence="A/tone/x", text="So.")
    tightened = Tightening(reading="cut", aversion_factor=1.5, caps={"A": 0.2}, rationale="So.")
    state = {("agent", "A"): proposal, "boards": {"A": [point]}, "tightened": tightened}
    assert serializer().loads_typed(serializer().dumps_typed(state)) == state
