"""An engine and the processes around it: turns, forks, ends."""

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from paperdesk.agents.models.core import ModelError, Request
from paperdesk.agents.models.llama_cpp import LlamaCpp
from paperdesk.agents.models.llama_cpp.turns import places, turn

HOLD = "import sys, time; from pathlib import Path; from paperdesk.agents.models.llama_cpp.turns import turn\n"
HOLD += "with turn(10_000, Path(sys.argv[1])): print('held', flush=True); time.sleep(float(sys.argv[2]))"
EMPTY = Request(role="r", task="t", system="", prefix="", questions=())


def holder(folder: Path, seconds: float) -> subprocess.Popen[str]:
    command = [sys.executable, "-c", HOLD, str(folder), str(seconds)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env={"PYTHONPATH": ":".join(sys.path)})
    assert process.stdout is not None
    assert process.stdout.readline() == "held\n"
    return process


def test_as_many_models_think_at_once_as_the_cores_can_carry() -> None:
    assert [places(threads, 8) for threads in (1, 2, 3, 8, 16)] == [8, 4, 2, 1, 1]


def test_a_turn_waits_for_the_process_that_has_it_and_takes_over_from_a_killed_one(tmp_path: Path) -> None:
    waiting = holder(tmp_path, 600)
    second = subprocess.Popen(
        [sys.executable, "-c", HOLD, str(tmp_path), "0"],
        stdout=subprocess.PIPE,
        text=True,
        env={"PYTHONPATH": ":".join(sys.path)},
    )
    with pytest.raises(subprocess.TimeoutExpired):
        second.wait(1.0)
    waiting.kill()
    waiting.communicate()
    assert second.communicate(timeout=60)[0] == "held\n"


def test_who_asks_again_at_once_does_not_keep_the_others_out(tmp_path: Path) -> None:
    greedy = "import sys; from pathlib import Path; from paperdesk.agents.models.llama_cpp.turns import turn\n"
    greedy += "while True:\n    with turn(10_000, Path(sys.argv[1])): sum(range(100_000))\n    print('.', flush=True)"
    command = [sys.executable, "-c", greedy, str(tmp_path)]
    busy = subprocess.Popen(command, stdout=subprocess.PIPE, env={"PYTHONPATH": ":".join(sys.path)})
    assert busy.stdout is not None
    busy.stdout.readline()
    try:
        for _ in range(5):
            with turn(10_000, tmp_path):
                pass
    finally:
        busy.kill()
        busy.communicate()


def test_a_turn_is_given_back(tmp_path: Path) -> None:
    for _ in range(3):
        with turn(10_000, tmp_path), turn(10_000, tmp_path):  # who has it may ask again
            pass
    holder(tmp_path, 0).communicate()


def test_a_folder_that_cannot_be_made_costs_the_turn_only(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with turn(2, tmp_path / "file" / "folder"):
        pass


def test_a_forked_child_is_told_to_open_its_own_model(mind: LlamaCpp) -> None:
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:  # pragma: no cover - another process
        try:
            mind.answer(EMPTY)
            said = "nothing"
        except ModelError as error:
            said = str(error)
        mind.close()
        os.write(writing, said.encode())
        os._exit(0)
    os.close(writing)
    deadline = time.monotonic() + 60
    while os.waitpid(child, os.WNOHANG) == (0, 0):
        assert time.monotonic() < deadline, "the child hangs"
        time.sleep(0.05)
    with os.fdopen(reading) as pipe:
        assert pipe.read() == "This model was opened before the process forked: open it again in the new process."
    assert mind.answer(EMPTY).answers == ()


def test_a_process_that_forgets_to_close_ends_quietly() -> None:
    code = (
        "from paperdesk.agents.models.llama_cpp import LlamaCpp;"
        "from paperdesk.agents.models.open import bundled_model;"
        "mind = LlamaCpp(bundled_model(), n_ctx=256); print(mind.count_tokens('hello'))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        env=dict(os.environ, PYTHONPATH=":".join(sys.path)),
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "1\n", "")
