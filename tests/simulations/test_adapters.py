"""The adapters of a session: what is given, what is opened, what a fork changes."""

from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import pytest

from paperdesk.agents.models.core import ModelInputError
from paperdesk.agents.models.digest import file_digest
from paperdesk.agents.models.files.trust import record_trust
from paperdesk.agents.models.llama_cpp import LlamaCpp
from paperdesk.simulations.changes import parse_changes
from paperdesk.simulations.config import SessionConfig, load_config
from paperdesk.simulations.masking import market_of, recorded_choices
from paperdesk.simulations.stages import mind_of

from ..models.files.tiny_adapter import tiny_adapter
from ..models.files.tiny_llama import tiny_llama


@pytest.fixture
def tiny(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    file = tmp_path / "tiny.gguf"
    file.write_bytes(tiny_llama())
    record_trust(file, file_digest(file), now=datetime(2031, 3, 28, tzinfo=UTC), command="a test")
    for seed, name in enumerate(("one", "two")):
        (tmp_path / f"{name}.gguf").write_bytes(tiny_adapter(seed))
    return file


def test_a_session_opens_the_adapters_that_it_names(tiny: Path) -> None:
    one, two = tiny.parent / "one.gguf", tiny.parent / "two.gguf"
    for given, expected in (
        ((), {}),
        (("none",), {}),
        ((str(one),), {"": one}),
        ((f"fundamental={one}", f"technical={two}"), {"fundamental_analyst": one, "technical_analyst": two}),
        ((f"auditor={two}", str(one)), {"auditor": two, "": one}),
    ):
        config = SessionConfig(model=str(tiny), adapter=given, threads=1, context=512)
        with closing(mind_of(config, None)) as mind:
            assert isinstance(mind, LlamaCpp)
            assert mind.adapters == expected
    with pytest.raises(ModelInputError, match=r"'news' names 0 agents: name one of fundamental_analyst, technical"):
        mind_of(SessionConfig(model=str(tiny), adapter=(f"news={one}",)), None)
    with pytest.raises(ModelInputError, match=r"absent\.gguf cannot be read"):
        mind_of(SessionConfig(model=str(tiny), adapter=(str(tiny.parent / "absent.gguf"),)), None)


def test_sessions_from_before_there_were_several_are_understood() -> None:
    assert load_config(None, {"adapter": None}).adapter == ()
    assert load_config(None, {"adapter": "a.gguf"}).adapter == ("a.gguf",)
    assert SessionConfig.model_validate({"adapter": None}).adapter == ()


def test_a_fork_sets_them_as_one_text() -> None:
    changed = parse_changes(["adapter=fundamental=a.gguf,technical=b.gguf"]).applied_to(SessionConfig())
    assert changed.adapter == ("fundamental=a.gguf", "technical=b.gguf")


def test_the_chain_names_the_mind_and_not_where_its_adapters_lay() -> None:
    market = market_of(SessionConfig())
    choices = recorded_choices(SessionConfig(adapter=("somewhere/a.gguf",)), market)
    assert choices == recorded_choices(SessionConfig(), market)
