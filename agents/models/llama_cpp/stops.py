"""What a reader may see of bytes as they come: whole characters, and nothing of a stop sequence."""

import codecs
from collections.abc import Sequence


class Visible:
    """Turns bytes into text that can be shown at once.

    Args:
        stop: texts that end the answer and are not part of it; the first that is complete counts.
    """

    def __init__(self, stop: Sequence[str]) -> None:
        self._stop = [mark for mark in stop if mark]
        self._decoder = codecs.getincrementaldecoder("utf-8")(errors="replace")
        self._held = ""
        """Characters that may be the beginning of a stop sequence."""
        self.stopped = False

    def add(self, data: bytes) -> str:
        """The text that can be shown after these bytes; empty once stopped."""
        return self._show(self._decoder.decode(data))

    def rest(self) -> str:
        """What was held back, once no more will come; half a character at the end becomes U+FFFD."""
        shown = self._show(self._decoder.decode(b"", final=True))
        held, self._held = self._held, ""
        return shown if self.stopped else shown + held

    def _show(self, text: str) -> str:
        shown = ""
        for character in text:
            if self.stopped:
                break
            self._held += character
            ended = max((mark for mark in self._stop if self._held.endswith(mark)), key=len, default="")
            if ended:
                self.stopped = True
                shown += self._held[: -len(ended)]
                self._held = ""
                break
            keep = max((_overlap(self._held, mark) for mark in self._stop), default=0)
            cut = len(self._held) - keep
            shown += self._held[:cut]
            self._held = self._held[cut:]
        return shown


def _overlap(text: str, mark: str) -> int:
    """Length of the longest end of a text that is a beginning of a mark."""
    return next((n for n in range(min(len(text), len(mark) - 1), 0, -1) if text.endswith(mark[:n])), 0)
