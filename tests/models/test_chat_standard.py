"""LangChain's standard tests of a chat model, on the bundled SmolLM2."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from langchain_core.language_models import BaseChatModel
from langchain_tests.integration_tests import ChatModelIntegrationTests
from langchain_tests.unit_tests import ChatModelUnitTests

from paperdesk.agents.models.chat import DeskChatModel
from paperdesk.agents.models.llama_cpp import LlamaCpp
from paperdesk.agents.models.open import bundled_model


class TestUnit(ChatModelUnitTests):
    @property
    def chat_model_class(self) -> type[BaseChatModel]:
        return DeskChatModel

    @property
    def chat_model_params(self) -> dict[str, Any]:
        return {"model": "smollm2", "n_ctx": 2048}

    @property
    def init_from_env_params(self) -> tuple[dict[str, str], dict[str, Any], dict[str, Any]]:
        return {"PAPERDESK_MODEL": "another.gguf"}, {"n_ctx": 512}, {"model": "another.gguf", "n_ctx": 512}


class TestIntegration(ChatModelIntegrationTests):
    @pytest.fixture(scope="class", autouse=True)
    def _loaded(self, tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
        """The engine that all models here share; a second name for the same file counts as another model."""
        other = tmp_path_factory.mktemp("models") / "other.gguf"
        other.symlink_to(bundled_model())
        type(self)._other = str(other)
        mind = LlamaCpp(bundled_model(), n_ctx=2048)
        yield
        mind.close()

    _other = ""

    @property
    def chat_model_class(self) -> type[BaseChatModel]:
        return DeskChatModel

    @property
    def chat_model_params(self) -> dict[str, Any]:
        return {"model": "smollm2", "n_ctx": 2048, "max_tokens": 24}

    @property
    def supports_json_mode(self) -> bool:
        return True

    @property
    def supports_anthropic_inputs(self) -> bool:
        return True

    @property
    def model_override_value(self) -> str:
        return self._other
