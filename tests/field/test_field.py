"""Fields: what is planned, run side by side, stopped and continued, and what failures do to each other."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from paperdesk.memory.journal import Journal
from paperdesk.simulations.config import SessionConfig
from paperdesk.simulations.evaluation.session_report import Settings
from paperdesk.simulations.field.command import continued
from paperdesk.simulations.field.member import Task, needs_engine
from paperdesk.simulations.field.plan import Field, Status, read_field, study_of, sweep_of
from paperdesk.simulations.field.processes import Processes
from paperdesk.simulations.field.progress import Progress
from paperdesk.simulations.field.reactions import pass_power
from paperdesk.simulations.field.report import evaluate_field
from paperdesk.simulations.field.runner import run_field
from paperdesk.simulations.field.sections import field_paper
from paperdesk.simulations.pace import duration
from paperdesk.tools.errors import InputError

SWEEP = """
title = "How often, at which costs"
[base]
model = "scorecard"
without = ["fundamental"]
[grid]
frequency = ["quarterly", "monthly"]
[[grid.costs]]
name = "free"
slippage_bps = 0.0
[[grid.costs]]
name = "dear"
slippage_bps = 50.0
"""


def written(folder: Path, text: str = SWEEP) -> Path:
    file = folder / "sweep.toml"
    file.write_text(text)
    return file


def quiet(name: str, status: Status, field: Field) -> None:
    """Nobody listens."""


def test_every_combination_is_a_session_with_a_name(tmp_path: Path) -> None:
    field = sweep_of(written(tmp_path))
    assert [m.name for m in field.members] == [
        "frequency-quarterly-free", "frequency-quarterly-dear", "frequency-monthly-free", "frequency-monthly-dear",
    ]  # fmt: skip
    assert [m.config.slippage_bps for m in field.members] == [0, 50, 0, 50]
    assert all(m.config.without == ("fundamental",) for m in field.members)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[base]\n", "no grid"),
        ("[grid]\nseed = 3\n", "no list"),
        ("[grid]\nseeds = [1]\n", "no setting"),
        ("grid = [1]\n", "no grid"),
        ("colour = 1\n[grid]\nseed = [1]\n", "colour"),
        ("[base]\nmax_weight = 2\n[grid]\nseed = [1]\n", "max_weight"),
        ("[grid]\nseed = [1, 1]\n", "same name"),
        ("[grid]\nseed = [" + ",".join(map(str, range(2001))) + "]\n", "2,001"),
        ("[grid\n", "valid TOML"),
    ],
)
def test_a_faulty_sweep_is_refused_with_a_sentence(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(InputError, match=message):
        sweep_of(written(tmp_path, text))


def test_a_study_leaves_out_one_thing_at_a_time() -> None:
    base = SessionConfig(model="scorecard")
    field = study_of(base, ablations=True, placebos=True, repeats=3, models=("smollm2",))
    by_name = {m.name: m for m in field.members}
    assert by_name["base"].config == base
    assert by_name["without-fundamental_analyst"].config.without == ("fundamental_analyst",)
    assert by_name["no-auditor"].config.ablate == ("auditor",)
    assert by_name["no-memory"].config.ablate == ("memory",)
    assert by_name["masked"].config.mask == ("names", "dates", "levels")
    assert {m.config.placebo for m in field.members} == {None, "documents", "flip", "blocks", "hostile"}
    assert [m.config.seed for m in field.members if m.role == "repeat"] == [1, 2, 3]
    assert by_name["model-smollm2"].config.model == "smollm2"
    assert "scorecard" not in by_name
    assert len([m for m in field.members if m.role == "ablation"]) >= 6
    with pytest.raises(InputError):
        study_of(base.model_copy(update={"placebo": "flip"}), ablations=True)


def test_a_model_file_is_loaded_by_one_process_only() -> None:
    assert needs_engine(SessionConfig(model="smollm2"))
    assert needs_engine(SessionConfig(model="/models/some.gguf"))
    assert not needs_engine(SessionConfig(model="scorecard"))
    assert not needs_engine(SessionConfig(model="http://127.0.0.1:8080/v1#x"))


def test_progress_says_how_much_is_left(tmp_path: Path) -> None:
    field = sweep_of(written(tmp_path))
    progress, done = Progress(field), Status(state="done", seconds=10.0)
    now = field.model_copy(update={"status": {field.members[0].name: done}})
    assert "1 of 4 done" in progress.line(field.members[0].name, done, now)
    assert "left" in progress.line(field.members[0].name, done, now)
    failed = Status(state="failed", seconds=1.0, error="no such market")
    now = now.model_copy(update={"status": now.status | {field.members[1].name: failed}})
    line = progress.line(field.members[1].name, failed, now)
    assert "failed: no such market" in line
    assert "1 failed" in line
    assert [duration(s) for s in (40, 600, 4800)] == ["40 s", "10 min", "1 h 20 min"]


def test_pass_power_is_the_chance_that_all_of_k_pass() -> None:
    assert pass_power(4, 2) == pytest.approx((0.5, 1 / 6, 0.0, 0.0))
    assert pass_power(3, 3) == (1.0, 1.0, 1.0)


def test_another_field_in_the_folder_is_refused(tmp_path: Path) -> None:
    from paperdesk.simulations.field.plan import write_field

    field = sweep_of(written(tmp_path))
    write_field(field, tmp_path / "field")
    assert continued(field, tmp_path / "field") == field
    with pytest.raises(InputError, match="another field"):
        continued(field.model_copy(update={"members": field.members[:2]}), tmp_path / "field")
    with pytest.raises(InputError, match="no field"):
        read_field(tmp_path)


SHORT = SWEEP.replace('["quarterly", "monthly"]', '["quarterly"]')
RUN = """
import sys
from pathlib import Path
from paperdesk.simulations.field.plan import sweep_of
from paperdesk.simulations.field.runner import run_field
from paperdesk.simulations.field.processes import Processes
if __name__ == "__main__":
    folder = Path(sys.argv[1])
    run_field(sweep_of(folder / "sweep.toml"), folder / "field", Processes(2), tell=lambda *_: None)
"""


@pytest.mark.slow
def test_a_field_killed_while_it_runs_goes_on_to_the_same_heads(tmp_path: Path) -> None:
    plan = written(tmp_path, SHORT)
    script = tmp_path / "run.py"
    script.write_text(RUN)
    process = subprocess.Popen([sys.executable, str(script), str(tmp_path)], start_new_session=True)
    folder = tmp_path / "field"
    deadline = time.monotonic() + 240
    # until one at least is at work, or even done
    while time.monotonic() < deadline and process.poll() is None:
        time.sleep(0.1)
        if len(list((folder / "sessions").glob("*/manifest.json"))) >= 1:
            break
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    field = continued(sweep_of(plan), folder)
    before = {name: s.head for name, s in field.status.items()}
    field = run_field(field, folder, Processes(2), tell=quiet)
    assert {s.state for s in field.status.values()} == {"done"}
    for name, head in before.items():
        assert field.status[name].head == head
    for member in field.members:
        with Journal.open_readonly(field.folder_of(folder, member.name)) as journal:
            assert journal.is_finished
            assert journal.head == field.status[member.name].head
    report = evaluate_field(field, folder, Settings(draws=200, accounts=20), lambda _: None)
    assert [m.state for m in report.members] == ["done"] * 2
    (selection,) = report.selections
    assert selection.variants == 2
    assert selection.overfitting is not None
    assert 0 <= selection.overfitting <= 1
    assert field_paper(report).sections[0].rows[0][0] == "frequency-quarterly-free"


@pytest.mark.slow
def test_one_failure_leaves_the_others_alone(tmp_path: Path) -> None:
    field = sweep_of(written(tmp_path, SHORT))
    bad = field.members[0].model_copy(
        update={"name": "bad", "config": field.members[0].config.model_copy(update={"market": str(tmp_path / "none")})}
    )
    field = field.model_copy(update={"members": (bad, *field.members)})
    field = run_field(field, tmp_path / "field", Processes(2), tell=quiet)
    assert {name: s.state for name, s in field.status.items()} == {
        "bad": "failed", "frequency-quarterly-free": "done", "frequency-quarterly-dear": "done",
    }  # fmt: skip
    assert "none" in field.status["bad"].error
    report = evaluate_field(field, tmp_path / "field", Settings(draws=200, accounts=20), lambda _: None)
    assert any("bad failed" in sentence for sentence in report.failed)
    assert read_field(tmp_path / "field") == field


@pytest.mark.slow
def test_only_who_dies_with_nobody_at_its_side_is_blamed(tmp_path: Path) -> None:
    def work(task: Task) -> tuple[str, Status]:  # in processes of its own
        begun = task.folder.parent / "beside.begun"
        if task.name == "killer":
            while not begun.exists():
                time.sleep(0.01)
            os.kill(os.getpid(), signal.SIGKILL)
        if task.name == "beside" and not begun.exists():
            begun.touch()
            time.sleep(600)  # at work until its pool dies
        return task.name, Status(state="done", seconds=0.0)

    config = SessionConfig(model="scorecard")
    tasks = [Task(name, config, tmp_path / name, None) for name in ("killer", "beside", "waiting")]
    with Journal.create(tmp_path / "waiting"):
        pass  # an earlier run of the field began it
    states = dict(Processes(2, work).run(tasks, []))
    assert {name: status.state for name, status in states.items()} == {
        "killer": "failed", "beside": "done", "waiting": "done",
    }  # fmt: skip
