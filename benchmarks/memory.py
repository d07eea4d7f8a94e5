"""Resident memory of a process with the bundled model over two thousand calls."""

import random
import statistics
from pathlib import Path
from typing import Any

from paperdesk.agents.models.llama_cpp import LlamaCpp
from paperdesk.agents.models.open import bundled_model

from .desk_requests import analyst_requests, single, stance_only

CALLS = 2000
CLAIMS_EVERY = 4
"""The other calls ask for the stance alone."""
EVERY = 100


def measure() -> list[dict[str, Any]]:
    """Resident megabytes after loading, after the first calls, and of the first and the last five hundred calls."""
    requests = analyst_requests()
    before = _resident()
    mind = LlamaCpp(bundled_model(), threads=2)
    loaded = _resident()
    draw = random.Random(1)
    seen = []
    for call in range(1, CALLS + 1):
        request = draw.choice(requests)
        place = draw.randrange(len(request.questions))
        asked = single(request, request.questions[place], place)
        mind.answer(asked if call % CLAIMS_EVERY == 0 else stance_only(asked))
        if call % EVERY == 0:
            seen.append(_resident())
    mind.close()
    return [
        {
            "calls": CALLS,
            "before_mb": round(before),
            "loaded_mb": round(loaded),
            "first_500_calls_mb": round(statistics.mean(seen[:5]), 1),
            "last_500_calls_mb": round(statistics.mean(seen[-5:]), 1),
            "most_mb": round(max(seen)),
            "after_closing_mb": round(_resident()),
        }
    ]


def _resident() -> float:
    """Resident memory of this process in megabytes; the file's own pages, which are mapped, included."""
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) / 1024
    raise RuntimeError("the system does not tell this process's memory")
