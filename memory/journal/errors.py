"""What can go wrong with a journal."""

from typing import ClassVar

from ...tools.errors import InputError, PaperDeskError


class JournalError(PaperDeskError):
    """The journal could not do what was asked; after a failed write it accepts nothing more."""


class JournalRefused(JournalError, InputError):
    """The folder cannot be used as asked: it holds another session, or none, or another process writes to it."""


class JournalDamaged(JournalError):
    """What is stored is not what was written."""

    exit_code: ClassVar[int] = 3


class JournalDivergence(JournalError):
    """A session that is derived again differs from what it recorded the first time."""

    exit_code: ClassVar[int] = 3
