"""Which token may come next: the bytes behind each token, indexed by the first one."""

from collections import defaultdict

import numpy as np
import numpy.typing as npt

from ..grammar import Grammar
from .engine import Engine, FloatArray


class Vocabulary:
    """The pieces of a model's vocabulary; control tokens have none and are never written."""

    def __init__(self, engine: Engine) -> None:
        self.pieces: list[bytes] = [engine.piece(token) for token in range(engine.n_vocab)]
        first: defaultdict[int, list[int]] = defaultdict(list)
        for token, piece in enumerate(self.pieces):
            if piece:
                first[piece[0]].append(token)
        self._by_first_byte: dict[int, npt.NDArray[np.intp]] = {byte: np.array(ids) for byte, ids in first.items()}

    def choose(self, logits: FloatArray, grammar: Grammar) -> tuple[int, Grammar] | None:
        """The most probable token that the grammar admits, and the position after it; None where there is none.

        Args:
            logits: shape (n_vocab,).
            grammar: the position; not complete.
        """
        # nearly always the model's own choice fits, and then the rest of the vocabulary need not be looked at
        favourite = int(np.argmax(logits))
        after = grammar.after(self.pieces[favourite]) if self.pieces[favourite] else None
        if after is not None:
            return favourite, after
        groups = [self._by_first_byte[byte] for byte in sorted(grammar.next_bytes()) if byte in self._by_first_byte]
        if not groups:
            return None
        candidates = np.concatenate(groups)
        for token in candidates[np.argsort(-logits[candidates], kind="stable")].tolist():
            after = grammar.after(self.pieces[token])
            if after is not None:
                return token, after
        return None
