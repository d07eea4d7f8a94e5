"""The auditor: code checks every signal; a mind may only lower confidence or send a signal back."""

from ...tools.market.names import Directory
from .audit import audit_signals, pass_unread
from .case import Case
from .register import Register, Split

__all__ = ["Case", "Directory", "Register", "Split", "audit_signals", "pass_unread"]
