"""A field on a real Ray of this machine: the heads of the process runner, workers that die, Ctrl-C, and refusals."""

import json
import os
import socket
import subprocess
import sys
from contextlib import nullcontext
from pathlib import Path

import pytest
from typer.testing import CliRunner

from paperdesk.cli import app
from paperdesk.simulations.config import SessionConfig
from paperdesk.simulations.field.command import continued
from paperdesk.simulations.field.member import Task
from paperdesk.simulations.field.plan import Field, Status, read_field, sweep_of
from paperdesk.simulations.field.processes import Processes
from paperdesk.simulations.field.ray_cluster import _run_on_node
from paperdesk.simulations.field.runner import run_field, runner_at
from paperdesk.tools.errors import InputError

SWEEP = """
[base]
model = "scorecard"
without = ["fundamental"]
[[grid.market]]
name = "once"
slippage_bps = 0.0
[[grid.market]]
name = "twice"
slippage_bps = 50.0
[[grid.market]]
name = "bad"
market = "nowhere"
"""
ON_RAY = '''
"""Run the field: kill who works on `once` once and on `twice` twice; then go on, and press Ctrl-C in the middle."""
import json, os, signal, subprocess, sys, threading, time
from pathlib import Path

from paperdesk.simulations.field.command import continued
from paperdesk.simulations.field.plan import sweep_of
from paperdesk.simulations.field.ray_cluster import ray_cluster
from paperdesk.simulations.field.runner import run_field


def writer(name):
    """The process that holds the lock on a session's journal; 0: none."""
    try:
        inode = str(os.stat(f"field/sessions/{name}/journal.lock").st_ino)
    except FileNotFoundError:
        return 0
    locks = [line.split() for line in Path("/proc/locks").read_text().splitlines()]
    held = [int(one[4]) for one in locks if one[1] == "FLOCK" and one[5].rpartition(":")[2] == inode]
    return held[0] if held else 0


def kill(name, times):
    killed = set()
    while len(killed) < times:
        time.sleep(0.01)
        if (pid := writer(name)) not in {0, os.getpid(), *killed}:
            os.kill(pid, signal.SIGKILL)
            killed.add(pid)


def interrupt(name):
    while not writer(name):
        time.sleep(0.01)
    os.kill(os.getpid(), signal.SIGINT)


def tree(pid):
    """A process and all below it."""
    found = {pid}
    while True:
        parents = {}
        for stat in Path("/proc").glob("[0-9]*/stat"):
            try:
                parents[int(stat.parent.name)] = int(stat.read_text().rpartition(")")[2].split()[1])
            except OSError:
                continue  # it has ended
        more = {child for child, parent in parents.items() if parent in found} - found
        if not more:
            return found
        found |= more


def listens():
    """Addresses, as the kernel writes them, on which this process and those below it listen."""
    mine = set()
    for pid in tree(os.getpid()):
        for handle in Path(f"/proc/{pid}/fd").glob("*"):
            try:
                mine.add(os.readlink(handle))
            except OSError:
                continue  # it was closed
    rows = [row.split() for v in ("tcp", "tcp6") for row in Path(f"/proc/net/{v}").read_text().splitlines()[1:]]
    return sorted({row[1].partition(":")[0] for row in rows if row[3] == "0A" and f"socket:[{row[9]}]" in mine})


plan, folder = sweep_of(Path("sweep.toml")), Path("field")
found = {"told": []}
tell = lambda name, status, _: found["told"].append(name)
try:
    with ray_cluster(2, None) as runner:
        found["about"] = runner.about
        found["listens"] = listens()
        watchers = [threading.Thread(target=kill, args=job, daemon=True) for job in (("once", 1), ("twice", 2))]
        for watcher in watchers:
            watcher.start()
        first = run_field(plan, folder, runner, tell=tell)
        for watcher in watchers:
            watcher.join(timeout=10)
        found["killed"] = not any(watcher.is_alive() for watcher in watchers)
        found["first"] = {name: status.model_dump() for name, status in first.status.items()}
        threading.Thread(target=interrupt, args=("twice",), daemon=True).start()
        run_field(continued(plan, folder), folder, runner, tell=tell)
except KeyboardInterrupt:
    found["interrupted"] = True
found["left"] = writer("twice"), len(tree(os.getpid())) - 1
print(json.dumps(found))
'''


def quiet(name: str, status: Status, field: Field) -> None:
    """Nobody listens."""


@pytest.mark.slow
def test_on_ray_a_field_comes_to_the_same_heads_whoever_is_killed(tmp_path: Path) -> None:
    (tmp_path / "sweep.toml").write_text(SWEEP)
    (tmp_path / "on_ray.py").write_text(ON_RAY)
    done = subprocess.run(
        [sys.executable, "on_ray.py"], cwd=tmp_path, capture_output=True, text=True, timeout=540, check=False
    )
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout.splitlines()[-1])
    assert found["about"] == "2 at a time on a local Ray"
    assert set(found["listens"]) <= {"0100007F", "0000000000000000FFFF00000100007F"}
    assert found["listens"]
    # one that was killed once was resumed, one that is killed again and again has failed, like one without a market
    assert found["killed"]
    assert {name: status["state"] for name, status in found["first"].items()} == {
        "once": "done", "twice": "failed", "bad": "failed",
    }  # fmt: skip
    assert "killed, twice" in found["first"]["twice"]["error"]
    assert "nowhere" in found["first"]["bad"]["error"]
    assert sorted(found["told"][:3]) == ["bad", "once", "twice"]
    assert "once" not in found["told"][3:]
    # Ctrl-C leaves nobody at work
    assert found["interrupted"]
    assert found["left"] == [0, 0]

    field = sweep_of(tmp_path / "sweep.toml")
    assert read_field(tmp_path / "field").status["once"].state == "done"
    went_on = run_field(continued(field, tmp_path / "field"), tmp_path / "field", Processes(1), tell=quiet)
    afresh = run_field(field, tmp_path / "afresh", Processes(1), tell=quiet)
    assert {n: s.head for n, s in went_on.status.items()} == {n: s.head for n, s in afresh.status.items()}
    assert went_on.status["once"].head == found["first"]["once"]["head"]
    assert went_on.status["twice"].state == "done"


def test_without_the_extra_a_sentence_names_it(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv("RAY_ADDRESS", raising=False)
    monkeypatch.setenv("RAY_AUTH_MODE", "mine")
    monkeypatch.setitem(sys.modules, "ray", None)
    before = dict(os.environ)
    (tmp_path / "sweep.toml").write_text(SWEEP)
    done = CliRunner().invoke(app, ["sweep", str(tmp_path / "sweep.toml"), "--out", str(tmp_path / "f"), "--on", "ray"])
    assert isinstance(done.exception, InputError)
    assert "pip install 'paperdesk[ray]'" in str(done.exception)
    assert not (tmp_path / "f").exists()
    assert dict(os.environ) == before  # what Ray would have read is gone with it


def test_a_node_without_the_files_says_so(tmp_path: Path) -> None:
    task = Task("one", SessionConfig(model="scorecard"), tmp_path / "unseen" / "sessions" / "one", None)
    status = _run_on_node(task, tmp_path, "off")
    assert status.state == "failed"
    assert f"sees no {tmp_path / 'unseen'}" in status.error
    assert list(tmp_path.iterdir()) == []


def test_an_address_without_ray_is_refused() -> None:
    with pytest.raises(InputError, match="--on ray"):
        runner_at("processes", ray_address="127.0.0.1:6379")
    assert isinstance(runner_at("processes", jobs=3), nullcontext)


@pytest.mark.parametrize("address", ["ray://127.0.0.1:10001", "auto", "127.0.0.1", "127.0.0.1:x", "127.0.0.1:99999"])
def test_what_is_no_address_of_a_cluster_is_refused(address: str) -> None:
    with pytest.raises(InputError, match="cannot be used"), runner_at("ray", ray_address=address):
        pass


def test_a_cluster_that_does_not_answer_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))  # and nobody listens there
        monkeypatch.setenv("RAY_ADDRESS", f"127.0.0.1:{unused.getsockname()[1]}")
        with pytest.raises(InputError, match="refused"), runner_at("ray"):
            pass
