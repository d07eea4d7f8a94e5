"""Sentiment by a transformers sequence classifier: FinBERT, or any folder or hub name with three such classes.

Offline but for a hub name, which is fetched once into the hub's own cache. Only safetensors weights are read, no code
of a repository is run, and a model whose classification head is not in its weights is refused: it would answer at
random. Nothing global is set (no threads, no seeds, no environment), but for the progress bars of loading, which are
put back.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import cached_property
from hashlib import sha256
from importlib import import_module
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from ..errors import InputError, PaperDeskError
from ..frozen import content_hash
from .classifier import CLASSES, Label, Probabilities, softmax

HUB_NAME = re.compile(r"(?P<name>[\w-]+/[\w.-]+)(?:@(?P<revision>[\w./-]+))?")
"""`owner/model`, or `owner/model@revision`."""
BATCH = 16
"""Texts at once; each batch is padded to its longest."""
_FILES = ("*.json", "*.txt", "*.model", "*.safetensors")
"""What a model needs of its repository."""
_NO_LIMIT = 10**6
"""Maxima above it mean that a tokenizer names none."""
_OFFSET_POSITIONS = ("roberta", "camembert", "longformer", "mpnet")
"""Model families whose positions begin after the padding's, so that fewer are left for tokens."""


class TransformersClassifier:
    """A sequence-classification model.

    Args:
        source: a folder with config, tokenizer and safetensors weights, or a hub name `owner/model[@revision]`.
        labels: which of the model's labels means which class, where its config does not say so itself; several may
            mean the same, all must be named, and every class must be meant by one.
        batch: texts at once.
        device: where it runs, in torch's terms.
        endpoint: of the hub, in place of its own.
        cache: where a hub's files are kept, in place of its own cache.

    Raises:
        InputError: transformers or torch is not installed, there is no such model, its labels cannot be understood, or
            its weights are not safetensors or lack the classification head.
    """

    classes: ClassVar[tuple[Label, ...]] = CLASSES

    def __init__(
        self,
        source: str | Path,
        labels: Mapping[str, str] | None = None,
        *,
        batch: int = BATCH,
        device: str = "cpu",
        endpoint: str | None = None,
        cache: Path | None = None,
    ) -> None:
        if batch < 1:
            raise InputError(f"batches of {batch} texts were asked for; ask for at least 1")
        self._torch, transformers, safetensors = _extra("torch"), _extra("transformers"), _extra("safetensors")
        folder = model_folder(source, endpoint, cache)
        self.name = f"transformers:{Path(source).name}"
        with _without_bars(transformers):
            try:
                # no network and no foreign code from here on
                closed = {"local_files_only": True, "trust_remote_code": False}
                config = transformers.AutoConfig.from_pretrained(folder, **closed)
                self._sums = _sums(config, labels, self.name)
                self._tokenizer = transformers.AutoTokenizer.from_pretrained(folder, **closed)
                self._model, info = transformers.AutoModelForSequenceClassification.from_pretrained(
                    folder,
                    config=config,
                    use_safetensors=True,
                    dtype=self._torch.float32,
                    output_loading_info=True,
                    **closed,
                )
            except (OSError, ValueError, KeyError, ImportError, RuntimeError, safetensors.SafetensorError) as error:
                reason = (str(error).strip() or type(error).__name__).splitlines()[0].rstrip(".")
                raise InputError(f"{folder} is no sequence classifier ({reason}); name another model") from None
        absent = sorted({*info["missing_keys"], *(str(key) for key in info["mismatched_keys"])})
        if absent:
            raise InputError(
                f"{folder} has no weights for {absent[0]}; name a model that was trained to classify, not its base"
            )
        self._model = self._model.to(device).eval()
        # without a token to pad with, texts cannot share a batch
        self._batch = batch if self._tokenizer.pad_token is not None else 1
        self.max_tokens = longest(self._tokenizer, config)
        """Tokens of a text that are read, special ones included; the rest is cut off."""
        self._folder, self._device = folder, device
        self._versions = [transformers.__version__, self._torch.__version__]

    @cached_property
    def fingerprint(self) -> str:
        """Hash of the model's files, the meaning of its labels, the length it reads, and the libraries' versions."""
        files = sorted(path for pattern in _FILES for path in self._folder.glob(pattern))
        digests = [[path.name, _digest(path)] for path in files]
        return content_hash([digests, self._sums.tolist(), self.max_tokens, self._device, *self._versions])

    def predict(self, texts: Sequence[str]) -> Probabilities:
        """The distribution of each text, (len(texts), 3), from its first `max_tokens` tokens.

        Raises:
            PaperDeskError: the model answers with something that is no number.
        """
        found = np.empty((len(texts), len(self._sums)))
        tokens = [
            # a space where nothing is written: some tokenizers make no token of an empty text
            self._tokenizer(text or " ", truncation=True, max_length=self.max_tokens)
            for text in texts
        ]
        # texts of like length share a batch, so that little is padded
        order = sorted(range(len(texts)), key=lambda i: len(tokens[i]["input_ids"]))
        for first in range(0, len(order), self._batch):
            rows = order[first : first + self._batch]
            found[rows] = self._logits([tokens[i] for i in rows])
        if not np.isfinite(found).all():
            row = int(np.argmin(np.isfinite(found).all(axis=1)))
            raise PaperDeskError(f"{self.name} has no number for text {row + 1}; its weights are damaged")
        summed: Probabilities = softmax(found) @ self._sums if len(texts) else np.empty((0, len(CLASSES)))
        return summed

    def _logits(self, tokens: list[Any]) -> NDArray[np.float64]:
        if self._tokenizer.pad_token is None:
            inputs = {name: self._torch.tensor([values]) for name, values in tokens[0].items()}
        else:
            inputs = self._tokenizer.pad(tokens, return_tensors="pt")
        with self._torch.inference_mode():
            output = self._model(**{name: values.to(self._device) for name, values in inputs.items()})
        logits: NDArray[np.float64] = output.logits.double().cpu().numpy()
        return logits


def _extra(name: str) -> Any:
    """A module of the extra `nlp`."""
    try:
        return import_module(name)
    except ImportError:
        raise InputError(f"a transformers classifier needs {name}; run `pip install 'paperdesk[nlp]'`") from None


def model_folder(source: str | Path, endpoint: str | None = None, cache: Path | None = None) -> Path:
    """Where a model lies on this machine; a hub name is fetched first.

    Raises:
        InputError: there is no such model, or it has no safetensors weights.
    """
    folder = Path(source).expanduser()
    if not folder.is_dir():
        hub = HUB_NAME.fullmatch(str(source))
        if hub is None:
            raise InputError(f"there is no folder {str(source)!r}; name a folder or a hub name like owner/model")
        folder = _fetched(hub["name"], hub["revision"], endpoint, cache)
    if not any(folder.glob("*.safetensors")):
        raise InputError(
            f"{source} has no safetensors weights; name one that has, or a revision (owner/model@revision)"
        )
    return folder


def _fetched(name: str, revision: str | None, endpoint: str | None, cache: Path | None) -> Path:
    hub = _extra("huggingface_hub")
    bars = hub.utils.are_progress_bars_disabled()
    hub.utils.disable_progress_bars()
    try:
        found = hub.snapshot_download(
            name,
            revision=revision,
            allow_patterns=list(_FILES),
            ignore_patterns=["*/*"],
            endpoint=endpoint,
            cache_dir=cache,
        )
    except (OSError, ValueError) as error:
        reason = (str(error).strip() or type(error).__name__).splitlines()[0].rstrip(".")
        raise InputError(f"{name} cannot be had from the hub ({reason}); check the name and the network") from None
    finally:
        if not bars:
            hub.utils.enable_progress_bars()
    return Path(found)


@contextmanager
def _without_bars(transformers: Any) -> Iterator[None]:
    """No progress bars while a model is loaded."""
    logging = transformers.utils.logging
    shown = logging.is_progress_bar_enabled()
    logging.disable_progress_bar()
    try:
        yield
    finally:
        if shown:
            logging.enable_progress_bar()


def _sums(config: Any, labels: Mapping[str, str] | None, name: str) -> NDArray[np.float64]:
    """Which of the model's labels add up to which class, (labels, 3) of 0 and 1."""
    own = [str(config.id2label[i]) for i in range(len(config.id2label))]
    if getattr(config, "problem_type", None) not in (None, "single_label_classification"):
        raise InputError(f"{name} is made for {config.problem_type}; name a model with one label per text")
    meant = {label: label for label in own} if labels is None else dict(labels)
    how = "say which label means what, as in transformers:FOLDER#LABEL_0=negative,LABEL_1=neutral,LABEL_2=positive"
    known = [str(meant.get(label, "")).strip().lower() for label in own]
    if set(known) != set(CLASSES) or set(meant) - set(own):
        raise InputError(f"{name} has the labels {', '.join(own)}; {how}")
    return np.array([[float(label == one) for one in CLASSES] for label in known])


def longest(tokenizer: Any, config: Any) -> int:
    """The longest text that a tokenizer and a model of this config can take, in tokens."""
    positions = getattr(config, "max_position_embeddings", None) or _NO_LIMIT
    if any(family in config.model_type for family in _OFFSET_POSITIONS):
        positions -= (config.pad_token_id or 0) + 1
    most = min(positions, tokenizer.model_max_length)
    # relative positions have no end of their own: what others read is enough
    return int(most) if most < _NO_LIMIT else 512


def _digest(path: Path) -> str:
    digest = sha256()
    with path.open("rb") as file:
        while block := file.read(1 << 20):
            digest.update(block)
    return digest.hexdigest()
