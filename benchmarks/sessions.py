"""Wall time and peak memory of whole sessions, each in a process of its own."""

import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

US8 = Path(__file__).parents[1] / "../shared/data/us8"
"""Real data beside the repository; its sessions are left out where it is absent."""

SESSIONS: dict[str, list[str]] = {
    "generated, smollm2": [],
    "generated, scorecard": ["--model", "scorecard"],
    "us-tech 2007-2009, scorecard": ["--market", "us-tech", "--model", "scorecard"],
    "us-tech 2007-2009, smollm2": ["--market", "us-tech"],
    "us8 2024-2025, scorecard": [*("--start", "2024-01-02", "--end", "2025-08-08"), "--model", "scorecard"],
    "us8 2024-2025, smollm2": ["--start", "2024-01-02", "--end", "2025-08-08"],
}


def measure() -> list[dict[str, Any]]:
    """One row per session."""
    rows = []
    for name, options in SESSIONS.items():
        if name.startswith("us8"):
            if not US8.is_dir():
                continue
            options = ["--market", str(US8.resolve()), *options]
        rows.append({"session": name} | _run(options))
    return rows


def _run(options: list[str]) -> dict[str, Any]:
    with tempfile.TemporaryDirectory() as folder:
        command = [str(Path(sys.executable).with_name("paperdesk")), "run", *options, "--out", f"{folder}/session"]
        began = time.monotonic()
        process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
        assert process.stderr is not None
        first_work = 0.0
        for line in process.stderr:
            if not first_work and "decision 1 of" in line:
                first_work = time.monotonic() - began
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode != 0:
            raise RuntimeError(f"paperdesk {' '.join(options)} ended with {process.returncode}")
        return {
            "wall_s": round(time.monotonic() - began, 1),
            "cpu_s": round(usage.ru_utime + usage.ru_stime, 1),
            "first_decision_s": round(first_work, 1),
            "peak_mb": round(usage.ru_maxrss / 1024),
        }
