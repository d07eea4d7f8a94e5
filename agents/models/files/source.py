"""The name of a file on a hub: `hf:owner/repo/file[@revision]`."""

import re
from typing import NamedTuple, Self
from urllib.parse import quote

from ..core import ModelInputError

PREFIX = "hf:"
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,95}")
_REVISION = re.compile(r"[A-Za-z0-9][A-Za-z0-9._/-]{0,120}")


class HubFile(NamedTuple):
    """A file in a repository."""

    owner: str
    repository: str
    path: str
    """Within the repository, with slashes."""
    revision: str = ""
    """Branch, tag or commit; empty: the default one, `main`."""

    @classmethod
    def of(cls, text: str) -> Self:
        """The file that `hf:owner/repo/file[@revision]` names.

        Raises:
            ModelInputError: it names none, or something else than a GGUF.
        """
        name, _, revision = text.removeprefix(PREFIX).partition("@")
        owner, _, rest = name.partition("/")
        repository, _, path = rest.partition("/")
        parts = [owner, repository, *path.split("/")]
        plain = all(_NAME.fullmatch(part) and ".." not in part for part in parts)
        odd = "@" in text and not (_REVISION.fullmatch(revision) and ".." not in revision)
        if not text.startswith(PREFIX) or not plain or odd or not path.lower().endswith(".gguf"):
            raise ModelInputError(
                f"{text!r} names no model file: write hf:owner/repo/file.gguf, with @revision or not."
            )
        return cls(owner, repository, path, revision)

    def __str__(self) -> str:
        return f"{PREFIX}{self.owner}/{self.repository}/{self.path}" + (f"@{self.revision}" if self.revision else "")

    @property
    def folder(self) -> str:
        """The folder for this repository at this revision, below its owner's."""
        return f"{self.repository}@{quote(self.revision, safe='')}" if self.revision else self.repository

    def url(self, endpoint: str) -> str:
        """Where a hub at `endpoint` serves it."""
        revision = quote(self.revision or "main", safe="")
        return f"{endpoint.rstrip('/')}/{self.owner}/{self.repository}/resolve/{revision}/{quote(self.path)}"
