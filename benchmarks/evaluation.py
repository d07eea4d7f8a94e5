"""Does the evaluation call skill what is skill, and luck what is luck? Laboratory markets whose truth is known.

Half of the markets have momentum planted, the others nothing. On each the desk with the scorecard runs one session, and
the verdict on its choice of names is `Lottery.skilled`: a deflated Sharpe ratio above 95 % of what it earned beyond the
mean random account with its own turnover, an interval without 0, and no more than 5 % of the random accounts earning
more.
Where nothing is planted, every verdict of skill is false.
"""

import os
import sys
import tempfile
import time
from itertools import product
from pathlib import Path
from typing import Any

from paperdesk.simulations.config import SessionConfig
from paperdesk.simulations.evaluation.command import counted_trials
from paperdesk.simulations.evaluation.record import read_session
from paperdesk.simulations.evaluation.session_report import Settings, evaluate_lottery
from paperdesk.simulations.evaluation.trials import VARIABLE
from paperdesk.simulations.session import start
from paperdesk.tools.market.laboratory import LaboratoryPlan, make, write_laboratory

RECORDS = {3: range(51, 101), 5: range(101, 151)}
"""Years of a market, and its seeds. Nobody had looked at these; strength, size and verdict were chosen on seeds 1 to 10
and 1001 to 1060, the five years after what the three had shown."""
STRENGTH = 10.0
"""Times the usual size: a few years of ten companies are little to tell skill by."""
COMPANIES = 10
ACCOUNTS = 40
"""Random accounts: no more than two of them may do better."""
MAX_WEIGHT = 0.3


def judged(seed: int, years: int, strength: float, model: str = "scorecard") -> dict[str, Any]:
    """One market, one session, one verdict."""
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        os.environ[VARIABLE] = str(folder / "trials.db")
        plan = LaboratoryPlan(
            companies=COMPANIES,
            years=years,
            seed=seed,
            distractors=0,
            edges={"momentum": strength} if strength else {},
        )
        write_laboratory(make(plan), folder / "market")
        start(SessionConfig(market=str(folder / "market"), model=model, max_weight=MAX_WEIGHT), folder / "session")
        record = read_session(folder / "session")
        found = evaluate_lottery(record, counted_trials(record), Settings(draws=1000, accounts=ACCOUNTS))
    assert found is not None
    return {
        "seed": seed,
        "skilled": found.skilled,
        "alpha": round(found.alpha.value, 4),
        "deflated": round(found.deflated, 4),
        "rank_sharpe": found.rank_sharpe,
    }


def measure() -> list[dict[str, Any]]:
    """For each length of record, a row with nothing planted and one with momentum."""
    os.environ["PAPERDESK_CACHE"] = "off"
    rows = []
    planted = (("nothing planted", 0.0), (f"momentum planted, strength {STRENGTH:g}", STRENGTH))
    for (years, seeds), (name, strength) in product(RECORDS.items(), planted):
        began, verdicts = time.process_time(), []
        for seed in seeds:
            verdicts.append(judged(seed, years, strength))
            sys.stderr.write(f"{name}, {years} years: {verdicts[-1]}\n")
        rows.append(summary(name, years, verdicts, time.process_time() - began))
    return rows


def summary(name: str, years: int, verdicts: list[dict[str, Any]], cpu_s: float) -> dict[str, Any]:
    """A row."""
    alphas = sorted(row["alpha"] for row in verdicts)
    called = sum(row["skilled"] for row in verdicts)
    return {
        "market": name,
        "companies": COMPANIES,
        "years": years,
        "seeds": len(verdicts),
        "called_skilled": called,
        "share": round(called / len(verdicts), 3),
        "alpha_median": alphas[len(alphas) // 2],
        "alpha_least": alphas[0],
        "alpha_most": alphas[-1],
        "cpu_s_per_seed": round(cpu_s / len(verdicts), 1),
    }
