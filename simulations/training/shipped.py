"""A folder of one's own that begins with the adapter that comes with PaperDesk, so that it can be updated.

What is shipped is what a session needs (the GGUF file and its card) and the exercises that are kept to be learnt again;
the weights that training goes on from are those of the GGUF file.
"""

from pathlib import Path

from ...agents.models.adapters import SHIPPED, card_of
from ...agents.models.digest import file_digest
from ...tools.disk import save
from .adapter import base_of, versions
from .desk_command import Card, config_of, write_card, write_weights
from .exercises import TrainingError
from .gguf_adapter import read_gguf
from .kept import KEPT_FILE
from .places import ADAPTER_FILE, CARD_FILE, WEIGHTS_FILE
from .update_command import OtherBase

PARTS = (ADAPTER_FILE, KEPT_FILE, WEIGHTS_FILE, "adapter_config.json")
"""What an interrupted beginning may have left."""


def begin_with_shipped(folder: Path, model: str) -> None:
    """Make a folder that holds the shipped adapter as `train_desk` would have left it; where it is one, do nothing.

    Args:
        folder: new, or begun like this before.
        model: that is to be trained.

    Raises:
        TrainingError: the folder holds something else.
        OtherBase: the shipped adapter is of another model.
        NoTorch: the extra `nlp` is missing.
    """
    base = base_of(model)
    card = Card.model_validate_json((SHIPPED / CARD_FILE).read_bytes())
    if file_digest(base) != card.base_sha256:
        raise OtherBase(
            f"The adapter that comes with PaperDesk is of {card.base} and not of {base.name}: train one for it by"
            " `paperdesk train desk`."
        )
    begun = card_of(folder / ADAPTER_FILE)
    if begun is not None:
        if begun.adapter_sha256 != card.adapter_sha256:
            raise TrainingError(
                f"{folder} holds another adapter than the one that comes with PaperDesk: leave `--begin` out to update"
                " that one, or name a new folder."
            )
        return
    strange = sorted({path.name for path in folder.glob("[!.]*")} - set(PARTS))
    if strange:
        raise TrainingError(f"{folder} is no new folder, for it holds {strange[0]}: name another.")
    versions()
    folder.mkdir(parents=True, exist_ok=True)
    for name in (ADAPTER_FILE, KEPT_FILE):
        save(folder / name, (SHIPPED / name).read_bytes())
    write_weights(read_gguf(SHIPPED / ADAPTER_FILE, config=config_of(base)), card.recipe, base, folder)
    write_card(folder, card.model_copy(update={"weights_sha256": file_digest(folder / WEIGHTS_FILE)}))
