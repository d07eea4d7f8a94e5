"""How a reader is trained."""

from typing import Literal, Self

from pydantic import Field

from ....tools.frozen import Frozen

Mode = Literal["head", "lora", "full"]
"""`head`: only what stands behind the encoder; `lora`: low-rank changes of the encoder too; `full`: every weight."""
RATES: dict[Mode, float] = {"head": 2e-3, "lora": 1e-3, "full": 1e-4}
EPOCHS: dict[Mode, int] = {"head": 8, "lora": 3, "full": 3}
"""Defaults by mode; docs/readers.md says what they were chosen by."""


class ReaderRecipe(Frozen):
    """How a reader is trained; `of` fills in what depends on the mode."""

    mode: Mode = "full"
    learning_rate: float = Field(default=RATES["full"], gt=0, le=1)
    """Of AdamW at its highest; it rises from 0 and falls to 0 along a line."""
    epochs: int = Field(default=EPOCHS["full"], ge=1, le=200)
    rank: int = Field(default=8, ge=1, le=256)
    alpha: float = Field(default=16.0, gt=0)
    dropout: float = Field(default=0.05, ge=0, lt=1)
    """Of the low-rank changes; that of the encoder is its own."""
    batch: int = Field(default=16, ge=1, le=512)
    max_tokens: int = Field(default=128, ge=8, le=8192)
    """Tokens of a text that are read, special ones included."""
    warm_up: float = Field(default=0.1, ge=0, le=1)
    """Part of the steps in which the rate rises."""
    weight_decay: float = Field(default=0.01, ge=0, le=1)
    clip: float = Field(default=1.0, gt=0)
    """Largest norm of a gradient."""
    class_weights: bool = True
    """Whether a text counts for n / (classes x texts of its class), so that rare classes weigh as much as others."""
    looks: int = Field(default=2, ge=1, le=100)
    """How often per epoch the part for stopping is looked at; the best state is kept."""
    patience: int = Field(default=4, ge=1)
    """Looks without a better state after which training ends."""
    seed: int = Field(default=0, ge=0)
    threads: int = Field(default=2, ge=1, le=256)
    device: str = "auto"
    """`auto` takes a GPU where there is one; there, training runs in mixed precision."""

    @classmethod
    def of(cls, mode: Mode, *, learning_rate: float | None = None, epochs: int | None = None, **others: object) -> Self:
        """The recipe of a mode, with its defaults for what is not given."""
        rate = RATES[mode] if learning_rate is None else learning_rate
        times = EPOCHS[mode] if epochs is None else epochs
        return cls.model_validate({"mode": mode, "learning_rate": rate, "epochs": times, **others})
