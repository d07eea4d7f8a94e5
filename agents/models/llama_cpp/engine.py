"""llama.cpp, as thin as it gets: load, tokenise, evaluate tokens on sequences, read logits.

Everything that changes logits is pinned here and told in `settings`: threads, batch sizes, flash attention, layers on
a GPU, the build. Sequences share one pool of memory cells (`kv_unified`), so a prefix is evaluated once and copied by
tagging. Importing this module loads the native library.
"""

import ctypes
import os
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

# threads that wait for each other spin by default, and two busy processes on two cores then take ten times as long;
# the OpenMP runtime reads this once, when it is loaded, so a user's own setting wins
os.environ.setdefault("GOMP_SPINCOUNT", "100000")

import llama_cpp as native

from ..core import ModelError, ModelInputError

CPU_BATCH = 56
"""Tokens evaluated at once, llama.cpp's `n_ubatch`.

From 64 on, its flash attention on a CPU works in tiles whose rounding depends on what else is in the batch; below, a
question's logits are the same to the bit whoever its neighbours are. (A batch of 512 is about a sixth faster.)
"""
GPU_BATCH = 512
LOGICAL_BATCH = 512
"""`n_batch`: llama.cpp aborts where it is below the number of sequences."""
SEQUENCES = 64
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

    def __init__(self, path: Path, threads: int, n_ctx: int, adapter: Path | None) -> None:
        silence()
        self._model: Any = None
        self._context: Any = None
        self._adapter: Any = None
        options = native.llama_model_default_params()
        options.n_gpu_layers = ALL_LAYERS if native.llama_supports_gpu_offload() else 0
        self._model = native.llama_model_load_from_file(str(path).encode(), options)
        if not self._model:
            raise ModelInputError(
                f"llama.cpp cannot load {path}: its architecture is unknown to this build or memory is short."
            )
        trained = native.llama_model_n_ctx_train(self._model)
        self.n_ctx = min(n_ctx, trained) if trained > 0 else n_ctx
        self.n_batch = GPU_BATCH if options.n_gpu_layers else CPU_BATCH
        self._context = self._new_context(threads)
        if adapter is not None:
            self._attach(adapter)
        self._vocabulary = native.llama_model_get_vocab(self._model)
        self._memory = native.llama_get_memory(self._context)
        self._batch = native.llama_batch_init(self.n_batch, 0, SEQUENCES)
        self.n_vocab: int = native.llama_vocab_n_tokens(self._vocabulary)
        self.settings: dict[str, str | int | float | bool] = {
            "llama_cpp": native.__version__,
            "threads": threads,
            "n_ctx": self.n_ctx,
            "n_batch": LOGICAL_BATCH,
            "n_ubatch": self.n_batch,
            "n_seq_max": SEQUENCES,
            "flash_attention": True,
            "gpu_layers": options.n_gpu_layers,
            "system": native.llama_print_system_info().decode(),
        }

    def _new_context(self, threads: int) -> Any:
        options = native.llama_context_default_params()
        options.n_ctx = self.n_ctx
        options.n_batch = LOGICAL_BATCH
        options.n_ubatch = self.n_batch
        options.n_seq_max = SEQUENCES
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
        self._adapter = native.llama_adapter_lora_init(self._model, str(adapter).encode())
        if not self._adapter:
            self.close()
            raise ModelInputError(f"The adapter {adapter} does not fit this model: train it on the same weights.")
        adapters = (native.llama_adapter_lora_p_ctypes * 1)(self._adapter)
        scales = (ctypes.c_float * 1)(1.0)
        if native.llama_set_adapters_lora(self._context, adapters, 1, scales) != 0:
            self.close()
            raise ModelInputError(f"llama.cpp refuses the adapter {adapter}: train it on the same weights.")

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

    def copy(self, source: int, targets: Iterable[int], end: int = -1) -> None:
        """Let the target sequences share what the source holds, up to position `end` (all by default)."""
        for target in targets:
            native.llama_memory_seq_cp(self._memory, source, target, -1, end)

    def drop(self, sequences: Iterable[int]) -> None:
        """Forget sequences; what others share stays."""
        for sequence in sequences:
            native.llama_memory_seq_rm(self._memory, sequence, -1, -1)

    def evaluate(self, tokens: Sequence[Token]) -> list[FloatArray]:
        """Append tokens to their sequences; the logits (n_vocab,) after each token that asks for them, in order.

        Raises:
            ModelError: llama.cpp failed (out of memory, out of cells).
        """
        found: list[FloatArray] = []
        begin = 0
        while begin < len(tokens):
            # never a lone token at the end: llama.cpp adds up a single one in another order
            size = self.n_batch - (len(tokens) - begin == self.n_batch + 1)
            chunk = tokens[begin : begin + size]
            begin += size
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
        if self._adapter:
            native.llama_adapter_lora_free(self._adapter)
            self._adapter = None
        if self._model:
            native.llama_model_free(self._model)
            self._model = None
