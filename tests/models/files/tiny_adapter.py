"""A LoRA adapter of random numbers for the tiny model, written as a GGUF by hand."""

import numpy as np

from .tiny_llama import WIDTH, gguf

RANK = 4


def tiny_adapter(seed: int) -> bytes:
    """A large change of the attention, so that answers differ."""
    rng = np.random.default_rng(seed)
    tensors = {
        f"blk.0.attn_{name}.weight.lora_{side}": rng.normal(0, 0.5, (RANK, WIDTH) if side == "a" else (WIDTH, RANK))
        for name in ("q", "k", "v", "output")
        for side in "ab"
    }
    keys = {
        "general.type": "adapter",
        "general.architecture": "llama",
        "adapter.type": "lora",
        "adapter.lora.alpha": float(RANK),
    }
    return gguf(keys, tensors)
