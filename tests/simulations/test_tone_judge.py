"""Who judges the tone of releases in a session: a classifier by its spec, on record by its hash."""

from datetime import date
from pathlib import Path

import pytest

from paperdesk.memory.journal import Journal
from paperdesk.simulations.config import ConfigError, SessionConfig
from paperdesk.simulations.session import replay, start
from paperdesk.simulations.tone import tone_judge
from paperdesk.tools.errors import InputError
from paperdesk.tools.sentiment.embedding import EmbeddingClassifier


def tones(folder: Path) -> dict[str, float]:
    with Journal.open_readonly(folder) as journal:
        calls = [record.event for record in journal.events("tool_called")]
    return {
        e.id: e.value for call in calls if call.tool == "release_tone" for e in call.evidence if e.value is not None
    }


def session(folder: Path, **others: str) -> str:
    market = {"start": date(2023, 1, 3), "end": date(2023, 3, 31)}
    return start(SessionConfig.model_validate({"model": "scorecard", **market, **others}), folder).head


def test_the_tone_is_the_classifier_s_and_its_hash_is_on_record(tmp_path: Path) -> None:
    plain, judged = session(tmp_path / "a"), session(tmp_path / "b", sentiment="embedding")
    assert plain != judged
    found, other = tones(tmp_path / "b"), tones(tmp_path / "a")
    assert found.keys() == other.keys()
    assert found
    assert any(abs(found[key] - other[key]) > 0.05 for key in found)
    with Journal.open_readonly(tmp_path / "b") as journal:
        first = next(iter(journal.events("session_started"))).event
    assert first.config["sentiment"] == EmbeddingClassifier.default().fingerprint
    assert replay(tmp_path / "b").head == judged


def test_a_session_without_a_choice_says_nothing_of_it(tmp_path: Path) -> None:
    session(tmp_path / "a")
    with Journal.open_readonly(tmp_path / "a") as journal:
        assert "sentiment" not in next(iter(journal.events("session_started"))).event.config


def test_what_cannot_judge_is_refused_before_a_session_begins(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"reader\.json cannot be read .* name the folder of a reader"):
        session(tmp_path / "a", sentiment=f"reader:{tmp_path}")
    assert not (tmp_path / "a").exists()
    with pytest.raises(ConfigError, match="a session's mind reads the tone as evidence, so name lexicon"):
        tone_judge(SessionConfig(sentiment="prompt:smollm2"))
    with pytest.raises(InputError, match="there is no classifier 'embedding:fit'"):
        tone_judge(SessionConfig(sentiment="embedding:fit"))
