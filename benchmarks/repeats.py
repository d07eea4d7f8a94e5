"""The same requests in fresh processes: are the answers equal byte for byte, and what do other settings change?

Two requests: seven companies with claims in two orders of their evidence, and one object that is drawn.
"""

import hashlib
import json
import subprocess
import sys
from typing import Any

from paperdesk.agents.models.core import Reply, Request

from .desk_requests import analyst_requests, single

PROCESSES = 50
_CHILD = """
import sys
from paperdesk.agents.models.core import Request
from paperdesk.agents.models.llama_cpp import LlamaCpp
from paperdesk.agents.models.open import bundled_model
mind = LlamaCpp(bundled_model(), threads=int(sys.argv[1]))
for line in sys.stdin:
    print(mind.answer(Request.model_validate_json(line)).model_dump_json())
mind.close()
"""


def measure() -> list[dict[str, Any]]:
    """How many different outputs in so many processes; then what one and four threads change."""
    whole, other = analyst_requests(repeats=1, end="2024-02-05")[:2]
    drawn = single(other, other.questions[0], 0).model_copy(update={"temperature": 0.8, "seed": 7})
    requests = [whole, drawn]
    outputs = [_run(requests, 2) for _ in range(PROCESSES)]
    digests = {hashlib.sha256(output.encode()).hexdigest() for output in outputs}
    rows: list[dict[str, Any]] = [{"threads": 2, "processes": PROCESSES, "different_outputs": len(digests)}]
    pinned = _replies(outputs[0])
    for threads in (1, 4):
        output = _run(requests, threads)
        other = _replies(output)
        pairs = [
            (one, two)
            for a, b in zip(pinned, other, strict=True)
            for one, two in zip(a.answers, b.answers, strict=True)
        ]
        moved = max(abs(one.probabilities[k] - two.probabilities[k]) for one, two in pairs for k in one.probabilities)
        rows.append(
            {
                "threads": threads,
                "equal_to_two_threads": output == outputs[0],
                "answers": len(pairs),
                "same_object": sum(one.object == two.object for one, two in pairs),
                "furthest_probability": float(f"{moved:.2g}"),
            }
        )
    return rows


def _run(requests: list[Request], threads: int) -> str:
    lines = "\n".join(json.dumps(request.model_dump(mode="json", by_alias=True)) for request in requests)
    done = subprocess.run(
        [sys.executable, "-c", _CHILD, str(threads)], input=lines, capture_output=True, text=True, check=True
    )
    return done.stdout


def _replies(output: str) -> list[Reply]:
    return [Reply.model_validate_json(line) for line in output.splitlines()]
