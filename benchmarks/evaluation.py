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
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from joblib import Parallel, delayed

from paperdesk.simulations.config import SessionConfig
from paperdesk.simulations.evaluation.command import counted_trials
from paperdesk.simulations.evaluation.record import read_session
from paperdesk.simulations.evaluation.session_report import Settings, evaluate_lottery
from paperdesk.simulations.evaluation.trials import VARIABLE
from paperdesk.simulations.session import start
from paperdesk.tools.market.laboratory import LaboratoryPlan, make, write_laboratory


@dataclass(frozen=True)
class Markets:
    """Markets that differ in their seed, half of them with momentum planted."""

    companies: int
    years: int
    strength: float
    """Times the usual size: a few years of a few companies are little to tell skill by."""
    seeds: range


SCORECARD = (Markets(10, 5, 10.0, range(101, 151)), Markets(20, 5, 5.0, range(301, 351)))
"""Nobody had looked at these seeds. The verdict was chosen on seeds 1 to 10 and 1001 to 1060, the second kind of market
on seeds 201 to 210 after what the first had shown."""
ACCOUNTS = 40
"""Random accounts: no more than two of them may do better."""
MAX_WEIGHT = 0.3
JOBS = 2


def judged(markets: Markets, seed: int, strength: float, **mind: Any) -> dict[str, Any]:
    """One market, one session, one verdict.

    Args:
        markets: of which it is one.
        seed: its own.
        strength: of momentum there; 0 plants nothing.
        mind: fields of the session's configuration that choose its mind; the scorecard without.
    """
    os.environ["PAPERDESK_CACHE"] = "off"
    began = time.process_time()
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        os.environ[VARIABLE] = str(folder / "trials.db")
        plan = LaboratoryPlan(
            companies=markets.companies,
            years=markets.years,
            seed=seed,
            distractors=0,
            edges={"momentum": strength} if strength else {},
        )
        write_laboratory(make(plan), folder / "market")
        fields = {"model": "scorecard", "max_weight": MAX_WEIGHT, "market": str(folder / "market"), **mind}
        start(SessionConfig.model_validate(fields), folder / "session")
        record = read_session(folder / "session")
        found = evaluate_lottery(record, counted_trials(record), Settings(draws=1000, accounts=ACCOUNTS))
    assert found is not None
    sys.stderr.write(f"{markets.companies} companies, seed {seed}, strength {strength:g}: {found.skilled}\n")
    return {
        "skilled": found.skilled,
        "alpha": round(found.alpha.value, 4),
        "cpu_s": time.process_time() - began,
    }


def measure() -> list[dict[str, Any]]:
    """For each kind of market, a row with nothing planted and one with momentum."""
    return [
        summary(markets, strength, Parallel(JOBS)(delayed(judged)(markets, seed, strength) for seed in markets.seeds))
        for markets in SCORECARD
        for strength in (0.0, markets.strength)
    ]


def summary(markets: Markets, strength: float, verdicts: list[dict[str, Any]]) -> dict[str, Any]:
    """A row."""
    alphas = sorted(row["alpha"] for row in verdicts)
    called = sum(row["skilled"] for row in verdicts)
    return {
        "market": f"momentum planted, strength {strength:g}" if strength else "nothing planted",
        "companies": markets.companies,
        "years": markets.years,
        "first_seed": markets.seeds[0],
        "seeds": len(verdicts),
        "called_skilled": called,
        "share": round(called / len(verdicts), 3),
        "alpha_median": alphas[len(alphas) // 2],
        "alpha_least": alphas[0],
        "alpha_most": alphas[-1],
        "cpu_s_per_seed": round(sum(row["cpu_s"] for row in verdicts) / len(verdicts), 1),
    }
