"""LangChain's standard tests of a chat model, on the bundled SmolLM2."""

from importlib import import_module
from typing import Any, ClassVar

import pytest
from langchain_core.language_models import BaseChatModel
from langchain_tests.integration_tests import ChatModelIntegrationTests
from langchain_tests.unit_tests import ChatModelUnitTests

from paperdesk.agents.models.chat import DeskChatModel
from paperdesk.agents.models.llama_cpp import LlamaCpp
from paperdesk.agents.models.open import bundled_model

load: Any = import_module("langchain_core.load.load")  # the package has a function of that name


class TestUnit(ChatModelUnitTests):
    @property
    def chat_model_class(self) -> type[BaseChatModel]:
        return DeskChatModel

    @property
    def chat_model_params(self) -> dict[str, Any]:
        return {"model": "smollm2", "n_ctx": 2048}

    @pytest.fixture(autouse=True)
    def _listed(self, monkeypatch: pytest.MonkeyPatch) -> None:
        # langchain-core revives only the classes on its own list, and `allowed_objects="all"` means all of that list;
        # a user names the class instead (tests/models/test_chat.py)
        path = tuple(DeskChatModel.lc_id())
        monkeypatch.setitem(load.ALL_SERIALIZABLE_MAPPINGS, path, path)
        monkeypatch.setattr(load, "_default_class_paths_cache", {})

    @property
    def init_from_env_params(self) -> tuple[dict[str, str], dict[str, Any], dict[str, Any]]:
        return {"PAPERDESK_MODEL": "another.gguf"}, {"n_ctx": 512}, {"model": "another.gguf", "n_ctx": 512}


class TestIntegration(ChatModelIntegrationTests):
    other: ClassVar = ""

    @pytest.fixture(scope="class", autouse=True)
    @classmethod
    def _loaded(cls, mind: LlamaCpp, tmp_path_factory: pytest.TempPathFactory) -> None:
        # `mind` keeps open the engine that all models here share; a second name for its file counts as another model
        other = tmp_path_factory.mktemp("models") / "other.gguf"
        other.symlink_to(bundled_model())
        cls.other = str(other)

    @property
    def chat_model_class(self) -> type[BaseChatModel]:
        return DeskChatModel

    @property
    def chat_model_params(self) -> dict[str, Any]:
        return {"model": "smollm2", "n_ctx": 2048, "max_tokens": 16, "max_string": 40}

    @property
    def supports_json_mode(self) -> bool:
        return True

    @property
    def supports_anthropic_inputs(self) -> bool:
        return True

    @property
    def model_override_value(self) -> str:
        return self.other
