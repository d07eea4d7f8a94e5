"""A GGUF model in this process. Importing this package loads the native library."""

from .mind import LlamaCpp

__all__ = ["LlamaCpp"]
