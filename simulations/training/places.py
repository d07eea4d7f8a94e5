"""The files in the folder of what was trained; those that a session needs are named with the models."""

from ...agents.models.adapters import ADAPTER_FILE, CARD_FILE

__all__ = ["ADAPTER_FILE", "CARD_FILE", "CHECKPOINT", "WEIGHTS_FILE"]

WEIGHTS_FILE = "adapter_model.safetensors"
"""Of an adapter, for further training, by peft's name."""
CHECKPOINT = "checkpoint.pt"
"""While it is trained, where it stands."""
