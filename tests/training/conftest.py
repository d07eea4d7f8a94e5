"""A tiny random model that can learn: its norms let through what attention finds, and a stance is one token."""

from pathlib import Path

import numpy as np
import pytest

from paperdesk.agents.signals import STANCES

from ..models.files.tiny_llama import NORMAL, gguf, metadata, weights


def able_llama() -> bytes:
    """`tiny_llama` with norms of 1, larger embeddings, and the stances with their beginnings as tokens."""
    keys = metadata()
    tokens: list[str] = keys["tokenizer.ggml.tokens"]  # type: ignore[assignment]
    pieces = [stance[:end] for stance in STANCES for end in range(2, len(stance) + 1)]
    tokens += [piece for piece in dict.fromkeys(pieces) if piece not in tokens]
    keys["tokenizer.ggml.scores"] = [0.0] * len(tokens)
    kinds: list[int] = keys["tokenizer.ggml.token_type"]  # type: ignore[assignment]
    kinds += [NORMAL] * (len(tokens) - len(kinds))
    keys["llama.vocab_size"] = len(tokens)
    tensors = weights(len(tokens))
    for name in tensors:
        if name.endswith("norm.weight"):
            tensors[name] = np.ones_like(tensors[name])
    tensors["token_embd.weight"] *= 5
    return gguf(keys, tensors)


@pytest.fixture(scope="session")
def able(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The file of a tiny model that can learn."""
    file = tmp_path_factory.mktemp("able") / "able.gguf"
    file.write_bytes(able_llama())
    return file
