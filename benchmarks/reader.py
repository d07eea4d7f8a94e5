"""How well and how fast a trained reader reads: 3,000 invented releases to learn from, others to be examined on.

Two examinations: releases in unseen wording, which share no trade, frame, verb or event with what was learnt from, and
others of the parts learnt from, none of which repeats one. Beside the reader stand what needs no training (the lexicon,
the shipped embedding head) and the embedding head fitted to the same texts.

`python -m benchmarks reader` takes about eight CPU minutes; `PAPERDESK_READER=FOLDER` keeps the reader there, or
measures the one that is there already.
"""

import os
import tempfile
import time
from pathlib import Path
from typing import Any

import torch

from paperdesk.simulations.training.phrasebook.releases import releases
from paperdesk.simulations.training.reader.card import ReaderCard
from paperdesk.simulations.training.reader.command import CARD_FILE, train_reader
from paperdesk.simulations.training.reader.parts import parts_of_phrasebook
from paperdesk.simulations.training.reader.recipe import ReaderRecipe
from paperdesk.tools.market.documents.duplicates import near_repeats
from paperdesk.tools.sentiment.classifier import SentimentClassifier, columns_of
from paperdesk.tools.sentiment.embedding import EmbeddingClassifier
from paperdesk.tools.sentiment.labelled import Labelled
from paperdesk.tools.sentiment.lexicon import LexiconClassifier
from paperdesk.tools.sentiment.reader import Reader
from paperdesk.tools.sentiment.scores import scores

TEXTS, EPOCHS, THREADS = 3000, 2, 2
OTHERS = 400
"""Further releases of the parts learnt from."""


def measure() -> list[dict[str, Any]]:
    """A row per classifier, and one about the training."""
    with tempfile.TemporaryDirectory() as temporary:
        return _measured(Path(os.environ.get("PAPERDESK_READER", temporary)))


def _measured(folder: Path) -> list[dict[str, Any]]:
    parts = parts_of_phrasebook(TEXTS)
    if (folder / CARD_FILE).is_file():
        card = ReaderCard.model_validate_json((folder / CARD_FILE).read_bytes())
    else:
        recipe = ReaderRecipe.of("lora", epochs=EPOCHS, looks=1, threads=THREADS)
        card = train_reader(parts, folder, recipe)
    torch.set_num_threads(THREADS)
    exams = {"unseen wording": parts.exam, "other texts": others(parts.learn)}
    contenders: list[SentimentClassifier] = [
        Reader(folder),
        EmbeddingClassifier.fit(parts.learn.texts, parts.learn.labels),
        EmbeddingClassifier.default(),
        LexiconClassifier(),
    ]
    rows = [_row(one, name, exam) for name, exam in exams.items() for one in contenders]
    training = {
        "name": "training",
        "mode": card.recipe.mode,
        "learnt_from": sum(card.learn.texts.values()),
        "examined_on": sum(card.exam.texts.values()),
        "seconds": card.seconds,
        "temperature": round(card.temperature, 3),
        "error_of_accuracy": round(card.report.accuracy_error, 4),
    }
    return [*rows, training]


def others(learnt: Labelled) -> Labelled:
    """Releases put together from the same parts as those learnt from, none of which repeats one of them."""
    made = releases(OTHERS, "learn", seed=1)
    repeats = near_repeats([release.text for release in made], learnt.texts)
    new = [release for place, release in enumerate(made) if place not in repeats]
    return Labelled("other texts", tuple(r.text for r in new), tuple(r.label for r in new))


def _row(classifier: SentimentClassifier, name: str, exam: Labelled) -> dict[str, Any]:
    wall, cpu = time.perf_counter(), time.process_time()
    predicted = classifier.predict(exam.texts)
    wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
    found = scores(predicted, columns_of(exam.labels))
    return {
        "name": classifier.name.split(":")[0],
        "read": name,
        "texts": len(exam),
        "accuracy": round(found.accuracy, 4),
        "macro_f1": round(found.macro_f1, 4),
        "brier": round(found.brier, 4),
        "ece": round(found.ece, 4),
        "texts_per_second": round(len(exam) / wall, 1),
        "texts_per_cpu_second": round(len(exam) / cpu, 1),
    }
