import struct
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from paperdesk.agents.models.core import ModelInputError
from paperdesk.agents.models.llama_cpp import LlamaCpp
from paperdesk.agents.models.llama_cpp.gguf import read_header
from paperdesk.agents.models.open import bundled_model, open_model


def _text(value: str) -> bytes:
    return struct.pack("<Q", len(value)) + value.encode()


def tiny() -> bytes:
    """A complete file with one tensor of 4 x 8 32-bit floats."""
    head = b"GGUF" + struct.pack("<IQQ", 3, 1, 2)
    head += _text("general.architecture") + struct.pack("<I", 8) + _text("llama")
    head += _text("some.list") + struct.pack("<IIQ", 9, 4, 2) + struct.pack("<II", 1, 2)
    head += _text("weight") + struct.pack("<IQQIQ", 2, 4, 8, 0, 0)
    return head + bytes(-len(head) % 32) + bytes(4 * 8 * 4)


def test_the_bundled_model_is_complete() -> None:
    header = read_header(bundled_model())
    assert header.architecture == "llama"
    assert header.tensors == 272


def test_a_complete_file_is_read(tmp_path: Path) -> None:
    file = tmp_path / "tiny.gguf"
    file.write_bytes(tiny())
    assert read_header(file).metadata == {"general.architecture": "llama"}


@pytest.mark.parametrize("missing", [1, 100, 128, 150, len(tiny()) - 30, len(tiny()) - 2, len(tiny())])
def test_a_file_whose_end_is_missing_is_refused(tmp_path: Path, missing: int) -> None:
    file = tmp_path / "cut.gguf"
    file.write_bytes(tiny()[:-missing])
    with pytest.raises(ModelInputError, match=r"cut\.gguf cannot be used: it .*; get the file again\."):
        open_model(str(file))


def test_a_truncated_download_of_the_real_model_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "half.gguf"
    with bundled_model().open("rb") as source:
        file.write_bytes(source.read(20_000_000))
    with pytest.raises(ModelInputError, match="it is cut off"):
        open_model(str(file))


def test_what_is_no_model_is_refused_in_a_sentence(tmp_path: Path) -> None:
    file = tmp_path / "page.gguf"
    file.write_text("<html>404</html>")
    with pytest.raises(ModelInputError, match="it is not a GGUF file"):
        open_model(str(file))
    with pytest.raises(ModelInputError, match="check the path"):
        open_model(str(tmp_path / "absent.gguf"))
    folder = tmp_path / "folder.gguf"
    folder.mkdir()
    with pytest.raises(ModelInputError, match="check the path"):
        open_model(str(folder))


def test_a_well_formed_file_that_is_no_language_model_does_not_crash(tmp_path: Path) -> None:
    file = tmp_path / "tiny.gguf"
    file.write_bytes(tiny())
    with pytest.raises(ModelInputError, match=r"llama\.cpp cannot load"):
        LlamaCpp(file)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(at=st.integers(0, 190), byte=st.integers(0, 255))
def test_a_damaged_header_is_read_or_refused_but_never_breaks(tmp_path: Path, at: int, byte: int) -> None:
    file = tmp_path / "damaged.gguf"
    data = bytearray(tiny())
    data[at] = byte
    file.write_bytes(data)
    with suppress(ModelInputError):
        read_header(file)
