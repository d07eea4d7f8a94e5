"""Small files that are there whole or not at all."""

import os
from pathlib import Path

from ..errors import InputError


def write_whole(path: Path, content: bytes) -> None:
    """Write a file by way of a neighbour that then takes its name.

    Raises:
        InputError: the file cannot be written there.
    """
    neighbour = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with neighbour.open("wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        neighbour.replace(path)
    except OSError as error:
        neighbour.unlink(missing_ok=True)
        raise InputError(f"{path} cannot be written ({error.strerror}); choose another place") from None
