"""A real llama model of a few thousand random numbers, written as a GGUF by hand; llama.cpp loads it at once."""

import struct
from collections.abc import Mapping

import numpy as np

WIDTH, HEADS, DEEP, CONTEXT = 64, 2, 128, 512
MARKS = ("<|im_start|>", "<|im_end|>")
NORMAL, UNKNOWN, CONTROL, BYTE = 1, 2, 3, 6


def text(value: str) -> bytes:
    raw = value.encode()
    return struct.pack("<Q", len(raw)) + raw


def key(name: str, value: object) -> bytes:
    """A key with its value: text, bool, int (32 bits), float, or a list of texts, ints or floats."""
    head = text(name)
    match value:
        case str():
            return head + struct.pack("<I", 8) + text(value)
        case bool():
            return head + struct.pack("<I?", 7, value)
        case int():
            return head + struct.pack("<II", 4, value)
        case float():
            return head + struct.pack("<If", 6, value)
        case [str(), *_]:
            return head + struct.pack("<IIQ", 9, 8, len(value)) + b"".join(text(str(one)) for one in value)
        case [int(), *_]:
            return head + struct.pack("<IIQ", 9, 5, len(value)) + struct.pack(f"<{len(value)}i", *value)
        case [float(), *_]:
            return head + struct.pack("<IIQ", 9, 6, len(value)) + struct.pack(f"<{len(value)}f", *value)
    raise TypeError(name)


def gguf(keys: Mapping[str, object], tensors: Mapping[str, np.ndarray], *, align: int = 32) -> bytes:
    """A GGUF file of 32-bit floats."""
    head = b"GGUF" + struct.pack("<IQQ", 3, len(tensors), len(keys))
    head += b"".join(key(name, value) for name, value in keys.items())
    data = b""
    for name, tensor in tensors.items():
        shape = tensor.shape[::-1]  # ggml counts from the row
        head += text(name) + struct.pack(f"<I{len(shape)}QIQ", len(shape), *shape, 0, len(data))
        data += tensor.astype("<f4").tobytes()
        data += bytes(-len(data) % align)
    return head + bytes(-len(head) % align) + data


def metadata() -> dict[str, object]:
    tokens = ["<unk>", "<s>", "</s>", *MARKS, *(f"<0x{byte:02X}>" for byte in range(256)), "▁", "buy", "sell", "hold"]
    kinds = [UNKNOWN, *[CONTROL] * 4, *[BYTE] * 256, *[NORMAL] * 4]
    return {
        "general.architecture": "llama",
        "general.name": "Tiny",
        "general.license": "apache-2.0",
        "general.languages": ["en", "fr"],
        "llama.context_length": CONTEXT,
        "llama.embedding_length": WIDTH,
        "llama.block_count": 1,
        "llama.feed_forward_length": DEEP,
        "llama.attention.head_count": HEADS,
        "llama.attention.layer_norm_rms_epsilon": 1e-5,
        "llama.vocab_size": len(tokens),
        "general.file_type": 0,
        "tokenizer.ggml.model": "llama",
        "tokenizer.ggml.tokens": tokens,
        "tokenizer.ggml.scores": [0.0] * len(tokens),
        "tokenizer.ggml.token_type": kinds,
        "tokenizer.ggml.bos_token_id": 1,
        "tokenizer.ggml.eos_token_id": 2,
    }


def weights(vocabulary: int, seed: int = 7) -> dict[str, np.ndarray]:
    rng = np.random.default_rng(seed)
    shapes = {
        "token_embd.weight": (vocabulary, WIDTH),
        "output_norm.weight": (WIDTH,),
        "output.weight": (vocabulary, WIDTH),
        "blk.0.attn_norm.weight": (WIDTH,),
        "blk.0.attn_q.weight": (WIDTH, WIDTH),
        "blk.0.attn_k.weight": (WIDTH, WIDTH),
        "blk.0.attn_v.weight": (WIDTH, WIDTH),
        "blk.0.attn_output.weight": (WIDTH, WIDTH),
        "blk.0.ffn_norm.weight": (WIDTH,),
        "blk.0.ffn_gate.weight": (DEEP, WIDTH),
        "blk.0.ffn_up.weight": (DEEP, WIDTH),
        "blk.0.ffn_down.weight": (WIDTH, DEEP),
    }
    return {name: rng.normal(0, 0.1, shape) for name, shape in shapes.items()}


def tiny_llama() -> bytes:
    """A whole model."""
    keys = metadata()
    return gguf(keys, weights(len(keys["tokenizer.ggml.tokens"])))  # type: ignore[arg-type]
