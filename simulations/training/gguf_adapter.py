"""A trained adapter as a GGUF file that llama.cpp loads.

llama.cpp keeps the rows of a Llama's query and key projections in another order than transformers (the two halves of a
head's rotary pairs are interleaved); an adapter's B matrices act on those rows and are put in that order, or the
adapter is silently wrong.
"""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .adapter import required
from .exercises import TrainingError

NAMES = {"q_proj": "attn_q", "k_proj": "attn_k", "v_proj": "attn_v", "o_proj": "attn_output"}
"""llama.cpp's names of the projections."""
PLACE = re.compile(r".*\.layers\.(?P<layer>\d+)\.self_attn\.(?P<projection>\w+)\.lora_(?P<side>[AB])\.weight")

WRITTEN = re.compile(r"blk\.(?P<layer>\d+)\.(?P<projection>\w+)\.weight\.lora_(?P<side>[ab])")
_PROJECTIONS = {theirs: ours for ours, theirs in NAMES.items()}


def interleaved(b: NDArray[np.float32], heads: int) -> NDArray[np.float32]:
    """B of a query or key projection, (rows, rank), in llama.cpp's order of rows.

    Args:
        b: in transformers' order: per head, all first halves of the rotary pairs, then all second ones.
        heads: that share the rows.
    """
    rows, rank = b.shape
    turned: NDArray[np.float32] = b.reshape(heads, 2, rows // heads // 2, rank).swapaxes(1, 2).reshape(rows, rank)
    return turned


def parted(b: NDArray[np.float32], heads: int) -> NDArray[np.float32]:
    """What `interleaved` was given."""
    rows, rank = b.shape
    turned: NDArray[np.float32] = b.reshape(heads, rows // heads // 2, 2, rank).swapaxes(1, 2).reshape(rows, rank)
    return turned


def read_gguf(path: Path, *, config: Any) -> dict[str, Any]:
    """What `write_gguf` was given: peft's tensors by name.

    Args:
        path: of an adapter that was written here.
        config: transformers' configuration of the base model.

    Raises:
        TrainingError: the file changes something other than a Llama's attention.
    """
    gguf, torch = required("gguf"), required("torch")
    state: dict[str, Any] = {}
    for tensor in gguf.GGUFReader(path).tensors:
        place = WRITTEN.fullmatch(tensor.name)
        if place is None or place["projection"] not in _PROJECTIONS:
            raise TrainingError(f"{path} changes {tensor.name}, which is no projection of attention: train another.")
        projection, side = _PROJECTIONS[place["projection"]], place["side"].upper()
        values = np.array(tensor.data, dtype=np.float32)
        if side == "B" and projection in ("q_proj", "k_proj"):
            heads = config.num_attention_heads if projection == "q_proj" else config.num_key_value_heads
            values = parted(values, heads)
        name = f"base_model.model.model.layers.{place['layer']}.self_attn.{projection}.lora_{side}.weight"
        state[name] = torch.from_numpy(np.ascontiguousarray(values))
    return state


def write_gguf(state: Mapping[str, Any], path: Path, *, config: Any, alpha: float, name: str) -> None:
    """Write an adapter.

    Args:
        state: peft's tensors by name.
        path: of the new file; it appears in one step.
        config: transformers' configuration of the base model.
        alpha: of the adapter.
        name: of the adapter, for people.

    Raises:
        TrainingError: the model is no Llama, or the adapter changes something other than its attention.
    """
    gguf = required("gguf")
    if config.model_type != "llama":
        raise TrainingError(
            f"An adapter for {config.model_type!r} cannot be written for llama.cpp: train a Llama model."
        )
    draft = path.with_name(path.name + ".draft")
    writer = gguf.GGUFWriter(draft, "llama")
    writer.add_type("adapter")
    writer.add_name(name)
    writer.add_string("adapter.type", "lora")
    writer.add_float32("adapter.lora.alpha", float(alpha))
    for key, tensor in state.items():
        place = PLACE.fullmatch(key)
        if place is None or place["projection"] not in NAMES:
            raise TrainingError(f"The adapter changes {key}, which is no projection of attention: train it on those.")
        values = tensor.detach().numpy().astype(np.float32)
        if place["side"] == "B" and place["projection"] in ("q_proj", "k_proj"):
            heads = config.num_attention_heads if place["projection"] == "q_proj" else config.num_key_value_heads
            values = interleaved(values, heads)
        target = f"blk.{place['layer']}.{NAMES[place['projection']]}.weight.lora_{place['side'].lower()}"
        writer.add_tensor(target, np.ascontiguousarray(values))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    draft.replace(path)
