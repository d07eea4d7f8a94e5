"""Which file llama.cpp really loads: small quantised models are expanded to floats once.

On a CPU, llama.cpp has fast kernels for floats and slow ones for some quantisations: SmolLM2's Q4_1 reads a prompt at
two fifths of the speed of the same weights in 32 bits; in 16 bits it is four fifths. And activations take the weights'
form, which magnifies rounding: on a GPU too, where a batch of seven moved a probability by up to 0.18 against the same
question alone, and by 0.004 in 32 bits. A small model has the memory to spare, so it gets a copy in the user's cache.
"""

import ctypes
import os
import tempfile
from pathlib import Path
from typing import Literal

import llama_cpp as native

from ....tools.user_cache import cache_root
from ..core import ModelInputError
from ..digest import file_digest
from .gguf import Header

Weights = Literal["f32", "f16", "as_stored"]

TINY_BYTES = 150_000_000
"""Files up to this size are expanded to 32 bits, which takes up to a gigabyte."""
SMALL_BYTES = 400_000_000
"""Files up to this size are expanded to 16 bits; larger ones would take gigabytes."""

FLOATS = (0, 1, 32)
"""`general.file_type` of files that hold floats already: F32, F16, BF16."""


def choose(path: Path, header: Header) -> Weights:
    """What to load for a file: floats for a small quantised model, else the file as it is."""
    size = path.stat().st_size
    stored_as_floats = header.metadata.get("general.file_type") in FLOATS
    if stored_as_floats or size > SMALL_BYTES:
        return "as_stored"
    return "f32" if size <= TINY_BYTES else "f16"


_FORMS = {"f32": native.LLAMA_FTYPE_ALL_F32, "f16": native.LLAMA_FTYPE_MOSTLY_F16}


def expanded(path: Path, digest: str, weights: Weights) -> Path:
    """The copy of a GGUF file in floats, made at the first call and kept in the user's cache.

    Args:
        path: a GGUF file whose header has been checked.
        digest: its sha256; names the copy, so that another file never takes its place.
        weights: `f32` or `f16`.

    Raises:
        ModelInputError: the cache cannot be written, or llama.cpp does not know this kind of file.
    """
    folder = cache_folder()
    copy = folder / f"{digest[:32]}-{weights}.gguf"
    seal = copy.with_suffix(".sha256")
    if copy.is_file() and seal.is_file() and seal.read_text(encoding="ascii", errors="replace") == file_digest(copy):
        return copy  # a damaged one is made again
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
        options.ftype = _FORMS[weights]
        options.allow_requantize = True
        if native.llama_model_quantize(str(path).encode(), str(draft).encode(), ctypes.byref(options)) != 0:
            raise ModelInputError(
                f"llama.cpp cannot load {path}: its architecture is unknown to this build, or {folder} has no room."
            )
        seal.unlink(missing_ok=True)
        draft.replace(copy)
        seal.write_text(file_digest(copy), encoding="ascii")
    finally:
        draft.unlink(missing_ok=True)
    return copy


def cache_folder() -> Path:
    """Where PaperDesk keeps what it can make again: `$XDG_CACHE_HOME/paperdesk/models`, else under `~/.cache`."""
    return cache_root() / "models"
