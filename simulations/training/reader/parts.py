"""What a reader learns from, what tells it when to stop, and what it is examined on: three parts without a leak.

Where the texts have dates, the parts follow each other in time. A text of a later part that repeats one of an earlier
part (near-equal, or equal but for names and figures) is left out, for its answer was learnt; where parts come as files
of their own, a repeat is refused.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ....tools.frozen import content_hash
from ....tools.market.documents.duplicates import near_repeats
from ....tools.market.laboratory import LaboratoryPlan, make
from ....tools.sentiment.classifier import CLASSES, columns_of
from ....tools.sentiment.labelled import Labelled, read_labelled, split
from ..exercises import Leakage, OneClass, TooLittleData, TrainingError
from ..phrasebook.releases import Pack, releases

SHARES = (0.7, 0.15, 0.15)
"""Of one set of texts: to learn from, to stop and calibrate by, to be examined on."""
LEAST = {"to learn from": 16, "to stop and calibrate by": 5, "to be examined on": 5}
"""Texts of each class that a part needs."""


@dataclass(frozen=True)
class Parts:
    """The three parts."""

    learn: Labelled
    stop: Labelled
    """Tells when to stop and fits the temperature."""
    exam: Labelled
    """Nothing is fitted to it."""
    ordered: bool
    """Whether the parts follow each other in time."""
    repeats: tuple[int, int] = (0, 0)
    """Texts left out of `stop` and of `exam` because they repeat an earlier one."""

    @property
    def digest(self) -> str:
        """Hash of what training sees."""
        return content_hash([self.learn.sha256, self.stop.sha256])


def parts_of(
    source: Path | int | Sequence[int], *, stop: Path | None = None, exam: Path | None = None, seed: int = 0
) -> Parts:
    """The parts of a CSV file, of so many releases of the phrasebook, or of markets by their seeds.

    Raises:
        TrainingError, DataError: see the functions below; files of their own go with a CSV file only.
    """
    if isinstance(source, Path):
        return parts_of_file(source, stop=stop, exam=exam, seed=seed)
    if stop or exam:
        raise TrainingError("Invented texts bring all three parts: leave --stop and --exam out.")
    return parts_of_phrasebook(source, seed=seed) if isinstance(source, int) else parts_of_markets(source)


def parts_of_phrasebook(count: int, *, seed: int = 0) -> Parts:
    """Invented press releases whose tone is known; parts share no trade, frame, verb or event.

    Args:
        count: to learn from; a tenth as many to stop by, a fifth to be examined on.
        seed: of what is drawn.
    """
    sizes: dict[Pack, int] = {"learn": count, "held_back": max(45, count // 10), "exam": max(45, count // 5)}
    learn, stop, exam = (
        Labelled(f"phrasebook, {pack}, seed {seed}", tuple(r.text for r in made), tuple(r.label for r in made))
        for pack, made in ((pack, releases(size, pack, seed=seed)) for pack, size in sizes.items())
    )
    return checked(learn, stop, exam, ordered=False)


def parts_of_file(path: Path, *, stop: Path | None = None, exam: Path | None = None, seed: int = 0) -> Parts:
    """The parts of a CSV file with the columns text, label and perhaps date.

    Args:
        path: of the file.
        stop: a file of its own for that part; else a part of `path`.
        exam: likewise.
        seed: of the split where there are no dates.

    Raises:
        DataError: a file has a defect.
        Leakage, TooLittleData, OneClass: see `checked`.
    """
    whole = read_labelled(path, dated=True)
    given = [read_labelled(file, dated=True) if file else None for file in (stop, exam)]
    shares = [SHARES[0], *(share for share, own in zip(SHARES[1:], given, strict=True) if own is None)]
    cut = divided(whole, [share / sum(shares) for share in shares], seed)
    learn, rest = cut[0], iter(cut[1:])
    own = [labelled if labelled is not None else next(rest) for labelled in given]
    return checked(learn, own[0], own[1], ordered=bool(whole.dates), given=(stop is not None, exam is not None))


def parts_of_markets(seeds: Sequence[int], *, companies: int = 30, years: int = 6) -> Parts:
    """Parts from the earnings releases of generated markets, labelled by their moods.

    One market is cut by time. Of several, the last one is for the examination, and the one before for stopping.

    Args:
        seeds: of the markets, each once; not two.
        companies: of each.
        years: of each.

    Raises:
        TooLittleData: two seeds.
        Leakage: a seed is given twice, or see `checked`.
    """
    if len(set(seeds)) < len(seeds):
        raise Leakage("A market stands in two parts: name each seed once.")
    if len(seeds) in (0, 2):
        raise TooLittleData(f"{len(seeds)} markets make no three parts: name one seed, or at least three.")
    markets = [_market(seed, companies, years) for seed in seeds]
    if len(markets) == 1:
        learn, stop, exam = divided(markets[0], SHARES, 0)
        return checked(learn, stop, exam, ordered=True)
    return checked(_joined(markets[:-2]), markets[-2], markets[-1], ordered=False)


def divided(labelled: Labelled, shares: Sequence[float], seed: int) -> list[Labelled]:
    """Parts of about these shares: one after the other where there are dates, else class by class by lot.

    Texts of one day stay together.

    Raises:
        TooLittleData: there are fewer days than parts.
    """
    if not labelled.dates:
        return [labelled.rows(part) for part in split(labelled.labels, shares, np.random.default_rng(seed))]
    days = np.array([day.toordinal() for day in labelled.dates])
    distinct, counts = np.unique(days, return_counts=True)
    if len(distinct) < len(shares):
        raise TooLittleData(f"{labelled.name} has texts of {len(distinct)} days; parts in time need more.")
    # the first day of each later part; a share counts texts, and every part has a day
    ends = np.cumsum(counts) / len(days)
    borders, least = [], 1
    for place, share in enumerate(np.cumsum(shares)[:-1], 1):
        first = int(np.searchsorted(ends, share - 1e-9)) + 1
        least = min(max(first, least), len(distinct) - len(shares) + place)
        borders.append(int(distinct[least]))
        least += 1
    which = np.searchsorted(borders, days, side="right")
    return [labelled.rows(np.flatnonzero(which == part).tolist()) for part in range(len(shares))]


def checked(
    learn: Labelled, stop: Labelled, exam: Labelled, *, ordered: bool, given: tuple[bool, bool] = (False, False)
) -> Parts:
    """The parts without repeats.

    Args:
        learn: to learn from.
        stop: to stop and calibrate by.
        exam: to be examined on.
        ordered: whether they are cut or meant to follow each other in time; parts without dates do not.
        given: whether `stop` and `exam` came as files of their own: then a repeat in them is an error.

    Raises:
        Leakage: a part begins before what it follows ends, a given part repeats texts, or hardly any text of a part is
            new.
        TooLittleData: a part has too few texts of a class.
        OneClass: a part has one class only.
    """
    ordered = ordered and all(part.dates for part in (learn, stop, exam))
    _refuse_time(learn, stop, "is learnt from")
    _refuse_time(learn, exam, "is learnt from")
    if ordered:  # parts of different markets have dates, and no common time
        _refuse_time(stop, exam, "it is stopped by")
    stop, first = _new(stop, learn, given[0])
    exam, second = _new(exam, _joined([learn, stop]), given[1])
    for part, what in zip((learn, stop, exam), LEAST, strict=True):
        _refuse_poor(part, what)
    return Parts(learn, stop, exam, ordered, (first, second))


def _new(part: Labelled, earlier: Labelled, given: bool) -> tuple[Labelled, int]:
    """A part without what repeats an earlier text, and how many those were."""
    repeats = near_repeats(part.texts, earlier.texts)
    if not repeats:
        return part, 0
    place, other = next(iter(repeats.items()))
    if given:
        raise Leakage(
            f"{len(repeats)} of the {len(part)} texts of {part.name} repeat texts learnt from"
            f" ({_short(part.texts[place])} and {_short(earlier.texts[other])}): take them out of one of the files."
        )
    if len(repeats) > 0.9 * len(part):
        raise Leakage(
            f"{len(repeats)} of {len(part)} texts held back repeat texts learnt from ({_short(part.texts[place])} and"
            f" {_short(earlier.texts[other])}): give texts that are worded differently."
        )
    return part.rows([i for i in range(len(part)) if i not in repeats]), len(repeats)


def _refuse_time(earlier: Labelled, later: Labelled, what: str) -> None:
    if earlier.dates and later.dates and max(earlier.dates) >= min(later.dates):
        raise Leakage(
            f"What {what} reaches to {max(earlier.dates)} and {later.name} begins on {min(later.dates)}: give"
            " texts that appeared later."
        )


def _refuse_poor(part: Labelled, what: str) -> None:
    counts = np.bincount(columns_of(part.labels), minlength=len(CLASSES)).tolist()
    if len(part) and max(counts) == len(part):
        raise OneClass(f"All texts {what} are {part.labels[0]}: give some of the other classes.")
    if min(counts) < LEAST[what]:
        told = ", ".join(f"{count} {name}" for count, name in zip(counts, CLASSES, strict=True))
        raise TooLittleData(
            f"The texts {what} are {told}, and {LEAST[what]} of each are needed: give more labelled texts."
        )


def _market(seed: int, companies: int, years: int) -> Labelled:
    """The earnings releases of a market, labelled by the sum of the moods of quote and outlook."""
    laboratory = make(LaboratoryPlan(companies=companies, years=years, seed=seed))
    text = {document.id: document.text for document in laboratory.dataset.documents}
    truth = laboratory.truth.releases
    moods = truth["quote_mood"] + truth["outlook_mood"]
    return Labelled(
        f"releases of market {seed}",
        tuple(text[name] for name in truth["document"]),
        tuple(CLASSES[int(np.sign(mood)) + 1] for mood in moods),
        dates=tuple(moment.date() for moment in truth["published_at"]),
    )


def _joined(parts: Sequence[Labelled]) -> Labelled:
    """Several sets of texts as one; without dates, for sets of different markets have no common time."""
    name = " and ".join(part.name for part in parts)
    return Labelled(name, tuple(t for p in parts for t in p.texts), tuple(k for p in parts for k in p.labels))


def _short(text: str) -> str:
    return repr(text if len(text) <= 60 else text[:57] + "...")
