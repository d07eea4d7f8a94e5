"""What a reader is told of a mind beside its figures."""

from types import SimpleNamespace
from typing import Any, cast

import pytest

from paperdesk.agents.models.core import Fingerprint
from paperdesk.simulations.evaluation.result import notes_of


@pytest.mark.parametrize(
    ("settings", "told"),
    [({"adapter_technical_analyst": "0c4a"}, "its card says how far"), ({"threads": 2}, "take its stances as noise")],
)
def test_a_small_model_is_called_noise_only_where_nobody_wears_an_adapter(settings: dict[str, Any], told: str) -> None:
    market, window = SimpleNamespace(note="", generated=True), SimpleNamespace(decisions=[], sessions=[])
    mind = Fingerprint(backend="llama_cpp", name="SmolLM2-135M-Instruct.Q4_1.gguf", digest="d", settings=settings)
    _, about, _ = notes_of(cast("Any", market), cast("Any", window), mind)
    assert told in about
    assert about.count("card") + about.count("noise") == 1
