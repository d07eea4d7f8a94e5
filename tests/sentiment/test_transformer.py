"""A real (tiny) transformers model: its labels, its limits, its batches, and models that are refused."""

import json
import shutil
import sys
import threading
from collections.abc import Iterator
from hashlib import sha1
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from paperdesk.tools.errors import InputError, PaperDeskError
from paperdesk.tools.sentiment.calibration import calibrate
from paperdesk.tools.sentiment.labelled import Labelled
from paperdesk.tools.sentiment.transformer import TransformersClassifier

from .conftest import write_tiny

pytestmark = pytest.mark.slow  # importing torch takes seconds

TEXTS = [
    "growth was strong",
    "weak demand and a loss",
    "",
    "\U0001f680 \u4e2d\u6587",
    "sales " * 3000,
    "a",
    "the margins fell",
]


@pytest.fixture(scope="module")
def classifier(tiny: Path) -> TransformersClassifier:
    return TransformersClassifier(tiny)


def test_columns_follow_the_meaning_of_the_model_s_labels(classifier: TransformersClassifier, tiny: Path) -> None:
    import torch
    import transformers

    model = transformers.AutoModelForSequenceClassification.from_pretrained(tiny).eval()
    tokenizer = transformers.AutoTokenizer.from_pretrained(tiny)
    with torch.inference_mode():
        positive, negative, neutral = model(**tokenizer(TEXTS[0], return_tensors="pt")).logits.softmax(-1)[0].tolist()
    found = classifier.predict(TEXTS[:1])[0]
    assert found == pytest.approx([negative, neutral, positive], abs=1e-6)
    assert max(found) - min(found) > 0.01, "the tiny model should have an opinion"


def test_any_text_has_a_distribution_whatever_the_batch(classifier: TransformersClassifier, tiny: Path) -> None:
    found = classifier.predict(TEXTS)
    assert found.shape == (len(TEXTS), 3)
    np.testing.assert_allclose(found.sum(axis=1), 1.0, atol=1e-12)
    assert np.array_equal(found, classifier.predict(TEXTS))
    assert len(np.unique(found.round(4), axis=0)) > 3
    for batch in (1, 3):
        np.testing.assert_allclose(TransformersClassifier(tiny, batch=batch).predict(TEXTS), found, atol=1e-5)
    np.testing.assert_allclose(classifier.predict(TEXTS[::-1])[::-1], found, atol=1e-5)
    assert classifier.predict([]).shape == (0, 3)


def test_a_long_text_is_read_up_to_the_model_s_maximum(classifier: TransformersClassifier) -> None:
    assert classifier.max_tokens == 40
    fits = " ".join(["sales", "fell"] * 19)
    same = classifier.predict([fits, fits + " strong" * 500])
    np.testing.assert_allclose(same[0], same[1], atol=1e-6)
    assert np.abs(classifier.predict(["strong " + fits])[0] - same[0]).max() > 1e-3


def test_nothing_of_the_process_is_changed(tiny: Path) -> None:
    import torch
    import transformers

    before = torch.get_num_threads(), torch.get_rng_state().tolist(), torch.is_grad_enabled()
    bars = transformers.utils.logging.is_progress_bar_enabled()
    TransformersClassifier(tiny).predict(["growth"])
    assert (torch.get_num_threads(), torch.get_rng_state().tolist(), torch.is_grad_enabled()) == before
    assert transformers.utils.logging.is_progress_bar_enabled() == bars


def test_the_fingerprint_follows_the_files(classifier: TransformersClassifier, tiny: Path, tmp_path: Path) -> None:
    shutil.copytree(tiny, tmp_path / "copy")
    assert TransformersClassifier(tmp_path / "copy").fingerprint == classifier.fingerprint
    assert TransformersClassifier(tmp_path / "copy").name == "transformers:copy"
    config = json.loads((tmp_path / "copy/config.json").read_text(encoding="utf-8"))
    config["id2label"] = {"0": "negative", "1": "positive", "2": "neutral"}
    (tmp_path / "copy/config.json").write_text(json.dumps(config), encoding="utf-8")
    other = TransformersClassifier(tmp_path / "copy")
    assert other.fingerprint != classifier.fingerprint
    np.testing.assert_allclose(other.predict(TEXTS)[:, [2, 1, 0]], classifier.predict(TEXTS), atol=1e-6)


def test_it_is_calibrated_like_any_other(classifier: TransformersClassifier, sayings: Labelled) -> None:
    found = calibrate(classifier, sayings.texts, sayings.labels)
    assert found.calibration.log_loss_after < found.calibration.log_loss_before
    np.testing.assert_allclose(found.predict(TEXTS).sum(axis=1), 1.0, atol=1e-12)


def test_labels_without_a_meaning_need_one(tmp_path: Path, transformers: Any) -> None:
    folder = tmp_path / "plain"
    write_tiny(transformers, folder, {i: f"LABEL_{i}" for i in range(4)})
    with pytest.raises(InputError, match="has the labels LABEL_0, LABEL_1, LABEL_2, LABEL_3; say which label"):
        TransformersClassifier(folder)
    meant = {"LABEL_0": "negative", "LABEL_1": "negative", "LABEL_2": "neutral", "LABEL_3": "positive"}
    np.testing.assert_allclose(TransformersClassifier(folder, meant).predict(TEXTS).sum(axis=1), 1.0, atol=1e-12)
    for wrong in ({"LABEL_0": "negative"}, {**meant, "LABEL_9": "neutral"}, {**meant, "LABEL_2": "positive"}):
        with pytest.raises(InputError, match="say which label means what"):
            TransformersClassifier(folder, wrong)


def test_models_that_would_answer_at_random_are_refused(tmp_path: Path, tiny: Path, transformers: Any) -> None:
    labels = {0: "positive", 1: "negative", 2: "neutral"}
    write_tiny(transformers, tmp_path / "base", labels, "BertModel")
    with pytest.raises(InputError, match=r"has no weights for classifier\.bias; name a model that was trained"):
        TransformersClassifier(tmp_path / "base")
    shutil.copytree(tiny, tmp_path / "pickled")
    (tmp_path / "pickled/model.safetensors").rename(tmp_path / "pickled/pytorch_model.bin")
    with pytest.raises(InputError, match="no safetensors weights"):
        TransformersClassifier(tmp_path / "pickled")
    shutil.copytree(tiny, tmp_path / "cut")
    content = (tiny / "model.safetensors").read_bytes()
    (tmp_path / "cut/model.safetensors").write_bytes(content[:1000])
    with pytest.raises(InputError, match="is no sequence classifier"):
        TransformersClassifier(tmp_path / "cut")
    (tmp_path / "cut/config.json").unlink()
    with pytest.raises(InputError, match="is no sequence classifier"):
        TransformersClassifier(tmp_path / "cut")
    with pytest.raises(InputError, match="there is no folder 'nowhere'"):
        TransformersClassifier("nowhere")
    with pytest.raises(InputError, match="at least 1"):
        TransformersClassifier(tiny, batch=0)


def test_weights_that_are_no_numbers_are_told(tmp_path: Path, tiny: Path) -> None:
    from safetensors.numpy import load_file, save_file

    shutil.copytree(tiny, tmp_path / "broken")
    weights = load_file(tmp_path / "broken/model.safetensors")
    weights["classifier.bias"] = np.array([0.0, np.nan, 0.0], dtype=np.float32)
    save_file(weights, tmp_path / "broken/model.safetensors", metadata={"format": "pt"})
    with pytest.raises(PaperDeskError, match="no number for text 1"):
        TransformersClassifier(tmp_path / "broken").predict(TEXTS)


def test_without_the_extra_it_says_what_to_install(tiny: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "torch", None)
    with pytest.raises(InputError, match=r"needs torch; run `pip install 'paperdesk\[nlp\]'`"):
        TransformersClassifier(tiny)


class Hub:
    """A loopback server that answers as the hub does for one repository."""

    def __init__(self, folder: Path) -> None:
        self.asked: list[str] = []
        files = {path.name: path.read_bytes() for path in folder.iterdir()} | {"pytorch_model.bin": b"never asked for"}
        commit, asked = "a" * 40, self.asked

        class Handler(BaseHTTPRequestHandler):
            def do_HEAD(self) -> None:
                self._reply(body=False)

            def do_GET(self) -> None:
                self._reply(body=True)

            def _reply(self, body: bool) -> None:
                asked.append(self.path)
                path = self.path.partition("?")[0]
                name = path.rpartition("/")[2]
                headers, content, status = {}, b"", 200
                if path.startswith("/api/models/owner/tiny/revision/"):
                    siblings = [{"rfilename": one} for one in files]
                    content = json.dumps({"id": "owner/tiny", "sha": commit, "siblings": siblings}).encode()
                elif path.startswith("/api/models/owner/tiny/tree/"):
                    tree = [{"type": "file", "path": one, "size": len(held), "oid": "0"} for one, held in files.items()]
                    content = json.dumps(tree).encode()
                elif path.startswith("/owner/tiny/resolve/") and name in files:
                    content = files[name]
                    headers = {"ETag": f'"{sha1(content, usedforsecurity=False).hexdigest()}"', "X-Repo-Commit": commit}
                else:
                    status = 404
                    headers = {"X-Error-Code": "RepoNotFound"}
                self.send_response(status)
                for key, value in {**headers, "Content-Length": str(len(content))}.items():
                    self.send_header(key, value)
                self.end_headers()
                if body:
                    self.wfile.write(content)

            def log_message(self, *_: object) -> None:
                pass

        self._http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._http.daemon_threads = True
        self._thread = threading.Thread(target=self._http.serve_forever, kwargs={"poll_interval": 0.01})
        self._thread.start()
        self.url = f"http://127.0.0.1:{self._http.server_port}"

    def close(self) -> None:
        self._http.shutdown()
        self._thread.join()
        self._http.server_close()


@pytest.fixture
def hub(tiny: Path) -> Iterator[Hub]:
    server = Hub(tiny)
    yield server
    server.close()


def test_a_hub_name_is_fetched_once(hub: Hub, tmp_path: Path, classifier: TransformersClassifier) -> None:
    found = TransformersClassifier("owner/tiny@main", endpoint=hub.url, cache=tmp_path)
    assert found.fingerprint == classifier.fingerprint
    assert np.array_equal(found.predict(TEXTS), classifier.predict(TEXTS))
    assert not any("pytorch_model.bin" in path for path in hub.asked)
    weights = [path for path in hub.asked if path.endswith("model.safetensors")]
    TransformersClassifier("owner/tiny@main", endpoint=hub.url, cache=tmp_path)
    assert [path for path in hub.asked if path.endswith("model.safetensors")] == weights
    hub.close()
    assert TransformersClassifier("owner/tiny@main", endpoint=hub.url, cache=tmp_path).fingerprint == found.fingerprint


def test_a_name_that_the_hub_does_not_know_is_told(hub: Hub, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="owner/other cannot be had from the hub"):
        TransformersClassifier("owner/other", endpoint=hub.url, cache=tmp_path)
    hub.close()
    with pytest.raises(InputError, match=r"cannot be had from the hub .*; check the name and the network"):
        TransformersClassifier("owner/other", endpoint=hub.url, cache=tmp_path)
