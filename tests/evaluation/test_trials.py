"""The trials ledger forgets nothing and counts nothing twice, also with many processes."""

import multiprocessing
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from paperdesk.simulations.evaluation.trials import Counted, TrialsError, ledger_path, trials_of


def rising(count: int = 30) -> pd.Series:
    rng = np.random.default_rng(1)
    return pd.Series(
        1e5 * np.cumprod(1 + rng.normal(0.001, 0.01, count)), index=pd.bdate_range("2031-01-02", periods=count)
    )


def write(path: str, first: int) -> None:
    for number in range(first, first + 20):
        trial = Counted("market", f"configuration {number}", "desk", Path(path))
        trial.begin()
        trial.end(rising())


def test_processes_that_write_at_once_lose_nothing_and_count_each_configuration_once(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "trials.db"
    context = multiprocessing.get_context("spawn")
    processes = [context.Process(target=write, args=(str(path), first)) for first in (0, 10, 20)]
    for process in processes:
        process.start()
    for process in processes:
        process.join(120)
        assert process.exitcode == 0
    found = trials_of("market", path)
    assert {trial.configuration for trial in found} == {f"configuration {n}" for n in range(40)}
    assert len(found) == 40


def test_a_trial_that_never_ended_counts_and_has_no_sharpe_ratio(tmp_path: Path) -> None:
    path = tmp_path / "trials.db"
    Counted("market", "a", "begun", path).begin()
    done = Counted("market", "b", "ended", path)
    done.begin()
    done.end(rising())
    flat = Counted("market", "c", "never traded", path)
    flat.begin()
    flat.end(pd.Series(1e5, index=rising().index))
    by_name = {trial.configuration: trial.sharpe for trial in trials_of("market", path)}
    returns = rising().pct_change().dropna()
    assert by_name == {"a": None, "b": pytest.approx(float(returns.mean() / returns.std())), "c": None}
    assert trials_of("another market", path) == []


def test_the_ledger_is_where_the_environment_says(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PAPERDESK_TRIALS", "off")
    assert ledger_path() is None
    Counted("market", "a", "x", None).begin()
    assert trials_of("market", None) == []
    monkeypatch.delenv("PAPERDESK_TRIALS")
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    assert ledger_path() == tmp_path / "paperdesk" / "trials.db"


def test_a_ledger_that_cannot_be_used_is_told_and_not_passed_over(tmp_path: Path) -> None:
    broken = tmp_path / "trials.db"
    broken.write_bytes(b"this is no database, whatever its name says " * 40)
    with pytest.raises(TrialsError, match="PAPERDESK_TRIALS"):
        Counted("market", "a", "x", broken).begin()
    with pytest.raises(TrialsError):
        trials_of("market", broken)
