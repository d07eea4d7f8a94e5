import hashlib
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from paperdesk.agents.models.core import ModelInputError
from paperdesk.agents.models.files.hub import Hub, HubError
from paperdesk.agents.models.files.places import models_folder, pulled_from
from paperdesk.agents.models.files.pull import ATTEMPTS, Outcome, Progress, PullMismatch, pull_file
from paperdesk.agents.models.files.source import HubFile
from paperdesk.agents.models.open import open_model

from .hub import COMMIT, LoopbackHub

FILE = HubFile.of("hf:someone/small/model.gguf")
Run = Callable[..., tuple[int, str, str]]


class Pull:
    """Pulls FILE from the loopback hub and remembers what was said and slept."""

    def __init__(self, hub: LoopbackHub, place: Path) -> None:
        self._hub = hub
        self.place = place
        self.slept: list[float] = []
        self.steps: list[Progress] = []

    def __call__(self, token: str = "", **more: object) -> Outcome:
        with closing(Hub(self._hub.url, token, timeout_seconds=5)) as hub:
            arguments = {"sleep": self.slept.append, "report": self.steps.append, **more}
            return pull_file(FILE, self.place, hub, **arguments)  # type: ignore[arg-type]

    def left(self) -> list[str]:
        """What lies in the folder."""
        return sorted(path.name for path in self.place.parent.iterdir()) if self.place.parent.is_dir() else []


@pytest.fixture
def pull(hub: LoopbackHub, tmp_path: Path) -> Pull:
    return Pull(hub, tmp_path / "models" / "model.gguf")


def test_a_file_is_fetched_verified_and_recorded(hub: LoopbackHub, pull: Pull, content: bytes) -> None:
    hub.put(content)
    done = pull()
    assert pull.place.read_bytes() == content
    assert (done.path, done.fetched) == (pull.place, len(content))
    assert pull.left() == ["model.gguf", "model.gguf.source.json"]
    record = pulled_from(pull.place)
    assert record == done.pulled
    assert (record.source, record.commit, record.size) == (str(FILE), COMMIT, len(content))
    assert record.sha256 == hashlib.sha256(content).hexdigest()
    assert [step.done for step in pull.steps] == sorted(step.done for step in pull.steps)
    assert pull.steps[-1] == Progress(len(content), len(content), "verifying")


def test_a_file_that_is_there_is_not_fetched_again(hub: LoopbackHub, pull: Pull, content: bytes) -> None:
    hub.put(content)
    pull()
    asked = len(hub.transfers())
    assert pull().fetched == 0
    assert len(hub.transfers()) == asked


def test_a_file_whose_content_changed_on_the_hub_is_replaced(hub: LoopbackHub, pull: Pull, content: bytes) -> None:
    hub.put(content)
    pull()
    hub.put(content + b"more")
    pull()
    assert pull.place.read_bytes() == content + b"more"


def test_a_connection_that_breaks_is_resumed_where_it_broke(hub: LoopbackHub, pull: Pull, content: bytes) -> None:
    hub.put(content, cuts=[100_000, 50_000, 0])
    assert pull().fetched == len(content)
    assert pull.place.read_bytes() == content
    assert [row.range for row in hub.transfers()] == ["", "bytes=100000-", "bytes=150000-", "bytes=150000-"]
    assert len(pull.slept) == 3
    assert any("trying again" in step.note for step in pull.steps)


def test_a_server_without_parts_begins_again(hub: LoopbackHub, pull: Pull, content: bytes) -> None:
    hub.put(content, cuts=[100_000], ranges=False)
    pull()
    assert pull.place.read_bytes() == content


def test_a_part_of_other_content_is_thrown_away(hub: LoopbackHub, pull: Pull, content: bytes) -> None:
    hub.put(b"x" * len(content), cuts=[100_000] + [0] * ATTEMPTS)
    with pytest.raises(HubError, match=r"what was fetched is kept, the same command goes on\.$"):
        pull()
    assert pull.left() == ["model.gguf.part", "model.gguf.part.etag"]
    hub.put(content)
    assert pull().fetched == len(content)
    assert pull.place.read_bytes() == content


def test_a_part_that_is_longer_than_the_file_is_thrown_away(hub: LoopbackHub, pull: Pull, content: bytes) -> None:
    hub.put(content, cuts=[100_000] + [0] * ATTEMPTS)
    with pytest.raises(HubError):
        pull()
    with pull.place.with_name("model.gguf.part").open("ab") as part:
        part.write(bytes(len(content)))
    pull()
    assert pull.place.read_bytes() == content


def test_attempts_without_a_byte_are_given_up_with_growing_waits(hub: LoopbackHub, pull: Pull, content: bytes) -> None:
    hub.put(content, cuts=[0] * 99)
    with pytest.raises(HubError, match=f"{ATTEMPTS} attempts"):
        pull()
    assert pull.slept == [1.0, 2.0, 4.0, 8.0, 16.0]
    assert not pull.place.exists()
    assert pull.left() == []


def test_as_long_as_bytes_come_it_is_not_given_up(hub: LoopbackHub, pull: Pull, content: bytes) -> None:
    hub.put(content, cuts=[20_000] * 12)
    pull()
    assert pull.place.read_bytes() == content
    assert len(hub.transfers()) == 13


def test_an_overloaded_hub_is_asked_again(hub: LoopbackHub, pull: Pull, content: bytes) -> None:
    hub.put(content, failures=[503, 500, 429])
    pull()
    assert pull.place.read_bytes() == content
    assert pull.slept == [1.0, 2.0, 4.0]


@pytest.mark.parametrize(
    ("page", "sentence"),
    [
        ({"status": 401}, r"no repository someone/small for us: .* set HF_TOKEN"),
        ({"status": 401, "code": "GatedRepo"}, r"someone/small is gated: accept its terms at http://127.*HF_TOKEN"),
        ({"status": 403}, "someone/small is gated"),
        ({"status": 404, "code": "RepoNotFound"}, "no repository someone/small"),
        ({"status": 404, "code": "EntryNotFound"}, r"no file model\.gguf"),
        ({"status": 404, "code": "RevisionNotFound"}, "no revision main"),
        ({"status": 404}, r"no file model\.gguf"),
    ],
)
def test_a_refusal_says_what_to_do(hub: LoopbackHub, pull: Pull, page: dict[str, object], sentence: str) -> None:
    hub.put(b"", **page)  # type: ignore[arg-type]
    with pytest.raises(ModelInputError, match=sentence) as caught:
        pull()
    assert str(caught.value).endswith(".")
    assert pull.slept == []
    assert pull.left() == []


def test_a_wrong_token_is_suspected(hub: LoopbackHub, pull: Pull) -> None:
    hub.put(b"", status=401)
    with pytest.raises(ModelInputError, match="HF_TOKEN may be wrong"):
        pull(token="hf_x")


def test_a_status_that_makes_no_sense_and_a_hub_that_is_none_are_told(hub: LoopbackHub, pull: Pull) -> None:
    hub.put(b"", status=418)
    with pytest.raises(HubError, match="status 418"):
        pull()


def test_a_hub_that_never_recovers_is_given_up(hub: LoopbackHub, pull: Pull) -> None:
    hub.put(b"", status=500)
    with pytest.raises(HubError, match=rf"answered with status 500, {ATTEMPTS} attempts"):
        pull()


def test_a_hub_that_does_not_listen_is_told(tmp_path: Path) -> None:
    with (
        closing(Hub("http://127.0.0.1:9", "")) as hub,
        pytest.raises(HubError, match=r"connection to http://127\.0\.0\.1:9 failed \(ConnectError\)"),
    ):
        pull_file(FILE, tmp_path / "model.gguf", hub, sleep=lambda seconds: None)


@pytest.mark.parametrize("endpoint", ["huggingface.co", "ftp://x", "http://"])
def test_an_endpoint_that_is_no_address_is_refused(endpoint: str) -> None:
    with pytest.raises(ModelInputError, match="HF_ENDPOINT"):
        Hub(endpoint, "")


def test_content_that_is_not_what_the_hub_promised_is_removed(hub: LoopbackHub, pull: Pull, content: bytes) -> None:
    hub.put(content, etag="f" * 64)
    with pytest.raises(PullMismatch, match=r"not f{64}: it has been removed"):
        pull()
    assert pull.left() == []


def test_content_that_is_longer_than_announced_is_removed(hub: LoopbackHub, pull: Pull, content: bytes) -> None:
    page = hub.put(content)
    page.etag = hashlib.sha256(content[:-1]).hexdigest()
    with pytest.raises(PullMismatch):
        pull()
    assert pull.left() == []


def test_a_sha256_of_the_user_must_agree(hub: LoopbackHub, pull: Pull, content: bytes) -> None:
    hub.put(content)
    with pytest.raises(PullMismatch, match="nothing was fetched"):
        pull(sha256="a" * 64)
    assert hub.transfers() == []
    assert pull(sha256=hashlib.sha256(content).hexdigest().upper()).fetched == len(content)


def test_a_file_without_a_sha256_needs_one_of_the_user(hub: LoopbackHub, pull: Pull, content: bytes) -> None:
    hub.put(content, etag="a" * 40)
    with pytest.raises(ModelInputError, match=r"gives no sha256.*--sha256"):
        pull()
    pull(sha256=hashlib.sha256(content).hexdigest())
    assert pull.place.read_bytes() == content


@pytest.mark.parametrize("page", [b"<html>404</html>", b"GGUF" + bytes(100)])
def test_what_is_no_model_is_never_kept(hub: LoopbackHub, pull: Pull, page: bytes) -> None:
    hub.put(page)
    with pytest.raises(ModelInputError, match=r"hf:someone/small/model\.gguf cannot be used"):
        pull()
    assert pull.left() == []


def test_the_token_goes_to_the_hub_and_not_to_its_storage(hub: LoopbackHub, pull: Pull, content: bytes) -> None:
    hub.put(content)
    pull(token="hf_secret")
    assert {row.token for row in hub.asked if not row.storage} == {"Bearer hf_secret"}
    assert {row.token for row in hub.transfers()} == {""}
    assert "secret" not in json.dumps([pull.left(), *(str(step) for step in pull.steps)])


def test_a_signed_address_is_in_no_message(hub: LoopbackHub, pull: Pull, content: bytes) -> None:
    hub.put(content, cuts=[0] * 99)
    with pytest.raises(HubError) as caught:
        pull()
    assert "signature" not in str(caught.value)
    assert not any("signature" in step.note for step in pull.steps)


def test_a_repository_that_was_renamed_is_followed(hub: LoopbackHub, pull: Pull, content: bytes) -> None:
    hub.put(b"", moved="/other/name/resolve/main/model.gguf")
    hub.put(content, "other/name/model.gguf")
    pull()
    assert pull.place.read_bytes() == content


def test_a_hub_that_sends_us_in_a_circle_is_told(hub: LoopbackHub, pull: Pull) -> None:
    hub.put(b"", moved="/someone/small/resolve/main/model.gguf")
    with pytest.raises(HubError, match=r"\.$"):
        pull()


def test_another_pull_of_the_same_file_is_refused_while_one_runs(hub: LoopbackHub, pull: Pull, content: bytes) -> None:
    refused: list[str] = []

    def second() -> None:
        if not refused:
            with pytest.raises(ModelInputError, match="Another pull is writing") as caught:
                Pull(hub, pull.place)()
            refused.append(str(caught.value))

    page = hub.put(content)
    page.pace = second
    pull()
    assert len(refused) == 1
    assert pull.place.read_bytes() == content


def test_a_folder_that_cannot_be_written_is_told(hub: LoopbackHub, tmp_path: Path, content: bytes) -> None:
    hub.put(content)
    (tmp_path / "file").write_text("x")
    with pytest.raises(ModelInputError, match=r"cannot be written.*--out"):
        Pull(hub, tmp_path / "file" / "model.gguf")()


@pytest.mark.parametrize(
    "text",
    [
        "hf:owner/repo",
        "hf:owner/repo/file.bin",
        "hf:../repo/file.gguf",
        "hf:owner/repo/../../file.gguf",
        "hf:owner/repo//file.gguf",
        "hf:owner/repo/file.gguf@",
        "hf:owner/repo/file.gguf@../x",
        "hf:owner/re po/file.gguf",
        "owner/repo/file.gguf",
        "hf:",
    ],
)
def test_what_names_no_file_of_a_hub_is_refused(text: str) -> None:
    with pytest.raises(ModelInputError, match=r"write hf:owner/repo/file\.gguf"):
        HubFile.of(text)


def test_a_revision_has_its_own_address_and_folder() -> None:
    file = HubFile.of("hf:a/b/sub/c.gguf@refs/pr/1")
    assert (file.path, file.revision, file.folder) == ("sub/c.gguf", "refs/pr/1", "b@refs%2Fpr%2F1")
    assert file.url("http://hub/") == "http://hub/a/b/resolve/refs%2Fpr%2F1/sub/c.gguf"
    assert str(file) == "hf:a/b/sub/c.gguf@refs/pr/1"


def slowly(gate: list[bool]) -> Callable[[], None]:
    """A pace that stops a transfer in its middle until the gate is opened."""
    sent = [0]

    def wait() -> None:
        sent[0] += 1
        while sent[0] > 8 and not gate:
            time.sleep(0.01)

    return wait


@pytest.fixture
def killed(hub: LoopbackHub, content: bytes, home: Path) -> Path:
    """The part that a process left behind when it was killed in the middle."""
    gate: list[bool] = []
    page = hub.put(content, pace=slowly(gate))
    # a test run in the background inherits that Ctrl-C is ignored
    listen = "import signal; signal.signal(signal.SIGINT, signal.default_int_handler); "
    words = [sys.executable, "-c", f"{listen}from paperdesk.cli import main; main()", "models", "pull", str(FILE)]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path), "HF_ENDPOINT": hub.url}
    part = models_folder() / "someone" / "small" / "model.gguf.part"
    with subprocess.Popen(words, env=environment, stderr=subprocess.DEVNULL) as child:
        while not part.is_file() or part.stat().st_size < 50_000:
            assert child.poll() is None
            time.sleep(0.01)
        child.send_signal(signal.SIGKILL)
    gate.append(True)
    page.pace = lambda: None
    return part


def test_a_pull_that_was_killed_goes_on_where_it_stopped(
    hub: LoopbackHub, killed: Path, content: bytes, paperdesk: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept = killed.stat().st_size
    assert 0 < kept < len(content)
    assert not killed.with_name("model.gguf").exists()
    with pytest.raises(ModelInputError, match=r"run `paperdesk models pull hf:someone/small/model\.gguf` first"):
        open_model(str(FILE))
    code, out, _ = paperdesk("models", "list")
    assert code == 0
    assert "unfinished" in out
    monkeypatch.setenv("HF_ENDPOINT", hub.url)
    code, out, err = paperdesk("models", "pull", FILE, "--json")
    assert code == 0, err
    assert json.loads(out)["fetched"] == len(content) - kept
    assert f"going on from {kept:,} bytes" in err
    assert hub.transfers()[-1].range == f"bytes={kept}-"
    assert killed.with_name("model.gguf").read_bytes() == content
    assert not killed.exists()


def test_ctrl_c_keeps_what_was_fetched(hub: LoopbackHub, content: bytes) -> None:
    gate: list[bool] = []
    hub.put(content, pace=slowly(gate))
    # a test run in the background inherits that Ctrl-C is ignored
    listen = "import signal; signal.signal(signal.SIGINT, signal.default_int_handler); "
    words = [sys.executable, "-c", f"{listen}from paperdesk.cli import main; main()", "models", "pull", str(FILE)]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path), "HF_ENDPOINT": hub.url}
    part = models_folder() / "someone" / "small" / "model.gguf.part"
    with subprocess.Popen(words, env=environment, stderr=subprocess.PIPE, text=True) as child:
        while not part.is_file() or part.stat().st_size < 50_000:
            assert child.poll() is None
            time.sleep(0.01)
        child.send_signal(signal.SIGINT)
        _, err = child.communicate(timeout=60)
    gate.append(True)
    assert child.returncode == 130
    assert err.splitlines()[-1] == (
        "paperdesk: interrupted: what was fetched is kept, the same command continues from here."
    )
    assert part.stat().st_size > 0
