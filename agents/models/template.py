"""How a conversation is laid out for a model: our own templates, never the file's.

A template is a sequence of pieces: markup (which may hold control tokens) and content (which never may, so that text
in evidence cannot end a turn or speak as the system). Which one fits is told by the control tokens that a vocabulary
has.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

VERSION = 1
"""Part of a fingerprint."""


class Piece(NamedTuple):
    """A stretch of a prompt."""

    text: str
    markup: bool


class Turn(NamedTuple):
    """One message: who speaks (`system`, `user`, `assistant`) and what."""

    speaker: str
    text: str


@dataclass(frozen=True)
class Template:
    """The markup around each turn; `{speaker}` is filled in."""

    name: str
    marker: str
    """The control token by which its vocabulary is known; empty for the plain one, which fits any."""
    opening: str
    closing: str
    assistant: str = "assistant"
    """What the speaker `assistant` is called."""
    has_system: bool = True
    """Where False, the system message opens the first user turn."""
    end: str = ""
    """The control token that ends a turn; empty: the vocabulary's own."""

    def lay_out(self, turns: list[Turn]) -> list[Piece]:
        """The pieces of a prompt that ends where the assistant is to speak."""
        pieces: list[Piece] = []
        system = ""
        for speaker, text in turns:
            if speaker == "system" and not self.has_system:
                system += f"{text}\n\n"
                continue
            name = self.assistant if speaker == "assistant" else speaker
            pieces += [
                Piece(self.opening.format(speaker=name), True),
                Piece(system + text, False),
                Piece(self.closing, True),
            ]
            system = ""
        if system:
            pieces += [Piece(self.opening.format(speaker="user"), True), Piece(system.strip(), False)]
            pieces.append(Piece(self.closing, True))
        pieces.append(Piece(self.opening.format(speaker=self.assistant), True))
        return pieces


CHATML = Template("chatml", "<|im_start|>", "<|im_start|>{speaker}\n", "<|im_end|>\n", end="<|im_end|>")
LLAMA3 = Template(
    "llama3",
    "<|start_header_id|>",
    "<|start_header_id|>{speaker}<|end_header_id|>\n\n",
    "<|eot_id|>",
    end="<|eot_id|>",
)
GEMMA = Template(
    "gemma",
    "<start_of_turn>",
    "<start_of_turn>{speaker}\n",
    "<end_of_turn>\n",
    assistant="model",
    has_system=False,
    end="<end_of_turn>",
)
PHI3 = Template("phi3", "<|assistant|>", "<|{speaker}|>\n", "<|end|>\n", end="<|end|>")
PLAIN = Template("plain", "", "### {speaker}\n", "\n\n")
TEMPLATES = (CHATML, LLAMA3, GEMMA, PHI3)
"""In the order in which they are tried."""


def template_for(is_control: Callable[[str], bool]) -> Template:
    """The first template whose marker is one control token of the vocabulary; the plain one where none is."""
    return next((template for template in TEMPLATES if is_control(template.marker)), PLAIN)
