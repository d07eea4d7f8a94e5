"""Continual learning over five periods with a change of regime: what is new is learnt, how much of the old is lost?

Questions are generated: a return over the last year is shown with the market's state, and asked is what follows. While
the market is calm, what rose goes on rising; from the third period on it is turbulent, and what fell recovers. So the
edge flips its sign, and the market's state, which is shown as the desk shows it, tells which of the two holds: a model
can know both, and one that forgets answers the calm as if it were turbulent.

An adapter of the bundled model learns period after period, by the parts that `paperdesk train update` is made of:
without anything, with replay of a bounded sample of old questions, with the penalty towards the old weights, and with
both. The first period is the same for all. After each period it answers `EXAMINED` calm and as many turbulent
questions that were never learnt, through llama.cpp as the desk would ask. `PAPERDESK_CONTINUAL` scales what is learnt
and examined (1 by default; 0.75 is the least).
"""

import os
import sys
import tempfile
import time
from contextlib import closing
from datetime import date, timedelta
from math import sqrt
from pathlib import Path
from typing import Any

import numpy as np

from paperdesk.agents.models.files.places import find_file
from paperdesk.agents.models.llama_cpp import LlamaCpp
from paperdesk.simulations.training.adapter import Recipe, load_base, required, train_adapter
from paperdesk.simulations.training.anchor import Anchor
from paperdesk.simulations.training.examination import answers_of
from paperdesk.simulations.training.exercises import Exercise, Sheet, targets_of
from paperdesk.simulations.training.gguf_adapter import write_gguf
from paperdesk.simulations.training.kept import sampled

SCALE = float(os.environ.get("PAPERDESK_CONTINUAL", "1"))
PERIODS = ("calm", "calm", "turbulent", "turbulent", "turbulent")
OPTIONS = ("sell", "hold", "buy")
FIRST, LEARNT, HELD_BACK, EXAMINED, KEPT = (round(SCALE * n) for n in (256, 128, 24, 100, 192))
"""Questions of the first period and of each later one, those that tell when to stop, those of the examination, and the
most that are kept for replay."""
MIDDLE = 12
"""Per cent; a return within it either way says nothing."""
KEEP = 30.0
"""Strength of the penalty where there is one."""
RECIPE = Recipe(learning_rate=1e-3, epochs=2, examine_every=8, threads=2)
VARIANTS = {"nothing": (False, 0.0), "replay": (True, 0.0), "penalty": (False, KEEP), "both": (True, KEEP)}
"""Replay or not, and the strength of the penalty."""


def sheet_of(regime: str) -> Sheet:
    """The beginning that questions of a regime share."""
    system = "You are an analyst. Answer with one word: sell, hold or buy."
    free = "return over the year N/A\nStance:"
    return Sheet("technical_analyst", system, f"Market: {regime}.\n", OPTIONS, "\n", free)


def questions(regime: str, period: int, count: int) -> list[Exercise]:
    """At most so many questions of a regime, no two of them alike."""
    rng = np.random.default_rng([7, period])
    sheet, begin = sheet_of(regime), date(2015 + period, 1, 1)
    made = []
    for i in range(count):
        figure = round(float(rng.uniform(-40, 40)), 1)
        lean = 0 if abs(figure) <= MIDDLE else 1 if figure > 0 else -1
        answer = 1 + (lean if regime == "calm" else -lean)
        target = tuple(float(place == answer) for place in range(len(OPTIONS)))
        day = begin + timedelta(days=i)
        text = f"return over the year {figure:+.1f}%\nStance:"
        made.append(Exercise(sheet, text, target, day, day + timedelta(days=30), f"{period}/{i}", figure))
    return list({exercise.text: exercise for exercise in made}.values())


def measure() -> list[dict[str, Any]]:
    """A row for each way and period."""
    base = find_file("smollm2")
    assert base is not None  # comes with the package
    exams = {regime: questions(regime, 90 + i, EXAMINED) for i, regime in enumerate(("calm", "turbulent"))}
    learner = _Learner(base, exams)
    rows = [learner.row("as it was", 0, None)]
    first = learner.learn(None, questions(PERIODS[0], 1, FIRST + HELD_BACK), [], 0.0)
    rows.append(learner.row("all", 1, first))
    for name, (replay, keep) in VARIANTS.items():
        state, kept = first, sampled(questions(PERIODS[0], 1, FIRST + HELD_BACK)[:FIRST], KEPT)
        for period, regime in enumerate(PERIODS[1:], start=2):
            new = questions(regime, period, LEARNT + HELD_BACK)
            state = learner.learn(state, new, kept if replay else [], keep)
            kept = sampled([*kept, *new[:-HELD_BACK]], KEPT)
            rows.append(learner.row(name, period, state))
    return rows


class _Learner:
    """The bundled model with an adapter on it, loaded once."""

    def __init__(self, base: Path, exams: dict[str, list[Exercise]]) -> None:
        required("torch").manual_seed(0)
        self._base, self._exams, self._peft = base, exams, required("peft")
        self._apart = {(e.sheet.prefix, e.text) for exam in exams.values() for e in exam}
        self._model = load_base(base, RECIPE)
        self._fresh = self._state()
        self.seconds, self.moved = 0.0, 0.0

    def learn(self, state: Any, new: list[Exercise], old: list[Exercise], keep: float) -> Any:
        """The state after a period: of new questions, as many old ones, and a penalty."""
        self._peft.set_peft_model_state_dict(self._model, state or self._fresh)
        held_back = new[-HELD_BACK:]
        apart = self._apart | {(e.sheet.prefix, e.text) for e in held_back}
        learnt = [e for e in new[:-HELD_BACK] if (e.sheet.prefix, e.text) not in apart]
        old = [e for e in old if (e.sheet.prefix, e.text) not in apart][: len(learnt)]
        if old:  # what tells when to stop is old and new, as what is learnt
            held_back = [*held_back, *old[: HELD_BACK // 2]]
            apart = {(e.sheet.prefix, e.text) for e in held_back}
            learnt = [e for e in [*learnt, *old[HELD_BACK // 2 :]] if (e.sheet.prefix, e.text) not in apart]
        began = time.monotonic()
        anchor = Anchor(self._model, 1.0) if state else None
        trained = train_adapter(
            self._base, learnt, held_back, RECIPE.model_copy(update={"keep": keep}), loaded=self._model
        )
        self._peft.set_peft_model_state_dict(self._model, trained.state)
        self.seconds, self.moved = time.monotonic() - began, 2 * anchor.penalty().item() if anchor else 0.0
        sys.stderr.write(f"learnt {len(learnt)} in {self.seconds:.0f} s, held back {trained.best:.3f}\n")
        return trained.state

    def row(self, name: str, period: int, state: Any) -> dict[str, Any]:
        """What is answered after a period."""
        found: dict[str, Any] = {"way": name, "period": period, "regime": PERIODS[period - 1] if period else ""}
        with tempfile.TemporaryDirectory() as folder:
            path = None
            if state is not None:
                path = Path(folder) / "adapter.gguf"
                config = self._model.base_model.model.config
                write_gguf(state, path, config=config, alpha=RECIPE.alpha, name="continual")
            with closing(LlamaCpp(self._base, threads=RECIPE.threads, adapter=path)) as mind:
                for regime, exam in self._exams.items():
                    said, right = answers_of(mind, exam), targets_of(exam)
                    hit = float((said.argmax(axis=1) == right.argmax(axis=1)).mean())
                    found[f"{regime}_accuracy"] = round(hit, 3)
                    found[f"{regime}_error"] = round(sqrt(hit * (1 - hit) / len(exam)), 3)
                    found[f"{regime}_brier"] = round(float(((said - right) ** 2).sum(axis=1).mean()), 3)
        found |= {"moved": round(self.moved, 4), "seconds": round(self.seconds, 1)}
        sys.stderr.write(f"{found}\n")
        return found

    def _state(self) -> Any:
        tensors = self._peft.get_peft_model_state_dict(self._model, save_embedding_layers=False)
        return {name: tensor.detach().clone() for name, tensor in tensors.items()}
