"""The auditor: code checks every signal; a mind may only lower confidence or send a signal back."""

from .audit import audit_signals

__all__ = ["audit_signals"]
