"""Mean-CVaR against PyPortfolioOpt, skfolio, Riskfolio-Lib and raw HiGHS: CPU time per rebalance, and who is right.

All solve the least CVaR at beta 0.95, fully invested, long only, with a cap, which is what all of them can. Prices are
skfolio's twenty S&P 500 shares (20 assets) and a factor model with fat tails (64 and 500). One process per library,
with one thread; CPU time of the process, medians. A gap is the relative distance of a library's exact CVaR from the
best one found. The rivals need an environment of their own (optimizer_peers.txt); without it there are only our rows.
"""

import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np
from numpy.typing import NDArray

Matrix = NDArray[np.float64]

BETA = 0.95
CAPS = {20: 0.2, 64: 0.1, 500: 0.05}
ROLLING = [(20, 2500, 1), (20, 2500, 21), (64, 2500, 1), (64, 2500, 21), (500, 1000, 21), (500, 2500, 21)]
COLD = [(20, 252), (20, 2500), (64, 2500), (500, 1000), (500, 2500), (500, 10000)]
WINDOWS = 60
"""Rebalances of ours per rolling case."""
PATIENCE_S = 120
"""A rival gets no more windows than fit into this; a single one that does not is a time-out."""
PEERS = (
    "skfolio, Clarabel",
    "skfolio, HiGHS",
    "Riskfolio-Lib, Clarabel",
    "Riskfolio-Lib, HiGHS",
    "PyPortfolioOpt, Clarabel",
    "PyPortfolioOpt, HiGHS",
    "raw HiGHS, simplex",
    "raw HiGHS, interior point",
)
PEERS_OF_LARGE = ("skfolio, Clarabel", "PyPortfolioOpt, Clarabel", "raw HiGHS, simplex", "raw HiGHS, interior point")
"""Beyond two million numbers: one of each kind, the faster where they differ in the cases before."""
ONE_THREAD = {"OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1", "MKL_NUM_THREADS": "1", "RAYON_NUM_THREADS": "1"}


def returns_of(assets: int, sessions: int) -> Matrix:
    """(sessions, assets): real ones for twenty assets, a factor model with fat tails for more."""
    if assets == 20:
        from skfolio.datasets import load_sp500_dataset

        prices = load_sp500_dataset().to_numpy()
        return np.asarray((prices[1:] / prices[:-1] - 1)[-sessions:], dtype=np.float64)
    rng = np.random.default_rng(1)
    market = rng.standard_t(4, (sessions, 1)) * 0.008
    factors = rng.standard_t(5, (sessions, 5)) * 0.004
    own = rng.standard_t(4, (sessions, assets)) * rng.uniform(0.008, 0.02, assets)
    drift = rng.normal(3e-4, 2e-4, assets)
    return np.asarray(
        market @ rng.normal(1, 0.4, (1, assets)) + factors @ rng.normal(0, 0.5, (5, assets)) + own + drift
    )


def cvar(returns: Matrix, weights: Matrix) -> float:
    """The exact CVaR of equally likely scenarios."""
    losses = np.sort(-returns @ weights)[::-1]
    count = (1 - BETA) * len(losses)
    whole = int(count + 1e-9)
    rest = (count - whole) * losses[whole] if whole < len(losses) else 0.0
    return float((losses[:whole].sum() + rest) / count)


def ours(case: dict[str, Any]) -> dict[str, Any]:
    """CPU seconds (making the problem included) and weights of every window, as the peers answer."""
    from paperdesk.tools.optimizer import MeanCVaR, MinimumCVaR, Problem, Solution

    matrix = np.load(case["file"])
    names = tuple(f"a{place}" for place in range(matrix.shape[1]))
    optimizer = MeanCVaR(warm=case["warm"])
    seconds, weights = [], []
    small = Problem(tickers=names[:5], scenarios=matrix[:60, :5], goal=MinimumCVaR(), min_invested=1.0)
    optimizer.solve(small)
    for start, stop in case["windows"]:
        began = time.process_time()
        asked = Problem(
            tickers=names,
            scenarios=matrix[start:stop],
            goal=MinimumCVaR(),
            caps=np.array(case["cap"]),
            min_invested=1.0,
        )
        found = optimizer.solve(asked)
        seconds.append(time.process_time() - began)
        assert isinstance(found, Solution)
        weights.append(list(found.weights.values()))
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return {"cpu_s": seconds, "weights": weights, "most_mb": round(memory)}


def _asked(python: str, program: list[str], case: dict[str, Any]) -> dict[str, Any]:
    try:
        done = subprocess.run(
            [python, *program],
            input=json.dumps(case) + "\n",
            capture_output=True,
            text=True,
            timeout=PATIENCE_S,
            env=os.environ | ONE_THREAD,
            cwd=Path(__file__).parents[1],
            check=False,
        )
    except subprocess.TimeoutExpired:
        return {"failed": f"no answer in {PATIENCE_S} s"}
    if done.returncode:
        return {"failed": done.stderr.strip().splitlines()[-1][:200] if done.stderr else f"exit {done.returncode}"}
    answer: dict[str, Any] = json.loads(done.stdout)
    return answer


def _windows(sessions: int, step: int, count: int) -> list[list[int]]:
    return [[step * place, step * place + sessions] for place in range(count)]


def compare(folder: Path, assets: int, sessions: int, step: int | None) -> list[dict[str, Any]]:
    """One row per library for one case; cold without a step."""
    count = 1 if step is None else WINDOWS
    matrix = returns_of(assets, sessions + (step or 0) * (count - 1))
    file = folder / f"{assets}x{sessions}x{step}.npy"
    np.save(file, matrix)
    base = {"file": str(file), "cap": CAPS[assets], "beta": BETA}
    repeats = 1 if step is not None else 5 if assets * sessions < 500_000 else 3
    here = base | {"windows": _windows(sessions, step or 0, count) * repeats, "warm": step is not None}
    answers = {"PaperDesk": _asked(sys.executable, ["-m", "benchmarks.optimizer"], here)}
    peers = os.environ.get("PAPERDESK_PEERS")
    # Rivals solve the windows alike, cold each time: a few of them tell the median.
    few = 1 if assets * sessions > 500_000 else 3
    spread = here["windows"][:: max(1, len(here["windows"]) // few)][:few]
    rivals = PEERS if assets * sessions < 2_000_000 else PEERS_OF_LARGE
    for peer in rivals if peers else ():
        program = [str(Path(__file__).with_name("optimizer_peers.py"))]
        answers[peer] = _asked(str(peers), program, base | {"peer": peer, "windows": spread})
    best: dict[int, float] = {}
    for said, windows in ((said, here["windows"] if name == "PaperDesk" else spread) for name, said in answers.items()):
        for (start, stop), weights in zip(windows, said.get("weights", []), strict=False):
            value = cvar(matrix[start:stop], np.array(weights))
            best[start] = min(best.get(start, np.inf), value)
    rows = []
    label = f"{assets}x{sessions} {'cold' if step is None else f'step {step}'}"
    for name, said in answers.items():
        row: dict[str, Any] = {"case": label, "library": name}
        if "failed" in said:
            rows.append(row | {"failed": said["failed"]})
            continue
        windows = here["windows"] if name == "PaperDesk" else spread
        gaps = [
            cvar(matrix[start:stop], np.array(weights)) / best[start] - 1
            for (start, stop), weights in zip(windows, said["weights"], strict=True)
        ]
        times = said["cpu_s"][1:] if name == "PaperDesk" and step is not None else said["cpu_s"]
        row |= {
            "cpu_ms": round(1e3 * median(times), 3),
            "rebalances": len(times),
            "worst_gap": float(f"{max(gaps):.1e}"),
        }
        rows.append(row | ({"most_mb": said["most_mb"]} if "most_mb" in said else {}))
    theirs = [row["cpu_ms"] for row in rows[1:] if "cpu_ms" in row and not row["library"].startswith("raw")]
    if theirs and "cpu_ms" in rows[0]:
        rows[0]["times_fastest_library"] = round(min(theirs) / rows[0]["cpu_ms"], 1)
    return rows


def measure() -> list[dict[str, Any]]:
    """Rolling cases, then cold ones."""
    with tempfile.TemporaryDirectory() as folder:
        rows = []
        for assets, sessions, step in ROLLING:
            rows += compare(Path(folder), assets, sessions, step)
        for assets, sessions in COLD:
            rows += compare(Path(folder), assets, sessions, None)
    return rows


if __name__ == "__main__":
    for line in sys.stdin:
        sys.stdout.write(json.dumps(ours(json.loads(line))) + "\n")
