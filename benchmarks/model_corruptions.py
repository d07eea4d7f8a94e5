"""What becomes of a damaged model file: 200 seeded corruptions of the bundled one, each looked at by `check_file`.

Each must end in one sentence, whoever notices: the header's reader, or the trial in a child process. What both hold for
sound is another file to its sha256, so it is not on the allow-list and is not opened.
"""

import statistics
import tempfile
import time
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from paperdesk.agents.models.core import ModelInputError
from paperdesk.agents.models.files.check import check_file
from paperdesk.agents.models.llama_cpp.gguf import Header, read_header
from paperdesk.agents.models.open import bundled_model, open_model

CASES = 200
SEED = 20
KINDS = (
    "bytes of the metadata",
    "bytes of the tensor table",
    "bytes of the weights",
    "zeros over the head",
    "zeros over the weights",
    "garbage over the weights",
    "bytes inserted",
    "bytes left out",
    "cut off",
    "garbage behind the magic word",
)


class Corrupted(NamedTuple):
    """A damaged copy."""

    kind: str
    content: bytes


def corruptions(content: bytes, header: Header, cases: int, seed: int) -> Iterator[Corrupted]:
    """Damaged copies of a file, the kinds in turn.

    Args:
        content: a whole GGUF.
        header: its header.
        cases: how many.
        seed: draws where and what.
    """
    rng = np.random.default_rng(seed)
    for case in range(cases):
        kind = KINDS[case % len(KINDS)]
        damaged = _damaged(kind, bytearray(content), header, rng)
        if damaged != content:  # a draw may hit on what was there
            yield Corrupted(kind, bytes(damaged))


def _damaged(kind: str, data: bytearray, header: Header, rng: np.random.Generator) -> bytearray:
    size, table, weights = len(data), header.table_start, header.data_start

    def place(low: int, high: int) -> int:
        return int(rng.integers(low, high))

    def overwrite(low: int, high: int, most: int, *, zeros: bool = False) -> None:
        begin = place(low, high)
        count = min(place(1, most + 1), high - begin)
        data[begin : begin + count] = bytes(count) if zeros else rng.bytes(count)

    match kind:
        case "bytes of the metadata":
            for _ in range(place(1, 9)):
                overwrite(4, min(table, 4096), 1)
        case "bytes of the tensor table":
            for _ in range(place(1, 9)):
                overwrite(table, weights, 1)
        case "bytes of the weights":
            for _ in range(place(1, 65)):
                overwrite(weights, size, 1)
        case "zeros over the head":
            overwrite(4, weights, 512, zeros=True)
        case "zeros over the weights":
            overwrite(weights, size, (size - weights) // 4, zeros=True)
        case "garbage over the weights":
            overwrite(weights, size, (size - weights) // 4)
        case "bytes inserted":
            begin = place(4, size)
            data[begin:begin] = rng.bytes(place(1, 4097))
        case "bytes left out":
            begin = place(4, size)
            del data[begin : begin + place(1, 4097)]
        case "cut off":
            del data[place(0, size) :]
        case _:
            data[4:weights] = rng.bytes(weights - 4)
    return data


def measure() -> list[dict[str, Any]]:
    """A row per kind: who noticed, and how long it took.

    A crash of this process, or an error that is no sentence, ends the benchmark.
    """
    original = bundled_model()
    content, header = original.read_bytes(), read_header(original)
    noticed: defaultdict[str, dict[str, int]] = defaultdict(lambda: {"header": 0, "trial": 0, "sha256": 0})
    seconds: defaultdict[str, list[float]] = defaultdict(list)
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "damaged.gguf"
        for kind, damaged in corruptions(content, header, CASES, SEED):
            file.write_bytes(damaged)
            began = time.perf_counter()
            found = check_file(file)
            seconds[kind].append(time.perf_counter() - began)
            noticed[kind]["sha256" if found.sound else "trial" if found.sha256 else "header"] += 1
            if found.sound is bool(found.problem) or "\n" in found.problem or found.exit_code == 0:
                raise AssertionError(f"{kind}: {found}")
            try:
                open_model(str(file))
            except ModelInputError:
                continue
            raise AssertionError(f"{kind}: it was opened")
    return [
        {
            "kind": kind,
            "cases": len(seconds[kind]),
            **{f"noticed_by_{who}": count for who, count in noticed[kind].items()},
            "median_s": round(statistics.median(seconds[kind]), 2),
        }
        for kind in KINDS
    ]
