"""Frequent words of English, from packages that are installed; nothing of theirs is imported or copied.

symspellpy brings 82,765 words in lower case with how often they were printed, names among them. The vocabulary of
wordllama's tokenizer tells most of those names apart: it holds them with a capital only.
"""

import hashlib
import json
from functools import cache
from importlib.util import find_spec
from pathlib import Path

from ...errors import InputError

LEAST_PRINTED = 380_000
"""Times that a frequent word was printed, of about a million million words: the most frequent 34,000."""

_FREQUENCIES = ("symspellpy", "frequency_dictionary_en_82_765.txt")
_VOCABULARY = ("wordllama", "tokenizers/l2_supercat_tokenizer_config.json")
_WORD_START = "\u2581"
"""What a token begins with that begins a word."""


@cache
def frequent_words() -> frozenset[str]:
    """Frequent English words in lower case, names among them.

    Raises:
        InputError: a package that PaperDesk needs is not installed, or without its data.
    """
    text = _path(*_FREQUENCIES).read_text(encoding="utf-8-sig").split()
    printed = zip(text[::2], text[1::2], strict=True)
    return frozenset(word for word, times in printed if int(times) >= LEAST_PRINTED and len(word) > 1)


@cache
def capitalised_words() -> frozenset[str]:
    """Words that are known with a capital only, in lower case: names, and a few that mostly begin a sentence.

    Raises:
        InputError: as for `frequent_words`.
    """
    tokens = json.loads(_path(*_VOCABULARY).read_bytes())["model"]["vocab"]
    begun = {token[1:] for token in tokens if token.startswith(_WORD_START)}
    return frozenset({word.lower() for word in begun if word.istitle()} - begun)


@cache
def digest() -> str:
    """sha256 over the files that the words are read from.

    Raises:
        InputError: as for `frequent_words`.
    """
    contents = (_path(*place).read_bytes() for place in (_FREQUENCIES, _VOCABULARY))
    return hashlib.sha256("".join(hashlib.sha256(content).hexdigest() for content in contents).encode()).hexdigest()


def _path(package: str, name: str) -> Path:
    spec = find_spec(package)
    folders = [] if spec is None else spec.submodule_search_locations or []
    path = next((Path(folder) / name for folder in folders if (Path(folder) / name).is_file()), None)
    if path is None:
        raise InputError(f"names cannot be masked without {name} of {package}; install PaperDesk's dependencies again")
    return path
