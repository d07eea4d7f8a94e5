"""Which file llama.cpp really loads: small quantised models are expanded to 16-bit floats once.

On a CPU, llama.cpp has fast kernels for 16-bit weights and slow ones for some quantisations: SmolLM2's Q4_1 reads a
prompt at less than half the speed of the same weights in 16 bits. And where weights are quantised, activations are too,
which magnifies the rounding of a batch: logits moved by up to 0.9 with a question's neighbours, and by 0.03 with 16-bit
weights. A small model has the memory to spare, so it gets a copy in the user's cache.
"""

import ctypes
import os
import tempfile
from pathlib import Path
from typing import Literal

import llama_cpp as native

from ....tools.user_cache import cache_root
from ..core import ModelInputError
from .gguf import Header, read_header

Weights = Literal["f16", "as_stored"]

SMALL_BYTES = 400_000_000
"""Files up to this size are expanded; larger ones would take gigabytes."""

FLOATS = (0, 1, 32)
"""`general.file_type` of files that hold floats already: F32, F16, BF16."""


def choose(path: Path, header: Header) -> Weights:
    """What to load for a file: 16-bit floats for a small quantised model on a CPU, else the file as it is."""
    stored_as_floats = header.metadata.get("general.file_type") in FLOATS
    on_gpu = bool(native.llama_supports_gpu_offload())
    return "as_stored" if stored_as_floats or on_gpu or path.stat().st_size > SMALL_BYTES else "f16"


def expanded(path: Path, digest: str) -> Path:
    """The 16-bit copy of a GGUF file, made at the first call and kept in the user's cache.

    Args:
        path: a GGUF file whose header has been checked.
        digest: its sha256; names the copy, so that another file never takes its place.

    Raises:
        ModelInputError: the cache cannot be written, or llama.cpp does not know this kind of file.
    """
    folder = cache_folder()
    copy = folder / f"{digest[:32]}-f16.gguf"
    if copy.is_file():
        read_header(copy)
        return copy
    try:
        folder.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(suffix=".part", dir=folder)
        os.close(handle)
    except OSError as error:
        raise ModelInputError(
            f"The cache {folder} cannot be written ({error.strerror}): set XDG_CACHE_HOME to a folder that can."
        ) from error
    draft = Path(name)
    try:
        options = native.llama_model_quantize_default_params()
        options.ftype = native.LLAMA_FTYPE_MOSTLY_F16
        options.allow_requantize = True
        if native.llama_model_quantize(str(path).encode(), str(draft).encode(), ctypes.byref(options)) != 0:
            raise ModelInputError(
                f"llama.cpp cannot load {path}: its architecture is unknown to this build, or {folder} has no room."
            )
        draft.replace(copy)
    finally:
        draft.unlink(missing_ok=True)
    return copy


def cache_folder() -> Path:
    """Where PaperDesk keeps what it can make again: `$XDG_CACHE_HOME/paperdesk/models`, else under `~/.cache`."""
    return cache_root() / "models"
