"""What training says while it runs."""

import math
from collections.abc import Callable

import pytest

from paperdesk.simulations.console import Interrupted
from paperdesk.simulations.training.adapter import Progress
from paperdesk.simulations.training.screen import watched


def test_without_a_terminal_each_look_is_a_line(capsys: pytest.CaptureFixture[str]) -> None:
    losses = [math.nan, 1.25, 1.25, 1.2504, 1.1]

    def work(say: Callable[[str], None], listen: Callable[[Progress], None]) -> str:
        say("training on 64 exercises")
        for step, held_back in enumerate(losses, start=1):
            listen(Progress(step, len(losses), 2.0 - step / 10, held_back, 60.0 * step))
        return "done"

    assert watched(work, "") == "done"
    out, err = capsys.readouterr()
    assert out == ""
    assert err.splitlines() == [
        "training on 64 exercises",
        "step 2 of 5, loss 1.800, held back 1.250, 2.0 minutes",
        "step 4 of 5, loss 1.600, held back 1.250, 4.0 minutes",
        "step 5 of 5, loss 1.500, held back 1.100, 5.0 minutes",
    ]


def test_ctrl_c_says_how_to_go_on() -> None:
    def work(say: Callable[[str], None], listen: Callable[[Progress], None]) -> str:
        raise KeyboardInterrupt

    with pytest.raises(Interrupted, match="the same command goes on"):
        watched(work, "the same command goes on")
