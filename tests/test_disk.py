"""Files are there whole or not at all."""

import os
import subprocess
import sys
from hashlib import sha256
from pathlib import Path

import pytest

from paperdesk.tools import disk
from paperdesk.tools.errors import InputError


@pytest.mark.parametrize(
    ("content", "bytes_"),
    [("Zürich\n", "Zürich\n".encode()), (b"\0\1", b"\0\1"), (lambda file: file.write(b"by hand"), b"by hand")],
    ids=["text", "bytes", "writer"],
)
def test_what_is_written_replaces_what_was_there(content: disk.Content, bytes_: bytes, tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_text("old", encoding="utf-8")
    disk.write_whole(path, content)
    assert path.read_bytes() == bytes_
    assert disk.file_sha256(path) == sha256(bytes_).hexdigest()
    assert os.listdir(tmp_path) == ["file"]


def test_a_disk_that_refuses_leaves_what_was_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(handle: int) -> None:
        raise OSError(28, "No space left on device")

    path = tmp_path / "file"
    path.write_text("old", encoding="utf-8")
    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space left"):
        disk.write_whole(path, "new")
    assert path.read_text(encoding="utf-8") == "old"
    assert os.listdir(tmp_path) == ["file"]
    with pytest.raises(InputError, match=r"file cannot be written \(No space left on device\); choose another place"):
        disk.save(path, "new")


def test_a_kill_while_it_is_written_leaves_what_was_there_and_the_next_one_writes(tmp_path: Path) -> None:
    path = tmp_path / "file"
    disk.write_whole(path, "old")
    code = (
        "import os, signal, sys\nfrom pathlib import Path\nfrom paperdesk.tools.disk import write_whole\n"
        "def half(file):\n    file.write(b'ne')\n    file.flush()\n    os.kill(os.getpid(), signal.SIGKILL)\n"
        "write_whole(Path(sys.argv[1]), half)\n"
    )
    killed = subprocess.run([sys.executable, "-c", code, str(path)], check=False)
    assert killed.returncode == -9
    assert path.read_text(encoding="utf-8") == "old"
    disk.write_whole(path, "new")
    assert path.read_text(encoding="utf-8") == "new"
    assert os.listdir(tmp_path) == ["file"]


def test_a_place_that_a_user_names_is_made(tmp_path: Path) -> None:
    disk.save(tmp_path / "some" / "where" / "card.json", "{}")
    assert (tmp_path / "some" / "where" / "card.json").read_text(encoding="utf-8") == "{}"
