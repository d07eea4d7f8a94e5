"""The laboratory: time and memory to make a market, and what four simple rules find in 200 of them.

For each seed five markets of 100 companies and 10 years are built, without an edge and with each one alone at strength
1; in each of them all four rules are tested. A row holds the share of seeds in which a rule is significant at the 5 %
level (one-sided): the size of the test where nothing is planted, its power where the rule's own edge is.
"""

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from typing import Any

import numpy as np

from paperdesk.tools.market.laboratory import LaboratoryPlan, build_world
from paperdesk.tools.market.laboratory.detect import RULES, Finding, find, seen

SEEDS = 200
FIRST_SEED = 1
LEVEL = 0.05

_MAKE = """
import sys, time, resource, json
from pathlib import Path
from paperdesk.tools.market.laboratory import LaboratoryPlan, make, write_laboratory
began = time.perf_counter()
laboratory = make(LaboratoryPlan(hostile=0.02, edges={"momentum": 1.0, "post_earnings_drift": 1.0}))
made = time.perf_counter()
write_laboratory(laboratory, Path(sys.argv[1]) / "market")
print(json.dumps({
    "made_s": round(made - began, 1),
    "written_s": round(time.perf_counter() - made, 1),
    "peak_mb": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024),
    "facts": len(laboratory.dataset.facts),
    "documents": len(laboratory.dataset.documents),
}))
"""


def measure() -> list[dict[str, Any]]:
    """One row for making a market of 100 companies and 10 years, one per configuration of edges."""
    return [_making(), *detection(SEEDS)]


def _making() -> dict[str, Any]:
    with tempfile.TemporaryDirectory() as folder:
        began = time.monotonic()
        process = subprocess.run([sys.executable, "-c", _MAKE, folder], capture_output=True, text=True, check=True)
        wall = round(time.monotonic() - began, 1)
    return {"market": "100 companies, 10 years", **json.loads(process.stdout), "whole_process_s": wall}


def detection(seeds: int) -> Iterator[dict[str, Any]]:
    """A row per configuration: share of the seeds in which each rule is significant, and its mean coefficient."""
    found: dict[str, dict[str, list[Finding]]] = {}
    for seed in range(FIRST_SEED, FIRST_SEED + seeds):
        world = build_world(LaboratoryPlan(seed=seed))
        for name in ("none", *RULES):
            twin = world if name == "none" else build_world(LaboratoryPlan(seed=seed, edges={name: 1.0}), world)
            market = seen(twin)
            for rule in RULES:
                found.setdefault(name, {}).setdefault(rule, []).append(find(market, rule))
        if os.isatty(sys.stderr.fileno()):
            sys.stderr.write(f"\rseed {seed} of {seeds}")
    for name, findings in found.items():
        row: dict[str, Any] = {"edge": name, "seeds": seeds}
        for rule, results in findings.items():
            row[f"{rule}_found"] = float(np.mean([result.p < LEVEL for result in results]))
            row[f"{rule}_mean"] = round(float(np.mean([result.mean for result in results])), 4)
            row[f"{rule}_t"] = round(float(np.mean([result.t for result in results])), 2)
        yield row
