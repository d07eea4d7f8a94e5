"""Labelled texts of the tests' own, and small real models."""

from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from paperdesk.tools.market.generated import CAST, business
from paperdesk.tools.market.view import open_market
from paperdesk.tools.sentiment.classifier import CLASSES
from paperdesk.tools.sentiment.embedding import EmbeddingClassifier
from paperdesk.tools.sentiment.labelled import Labelled

NAMES = ("Dorvane Mills", "Halden Freight", "Quill & Foss", "Ravelin Optics", "Sorrel Foods", "Tarn Energy")
SAID = {
    "negative": (
        "{} posted a wider loss and cut its forecast.",
        "Weak orders hurt {}, which will close two plants.",
        "Shares of {} tumbled after the fraud inquiry.",
        "Margins at {} shrank again as costs surged.",
        "The regulator fined {} and the recall drags on.",
    ),
    "neutral": (
        "{} will hold its annual meeting in June.",
        "{} named a new company secretary.",
        "The headquarters of {} stay where they are.",
        "{} reports in four segments, as it did last year.",
        "The conference call of {} begins at nine.",
    ),
    "positive": (
        "{} posted record profit and raised its forecast.",
        "Strong demand lifted margins at {} once more.",
        "{} won its largest contract ever.",
        "The outlook of {} improved and its dividend grows.",
        "Growth at {} beat every estimate.",
    ),
}


@pytest.fixture(scope="session")
def sayings() -> Labelled:
    """Ninety short sentences, thirty of each class."""
    rows = [(said.format(name), label) for label, all_said in SAID.items() for name, said in product(NAMES, all_said)]
    return Labelled("sayings", tuple(text for text, _ in rows), tuple(label for _, label in rows))  # type: ignore[misc]


@pytest.fixture(scope="session")
def releases() -> Labelled:
    """Earnings releases of two generated markets, labelled by the surprise that they were written from."""
    texts, labels = [], []
    for seed in (7, 8):
        documents = {(d.ticker, d.published_at): d.text for d in open_market("generated", seed).dataset.documents}
        for plan in CAST:
            for report in business(plan, seed)[1]:
                texts.append(documents[plan.ticker, report.published_at])
                labels.append(CLASSES[int(np.digitize(report.quarter.surprise, (-0.4, 0.4)))])
    return Labelled("releases", tuple(texts), tuple(labels))


@pytest.fixture(scope="session")
def embedding() -> EmbeddingClassifier:
    return EmbeddingClassifier.default()


WORDS = "strong weak demand grew fell profit loss record the a and of quarter company sales margins were was"


@pytest.fixture(scope="session")
def transformers() -> Any:
    pytest.importorskip("torch", reason="needs the extra nlp")
    return pytest.importorskip("transformers", reason="needs the extra nlp")


@pytest.fixture(scope="session")
def tiny(tmp_path_factory: pytest.TempPathFactory, transformers: Any) -> Path:
    """A BERT of two small layers with a vocabulary of a few words; random weights, and its labels in its own order."""
    folder = tmp_path_factory.mktemp("models") / "tiny-bert"
    write_tiny(transformers, folder, {0: "Positive", 1: "negative", 2: "neutral"})
    return folder


def write_tiny(
    transformers: Any, folder: Path, labels: dict[int, str], kind: str = "BertForSequenceClassification"
) -> None:
    import torch

    folder.mkdir(parents=True)
    letters = "abcdefghijklmnopqrstuvwxyz"
    pieces = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *WORDS.split(), *letters, *(f"##{c}" for c in letters)]
    (folder / "vocab.txt").write_text("\n".join(dict.fromkeys(pieces)), encoding="utf-8")
    tokenizer = transformers.BertTokenizerFast(vocab=str(folder / "vocab.txt"))
    config = transformers.BertConfig(
        vocab_size=len(tokenizer),
        hidden_size=32,
        num_hidden_layers=2,
        num_attention_heads=2,
        intermediate_size=48,
        max_position_embeddings=40,
        initializer_range=0.6,
        id2label=labels,
        label2id={label: i for i, label in labels.items()},
    )
    with torch.random.fork_rng():
        torch.manual_seed(5)
        getattr(transformers, kind)(config).save_pretrained(folder)
    tokenizer.save_pretrained(folder)
