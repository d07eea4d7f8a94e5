"""How well a reader reads texts that nothing was fitted to: figures per class, and a picture of how sure it may be."""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ....tools.frozen import Frozen
from ....tools.sentiment.classifier import CLASSES, Probabilities
from ....tools.sentiment.scores import BINS, Scores, scores


class OfClass(Frozen):
    """One class."""

    texts: int
    precision: float
    """Of those taken for it, the part that is of it; 0 where none was."""
    recall: float
    """Of those of it, the part that was taken for it."""
    f1: float
    """Harmonic mean of both."""


class Bin(Frozen):
    """Texts whose most probable class has about the same probability."""

    texts: int
    sure: float
    """Mean of that probability."""
    right: float
    """Part of them in which that class is the true one."""


class ReaderReport(Frozen):
    """Of a reader on texts never trained on."""

    texts: int
    accuracy_error: float
    """Standard error of the accuracy, sqrt(a (1 - a) / n)."""
    majority: float
    """Accuracy of always saying the most frequent class of these texts."""
    before: Scores
    """Without the temperature."""
    after: Scores
    by_class: dict[str, OfClass]
    """With the temperature, which changes no class."""
    bins: tuple[tuple[Bin, ...], tuple[Bin, ...]]
    """Without and with the temperature, bins of a tenth that hold texts."""


def report_of(before: Probabilities, after: Probabilities, truth: NDArray[np.int64]) -> ReaderReport:
    """The report.

    Args:
        before: (n, 3) without the temperature.
        after: (n, 3) with it.
        truth: (n,) columns.
    """
    final = scores(after, truth)
    counts = np.array(final.confusion)
    return ReaderReport(
        texts=len(truth),
        accuracy_error=float(np.sqrt(final.accuracy * (1 - final.accuracy) / len(truth))),
        majority=float(counts.sum(axis=1).max() / len(truth)),
        before=scores(before, truth),
        after=final,
        by_class={name: _of_class(counts, place) for place, name in enumerate(CLASSES)},
        bins=(bins_of(before, truth), bins_of(after, truth)),
    )


def _of_class(counts: NDArray[np.int64], place: int) -> OfClass:
    hit, said, there = counts[place, place], counts[:, place].sum(), counts[place].sum()
    return OfClass(
        texts=int(there),
        precision=float(hit / said) if said else 0.0,
        recall=float(hit / there) if there else 0.0,
        f1=float(2 * hit / (said + there)) if said + there else 0.0,
    )


def bins_of(probabilities: Probabilities, truth: NDArray[np.int64]) -> tuple[Bin, ...]:
    """Texts in tenths of the probability of their most probable class, as in the expected calibration error."""
    sure, right = probabilities.max(axis=1), probabilities.argmax(axis=1) == truth
    which = np.clip(np.ceil(sure * BINS).astype(int) - 1, 0, BINS - 1)
    return tuple(
        Bin(texts=int(inside.sum()), sure=float(sure[inside].mean()), right=float(right[inside].mean()))
        for inside in (which == place for place in range(BINS))
        if inside.any()
    )


def _error(found: Bin) -> float:
    """Standard error of the part that is right, with one text more on either side (Agresti and Coull 1998)."""
    part = (found.right * found.texts + 1) / (found.texts + 2)
    return float(np.sqrt(part * (1 - part) / (found.texts + 2)))


def draw_reliability(report: ReaderReport, path: Path, title: str) -> None:
    """A reliability diagram (how sure against how often right) with the number of texts below, as SVG or PNG."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(5.2, 5.4), layout="constrained")
    FigureCanvasAgg(figure)
    above, below = figure.subplots(2, 1, sharex=True, height_ratios=(4, 1))
    above.plot([0, 1], [0, 1], color="0.7", linewidth=1, label="as often right as sure")
    looks = (("before the temperature", "tab:orange", "o", 6), ("with the temperature", "tab:blue", "s", 5))
    for bins, (name, colour, mark, size), found in zip(report.bins, looks, (report.before, report.after), strict=True):
        errors = [_error(b) for b in bins]
        above.errorbar(
            [b.sure for b in bins],
            [b.right for b in bins],
            yerr=errors,
            color=colour,
            marker=mark,
            markersize=size,
            linewidth=1,
            capsize=2,
            label=f"{name}: ECE {found.ece:.3f}",
        )
    above.set(ylabel="part that is right", xlim=(0.3, 1.01), ylim=(0, 1.03), title=title)
    above.legend(loc="lower right", frameon=False, fontsize=9)
    bins = report.bins[1]
    below.bar([b.sure for b in bins], [b.texts for b in bins], width=0.03, color="tab:blue")
    below.set(xlabel="probability of the class that it takes a text for", ylabel="texts")
    figure.savefig(path, dpi=110, metadata={"Date": None} if path.suffix == ".svg" else None)
