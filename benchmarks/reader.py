"""How well and how fast trained readers read: 3,000 invented releases to learn from, others to be examined on.

Two readers: one examined on further texts of the parts that it learnt from (none repeats one of them), as with a
labelled file of one source; one examined on wording that shares no trade, frame, verb or event with what it learnt.
Beside each stand what needs no training (the lexicon, the shipped embedding head) and the embedding head fitted to the
same texts. How fast each reads is measured with one thread and with two; where other programs use the cores, two wait
for each other and one is faster.

`python -m benchmarks reader` takes about ten CPU minutes; `PAPERDESK_READERS=FOLDER` keeps the readers there, and
measures those that are there already.
"""

import os
import tempfile
import time
from pathlib import Path
from typing import Any

import torch

from paperdesk.simulations.training.phrasebook.releases import releases
from paperdesk.simulations.training.places import CARD_FILE
from paperdesk.simulations.training.reader.card import ReaderCard
from paperdesk.simulations.training.reader.command import train_reader
from paperdesk.simulations.training.reader.parts import Parts, checked, parts_of_phrasebook
from paperdesk.simulations.training.reader.recipe import ReaderRecipe
from paperdesk.tools.sentiment.classifier import SentimentClassifier, columns_of
from paperdesk.tools.sentiment.embedding import EmbeddingClassifier
from paperdesk.tools.sentiment.labelled import Labelled
from paperdesk.tools.sentiment.lexicon import LexiconClassifier
from paperdesk.tools.sentiment.reader import Reader
from paperdesk.tools.sentiment.scores import scores

TEXTS, STOP, EXAM, EPOCHS = 3000, 300, 400, 2
THREADS = (1, 2)


def measure() -> list[dict[str, Any]]:
    """A row per examination and classifier, and one per training."""
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(os.environ.get("PAPERDESK_READERS", temporary))
        return [*_measured("alike", alike(), folder), *_measured("unseen", parts_of_phrasebook(TEXTS), folder)]


def alike() -> Parts:
    """Three parts of one source: releases put together from the same lists; repeats are left out."""
    made = releases(TEXTS + STOP + EXAM, "learn", seed=0)
    whole = Labelled("releases alike", tuple(r.text for r in made), tuple(r.label for r in made))
    borders = (0, TEXTS, TEXTS + STOP, len(whole))
    learn, stop, exam = (whole.rows(range(borders[i], borders[i + 1])) for i in range(3))
    return checked(learn, stop, exam, ordered=False)


def recipe() -> ReaderRecipe:
    """How both are trained: every weight, with one thread."""
    return ReaderRecipe.of("full", epochs=EPOCHS, threads=1)


def _measured(name: str, parts: Parts, folder: Path) -> list[dict[str, Any]]:
    place = folder / name
    if (place / CARD_FILE).is_file():
        card = ReaderCard.model_validate_json((place / CARD_FILE).read_bytes())
    else:
        card = train_reader(parts, place, recipe())
    contenders: list[SentimentClassifier] = [
        Reader(place),
        EmbeddingClassifier.fit(parts.learn.texts, parts.learn.labels),
        EmbeddingClassifier.default(),
        LexiconClassifier(),
    ]
    rows = [_row(one, name, parts.exam) for one in contenders]
    training = {
        "name": "training",
        "read": name,
        "learnt_from": sum(card.learn.texts.values()),
        "repeats_left_out": sum(card.repeats),
        "mode": card.recipe.mode,
        "steps": card.steps,
        "trained_weights": card.trained_weights,
        "seconds": card.seconds,
        "temperature": round(card.temperature, 3),
        "error_of_accuracy": round(card.report.accuracy_error, 4),
    }
    return [*rows, training]


def _row(classifier: SentimentClassifier, name: str, exam: Labelled) -> dict[str, Any]:
    classifier.predict(exam.texts[:32])
    speeds = {}
    for threads in THREADS:
        torch.set_num_threads(threads)
        wall, cpu = time.perf_counter(), time.process_time()
        predicted = classifier.predict(exam.texts)
        wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
        speeds[f"texts_per_second_{threads}"] = round(len(exam) / wall, 1)
        speeds[f"texts_per_cpu_second_{threads}"] = round(len(exam) / cpu, 1)
    found = scores(predicted, columns_of(exam.labels))
    return {
        "name": classifier.name.split(":")[0],
        "read": name,
        "texts": len(exam),
        "accuracy": round(found.accuracy, 4),
        "macro_f1": round(found.macro_f1, 4),
        "brier": round(found.brier, 4),
        "ece": round(found.ece, 4),
        **speeds,
    }
