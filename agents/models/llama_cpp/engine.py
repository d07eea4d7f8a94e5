"""llama.cpp, as thin as it gets: load, tokenise, evaluate tokens on sequences, read logits.

Everything that changes logits is pinned here and told in `settings`: threads, batch sizes, flash attention, layers on
a GPU, the build. Sequences share one pool of memory cells (`kv_unified`), so a prefix is evaluated once and copied by
tagging. Importing this module loads the native library.
"""

import ctypes
import os
from collections.abc import Iterable, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

# threads that wait for each other spin by default, and two busy processes on two cores then take ten times as long;
# the OpenMP runtime reads this once, when it is loaded, so a user's own setting wins
os.environ.setdefault("GOMP_SPINCOUNT", "100000")

import llama_cpp as native

from ..core import ModelError, ModelInputError

BATCH = 512
"""Tokens evaluated at once: llama.cpp's `n_batch` and `n_ubatch`."""
LIVE = 160
"""Sequences below this are for the request at hand."""
KEPT = 4
"""The next ones hold beginnings of prompts that stay."""
SCRATCH = LIVE + KEPT
"""Tokens that nobody reads."""
SEQUENCES = SCRATCH + 1
"""Sequences from here on are fillers (see `slots`)."""
MOST_SEQUENCES = 256
"""llama.cpp's own limit."""
WASTE = 192
"""Cells beyond a context that a prompt may need because its regions begin with tiles: the ends of three."""
SCRATCH_CELLS = 64
ALL_LAYERS = 999
FloatArray = npt.NDArray[np.float32]


def _ignore(_level: int, _text: bytes, _data: ctypes.c_void_p) -> None:
    """Its log goes to stderr otherwise; what matters is in our own errors."""


_silence: Any = native.llama_log_callback(_ignore)
"""Kept for as long as the library may call it."""


def silence() -> None:
    """Keep llama.cpp's log off stderr, and start its backend; harmless to repeat."""
    native.llama_log_set(_silence, ctypes.c_void_p(0))
    native.llama_backend_init()


class Token(NamedTuple):
    """One token to evaluate."""

    id: int
    position: int
    sequences: tuple[int, ...]
    logits: bool = False
    """Whether the distribution after it is wanted."""


class Engine:
    """A loaded model and one context. Not thread-safe: its owner serialises."""

    def __init__(self, path: Path, threads: int, n_ctx: int, adapters: Iterable[Path] = ()) -> None:
        silence()
        self._model: Any = None
        self._context: Any = None
        self._adapters: dict[Path, Any] = {}
        self.worn: Path | None = None
        """The adapter that changes what is evaluated (see `wear`)."""
        options = native.llama_model_default_params()
        options.n_gpu_layers = ALL_LAYERS if native.llama_supports_gpu_offload() else 0
        self._model = native.llama_model_load_from_file(str(path).encode(), options)
        if not self._model:
            raise ModelInputError(
                f"llama.cpp cannot load {path}: its architecture is unknown to this build or memory is short."
            )
        trained = native.llama_model_n_ctx_train(self._model)
        self.n_ctx = min(n_ctx, trained) if trained > 0 else n_ctx
        self.kept = -(-self.n_ctx // 4)
        """Cells for beginnings of prompts that stay, beside the context."""
        self.on_gpu = options.n_gpu_layers > 0
        self.places_matter = not self.on_gpu and _plain_memory(self._model)
        """Whether the last digits depend on where tokens lie, and can be made not to (see `slots`)."""
        self._context = self._new_context(threads)
        for adapter in adapters:
            self._attach(adapter)
        self._vocabulary = native.llama_model_get_vocab(self._model)
        self._memory = native.llama_get_memory(self._context)
        self._batch = native.llama_batch_init(BATCH, 0, SEQUENCES)
        self.cells: int = native.llama_n_ctx(self._context)
        """Memory cells."""
        self.fillers = MOST_SEQUENCES - SEQUENCES
        """Sequences for fillers."""
        self.n_vocab: int = native.llama_vocab_n_tokens(self._vocabulary)
        self.settings: dict[str, str | int | float | bool] = {
            "llama_cpp": native.__version__,
            "threads": threads,
            "n_ctx": self.n_ctx,
            "n_batch": BATCH,
            "n_ubatch": BATCH,
            "n_seq_max": MOST_SEQUENCES,
            "cells": self.cells,
            "flash_attention": True,
            "gpu_layers": options.n_gpu_layers,
            "system": native.llama_print_system_info().decode(),
        }

    def _new_context(self, threads: int) -> Any:
        options = native.llama_context_default_params()
        options.n_ctx = self.n_ctx + self.kept + WASTE + SCRATCH_CELLS
        options.n_batch = BATCH
        options.n_ubatch = BATCH
        options.n_seq_max = MOST_SEQUENCES
        options.kv_unified = True
        options.n_threads = threads
        options.n_threads_batch = threads
        options.flash_attn_type = native.LLAMA_FLASH_ATTN_TYPE_ENABLED
        options.no_perf = True
        context = native.llama_init_from_model(self._model, options)
        if not context:
            self.close()
            raise ModelInputError(
                f"llama.cpp has no memory for a context of {self.n_ctx} tokens: take a smaller model or n_ctx."
            )
        return context

    def _attach(self, adapter: Path) -> None:
        """Load an adapter and try it on."""
        self._adapters[adapter] = native.llama_adapter_lora_init(self._model, str(adapter).encode())
        try:
            if not self._adapters[adapter]:
                raise ModelInputError(f"The adapter {adapter} does not fit this model: train it on the same weights.")
            self.wear(adapter)
            self.wear(None)
        except ModelInputError:
            self.close()
            raise

    def wear(self, adapter: Path | None) -> None:
        """Let one of the adapters change what is evaluated from here on; None: none does.

        What the memory holds stays as it was evaluated: whoever keeps it knows what was worn then.
        """
        if adapter == self.worn:
            return
        worn = [] if adapter is None else [self._adapters[adapter]]
        handles = (native.llama_adapter_lora_p_ctypes * len(worn))(*worn)
        scales = (ctypes.c_float * len(worn))(*[1.0] * len(worn))
        if native.llama_set_adapters_lora(self._context, handles, len(worn), scales) != 0:
            raise ModelInputError(f"llama.cpp refuses the adapter {adapter}: train it on the same weights.")
        self.worn = adapter

    # -- tokens

    def tokenize(self, text: str, *, special: bool = False) -> list[int]:
        """The tokens of a text.

        With `special`, control tokens spelled out in it are recognised: only ever for our own template, never for text
        that came from elsewhere.
        """
        data = text.encode()
        room = len(data) + 8
        buffer = (native.llama_token * room)()
        count = native.llama_tokenize(self._vocabulary, data, len(data), buffer, room, False, special)
        if count < 0:
            raise ModelError(
                f"llama.cpp cannot tokenise a text of {len(data)} bytes (it asks for {-count} tokens): report it."
            )
        return list(buffer[:count])

    def piece(self, token: int) -> bytes:
        """The bytes that a token stands for; empty for control tokens."""
        room = 64
        while True:
            buffer = ctypes.create_string_buffer(room)
            count = native.llama_token_to_piece(self._vocabulary, token, buffer, room, 0, False)
            if count >= 0:
                return buffer.raw[:count]
            room = -count

    @property
    def start(self) -> list[int]:
        """What every prompt begins with: the start token, where the model was trained with one."""
        if native.llama_vocab_get_add_bos(self._vocabulary):
            return [native.llama_vocab_bos(self._vocabulary)]
        return []

    def ends(self, token: int) -> bool:
        """Whether a token ends a turn or a text."""
        return bool(native.llama_vocab_is_eog(self._vocabulary, token))

    @property
    def end_of_turn(self) -> int:
        """The token that ends a turn; the end of text where there is none."""
        turn: int = native.llama_vocab_eot(self._vocabulary)
        return turn if turn >= 0 else int(native.llama_vocab_eos(self._vocabulary))

    # -- evaluation

    def clear(self) -> None:
        """Forget everything."""
        native.llama_memory_clear(self._memory, True)

    def copy(self, source: int, targets: Iterable[int], begin: int = -1, end: int = -1) -> None:
        """Let the target sequences share what the source holds from `begin` to before `end` (all by default)."""
        for target in targets:
            native.llama_memory_seq_cp(self._memory, source, target, begin, end)

    def drop(self, sequences: Iterable[int]) -> None:
        """Forget sequences; what others share stays."""
        for sequence in sequences:
            native.llama_memory_seq_rm(self._memory, sequence, -1, -1)

    def cut(self, sequence: int, begin: int, end: int) -> None:
        """Forget the positions from `begin` to before `end` of a sequence."""
        native.llama_memory_seq_rm(self._memory, sequence, begin, end)

    def state(self, sequence: int) -> "ctypes.Array[ctypes.c_uint8]":
        """What the memory holds of a sequence."""
        size = native.llama_state_seq_get_size(self._context, sequence)
        buffer: ctypes.Array[ctypes.c_uint8] = (ctypes.c_uint8 * size)()
        if native.llama_state_seq_get_data(self._context, buffer, size, sequence) != size:
            raise ModelError("llama.cpp cannot save a part of its memory: report it.")
        return buffer

    def restore(self, sequence: int, saved: "ctypes.Array[ctypes.c_uint8]") -> None:
        """Put what `state` gave into a sequence, in the first free cells; what the sequence held is forgotten."""
        if native.llama_state_seq_set_data(self._context, saved, len(saved), sequence) == 0:
            raise ModelError("llama.cpp cannot restore a part of its memory: report it.")

    def evaluate(self, tokens: Sequence[Token]) -> list[FloatArray]:
        """Append tokens to their sequences; the logits (n_vocab,) after each token that asks for them, in order.

        Raises:
            ModelError: llama.cpp failed (out of memory, out of cells).
        """
        found: list[FloatArray] = []
        # in equal parts, so that no part is small: few tokens at once are slow, and a lone one is added up otherwise
        parts = -(-len(tokens) // BATCH)
        bounds = [len(tokens) * i // parts for i in range(parts + 1)]
        for begin, end in pairwise(bounds):
            chunk = tokens[begin:end]
            self._fill(chunk)
            status = native.llama_decode(self._context, self._batch)
            if status != 0:
                raise ModelError(
                    f"llama.cpp failed with status {status} at {len(chunk)} tokens: use a smaller model or context."
                )
            for i, token in enumerate(chunk):
                if token.logits:
                    pointer = native.llama_get_logits_ith(self._context, i)
                    found.append(np.ctypeslib.as_array(pointer, shape=(self.n_vocab,)).copy())
        return found

    def _fill(self, chunk: Sequence[Token]) -> None:
        batch = self._batch
        batch.n_tokens = len(chunk)
        wanted = [token.logits for token in chunk]
        if sum(wanted) == 1 and len(chunk) > 1:
            # a single row of logits is added up in another order than two; nobody reads the second
            wanted[wanted.index(False)] = True
        for i, token in enumerate(chunk):
            batch.token[i] = token.id
            batch.pos[i] = token.position
            batch.n_seq_id[i] = len(token.sequences)
            for j, sequence in enumerate(token.sequences):
                batch.seq_id[i][j] = sequence
            batch.logits[i] = wanted[i]

    def close(self) -> None:
        """Give everything back, in the order that llama.cpp wants; harmless to repeat."""
        if self._context:
            if hasattr(self, "_batch"):
                native.llama_batch_free(self._batch)
            native.llama_free(self._context)
            self._context = None
        for adapter in self._adapters.values():
            if adapter:
                native.llama_adapter_lora_free(adapter)
        self._adapters.clear()
        if self._model:
            native.llama_model_free(self._model)
            self._model = None


def _plain_memory(model: Any) -> bool:
    """Whether a model's memory is one row of cells per token: no sliding window, no recurrent state."""
    return not (
        native.llama_model_n_swa(model)
        or native.llama_model_is_recurrent(model)
        or native.llama_model_is_hybrid(model)
        or native.llama_model_has_encoder(model)
    )
