"""Looking at a model file before anybody loads it: header, sha256, allow-list, and a trial in a child process."""

from collections.abc import Callable
from datetime import datetime
from pathlib import Path

from ....tools.frozen import Frozen
from ..core import ModelInputError
from ..digest import file_digest
from ..llama_cpp.gguf import read_header, require_model
from .probing import Probe, probe_file
from .trust import Verdict, record_trust, verdict


class Check(Frozen):
    """What is to be said about a file."""

    file: Path
    sound: bool
    problem: str
    """A sentence; empty for a sound file."""
    size: int = 0
    """Bytes."""
    sha256: str = ""
    """Empty where the header is damaged already."""
    verdict: Verdict = Verdict(allowed=False, by="nobody", name="")
    probe: Probe | None = None
    """None where the header is damaged already."""

    @property
    def exit_code(self) -> int:
        """0 sound and allowed, 2 damaged, 3 sound and not allowed."""
        if not self.sound:
            return 2
        return 0 if self.verdict.allowed else 3


def check_file(path: Path, *, probe: Callable[[Path], Probe] = probe_file) -> Check:
    """Look at a file; damage is a finding, not an error.

    Args:
        path: a GGUF file.
        probe: how it is tried.

    Raises:
        ModelInputError: the user's trust file is damaged.
    """
    try:
        require_model(path, read_header(path))
        size, digest = path.stat().st_size, file_digest(path)
    except ModelInputError as error:
        return Check(file=path, sound=False, problem=str(error))
    except OSError as error:
        return Check(file=path, sound=False, problem=f"The model file {path} cannot be read ({error.strerror}).")
    found = probe(path)
    problem = f"The model file {path} cannot be used: {found.problem}; get the file again." if found.problem else ""
    return Check(
        file=path,
        sound=not problem,
        problem=problem,
        size=size,
        sha256=digest,
        verdict=verdict(digest),
        probe=found,
    )


def trust_file(path: Path, *, now: datetime, command: str, probe: Callable[[Path], Probe] = probe_file) -> Check:
    """Look at a file and, if it is sound, vouch for it from now on.

    Args:
        path: a GGUF file.
        now: UTC.
        command: how the user said so, for the record.
        probe: how it is tried.

    Raises:
        ModelInputError: the user's trust file is damaged or cannot be written.
    """
    found = check_file(path, probe=probe)
    if not found.sound or found.verdict.allowed:
        return found
    record_trust(path, found.sha256, now=now, command=command)
    return found.model_copy(update={"verdict": verdict(found.sha256)})
