"""Adapters of the tiny model, drawn by lot: champions that are sure of nonsense, and can be beaten."""

import json
from pathlib import Path
from typing import Any

from paperdesk.agents.models.digest import file_digest
from paperdesk.simulations.training.adapter import Recipe, Trained, load_base
from paperdesk.simulations.training.desk_command import Card, DeskPlan, write_adapter
from paperdesk.simulations.training.exercises import Exercise
from paperdesk.simulations.training.kept import Kept, write_kept
from paperdesk.simulations.training.places import ADAPTER_FILE, CARD_FILE, WEIGHTS_FILE

RECIPE = Recipe(examine_every=4, threads=1, rank=4, alpha=8, learning_rate=5e-3)


def write_champion(folder: Path, base: Path, *, size: float, kept: Kept, seed: int = 5, **card: Any) -> Path:
    """An adapter's folder as `train_desk` writes it, with weights drawn from a normal distribution.

    Args:
        folder: new.
        base: the tiny model.
        size: standard deviation of the weights.
        kept: what it is said to have learnt.
        seed: of the weights.
        card: what the card says otherwise.
    """
    import peft
    import torch

    folder.mkdir(parents=True)
    draw = torch.Generator().manual_seed(seed)
    fresh: dict[str, Any] = peft.get_peft_model_state_dict(load_base(base, RECIPE))
    state = {name: torch.randn(tensor.shape, generator=draw) * size for name, tensor in fresh.items()}
    write_adapter(Trained(state, RECIPE, 0), base, folder)
    fields: dict[str, Any] = {
        "base": base.name,
        "base_sha256": file_digest(base),
        "adapter_sha256": file_digest(folder / ADAPTER_FILE),
        "weights_sha256": file_digest(folder / WEIGHTS_FILE),
        "plan": DeskPlan(model=str(base)),
        "recipe": RECIPE,
        "learnt": len(kept.replay),
        "learnt_digest": "",
        "kept_sha256": write_kept(folder, kept),
        "libraries": {},
        "steps": 0,
        "seconds": 0.0,
        "losses": (),
        "before": {},
        "after": {},
    }
    (folder / CARD_FILE).write_text(json.dumps(Card(**fields | card).model_dump(mode="json")), encoding="utf-8")
    return folder


def known(exercises: list[Exercise]) -> Kept:
    """Every other one was learnt."""
    return Kept(exercises[::2], exercises[1::2])
