from collections.abc import Callable, Iterator
from datetime import UTC, datetime

import pytest

from paperdesk.agents.models.core import Question, Request
from paperdesk.agents.models.llama_cpp import LlamaCpp
from paperdesk.agents.models.open import bundled_model
from paperdesk.tools.evidence import Evidence, EvidenceKind

AS_OF = datetime(2031, 3, 28, 20, tzinfo=UTC)
STANCES = ("strong_sell", "sell", "hold", "buy", "strong_buy")


@pytest.fixture(scope="session")
def mind() -> Iterator[LlamaCpp]:
    model = LlamaCpp(bundled_model(), n_ctx=2048)
    yield model
    model.close()


@pytest.fixture
def evidence() -> Callable[..., Evidence]:
    def make(measure: str, value: float, kind: EvidenceKind = "indicator") -> Evidence:
        return Evidence.of(
            id=f"AURX/{measure}/2031-03-28",
            kind=kind,
            measure=measure,
            ticker="AURX",
            as_of=AS_OF,
            available_at=AS_OF,
            period="to 2031-03-28",
            value=value,
            source="prices",
        )

    return make


@pytest.fixture
def claims_schema() -> Callable[..., dict[str, object]]:
    def make(aliases: tuple[str, ...] = ("E1", "E2"), items: int = 1) -> dict[str, object]:
        claim = {
            "type": "object",
            "properties": {"evidence": {"enum": list(aliases)}, "supports": {"enum": ["buy", "hold", "sell"]}},
            "required": ["evidence", "supports"],
            "additionalProperties": False,
        }
        return {
            "type": "object",
            "properties": {"claims": {"type": "array", "items": claim, "minItems": items, "maxItems": items}},
            "required": ["claims"],
            "additionalProperties": False,
        }

    return make


@pytest.fixture
def ask() -> Callable[..., Request]:
    def make(*texts: str, **fields: object) -> Request:
        base: dict[str, object] = {
            "role": "technical",
            "task": "stance",
            "system": "Answer with a stance.",
            "prefix": "Market: calm.\n",
            "questions": tuple(Question(ticker=f"T{i}", text=text) for i, text in enumerate(texts)),
            "options": ("sell", "hold", "buy"),
        }
        return Request.model_validate({**base, **fields})

    return make
