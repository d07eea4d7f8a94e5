"""Loads a model file as opening it would, in a process of its own, where a crash harms nobody.

`python -m paperdesk.agents.models.llama_cpp.probe FILE MEMORY_BYTES` prints one line of JSON, a `Found`, on standard
output. Whoever starts it (`paperdesk.agents.models.files.probing`) judges by that line and by how the process ended.
"""

import resource
import sys
from pathlib import Path

import llama_cpp as native
import numpy as np

from ....tools.frozen import Frozen
from ..core import ModelError, ModelInputError
from .engine import FloatArray, Token
from .shared import acquire, release

CELLS = 256
"""Context: room for a few tokens."""
TEXT = "Revenue grew 7% and the stance is"


class Found(Frozen):
    """What a probe found."""

    problem: str
    """A clause; empty where the model works."""
    vocabulary: int = 0
    """Tokens."""
    memory_bytes: int = 0
    """Most resident memory of the probe, weights included."""


def probe(path: Path) -> Found:
    """Load a file, read a few tokens, and look whether what comes out can be a model's.

    Raises:
        ModelInputError: the file is damaged, or llama.cpp refuses it.
        ModelError: llama.cpp failed on the first tokens.
    """
    loaded = acquire(path, 1, CELLS, {})
    engine = loaded.engine
    try:
        if not any(loaded.vocabulary.pieces):
            return Found(problem="its vocabulary is empty")
        tokens = (engine.start + engine.tokenize(TEXT))[: CELLS // 2]
        if not tokens or max(tokens) >= engine.n_vocab:
            return Found(problem="its vocabulary cannot spell a sentence")
        rows = engine.evaluate([Token(token, i, (0,), logits=True) for i, token in enumerate(tokens)])
        problem = _fault_of(np.stack(rows))
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
        return Found(problem=problem, vocabulary=engine.n_vocab, memory_bytes=peak)
    finally:
        release(loaded)


def _fault_of(logits: FloatArray) -> str:
    """What is wrong with the logits (tokens, vocabulary); empty where nothing is."""
    if not np.isfinite(logits).all():
        return "it computes numbers that are not finite"
    if float(np.ptp(logits, axis=1).max()) == 0.0:
        return "it holds every token for equally likely"
    return ""


def _limit_memory(most: int) -> None:
    """Let an absurd allocation fail here, not push the machine into swapping; devices reserve addresses freely."""
    if most and not native.llama_supports_gpu_offload():
        resource.setrlimit(resource.RLIMIT_AS, (most, most))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def main(words: list[str]) -> None:
    """Probe the named file and print what was found."""
    path, most = words
    _limit_memory(int(most))
    try:
        found = probe(Path(path))
    except ModelInputError:
        found = Found(
            problem="llama.cpp does not load it (damaged inside, an architecture unknown to this build, or too large)"
        )
    except ModelError:
        found = Found(problem="llama.cpp fails on its first tokens")
    sys.stdout.write(found.model_dump_json() + "\n")


if __name__ == "__main__":
    main(sys.argv[1:])
