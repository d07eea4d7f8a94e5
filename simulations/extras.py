"""What a person is told who lacks the packages of an extra."""

from ..tools.errors import InputError


def missing_extra(what: str, extra: str, error: ImportError) -> InputError:
    """The error that names the extra and how to install it."""
    return InputError(f"{what} needs the extra {extra} ({error.name} is missing): pip install 'paperdesk[{extra}]'")
