"""`paperdesk train trend`: a trend judged by purged walk-forward beside its baselines, and a plain word about it."""

from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import get_args

import numpy as np

from ....memory.journal import code_hash
from ....tools.disk import save
from ....tools.frozen import Frozen, content_hash
from ....tools.market.view import Market
from ...evaluation.resampling import interval, stationary_places
from ...evaluation.splits import Spans, Split, walk_forward
from ..adapter import required
from ..exercises import Leakage, OneClass, TooLittleData, TrainingError
from ..places import CARD_FILE
from .cases import Cases, Places, Vector, cases_of
from .model import BASELINES, Side, TrendRecipe, baseline, fit_trend, losses

LEAST_CASES, LEAST_DAYS = 400, 40
"""Cases and closes that a trend needs."""
DRAWS = 2000


class TrendPlan(Frozen):
    """What `train trend` is to do."""

    market: str
    sessions: int
    """k: over which a company is to do better than the market."""
    every: int
    """Sessions between two closes that are judged."""
    parts: int
    """Of the walk-forward: all but the first are judged, each by what was known before it."""


class Judged(Frozen):
    """One of the contenders on all cases that were judged."""

    accuracy: float
    log_loss: float
    """Mean, nats; log 2 = 0.693 for one who knows nothing."""
    brier: float
    """Mean of 2 (p - y)^2, 0 to 2."""


class Margin(Frozen):
    """By how much the trend is better than a baseline; the interval holds 95 % of resampled histories."""

    log_loss: tuple[float, float, float]
    """Baseline's minus trend's, nats: value, low, high."""
    accuracy: tuple[float, float, float]
    """Trend's minus baseline's: value, low, high."""

    @property
    def beyond_noise(self) -> bool:
        """Whether the whole interval of the log loss is on the trend's side."""
        return self.log_loss[1] > 0


class TrendCard(Frozen):
    """On what a trend was judged, and how good it is."""

    plan: TrendPlan
    recipe: TrendRecipe
    market_sha256: str
    cases: int
    closes: int
    first: str
    last: str
    """Days of the first and last close that were judged or learnt from."""
    measures: tuple[str, ...]
    digest: str
    """Hash of the cases."""
    judged: int
    purged: int
    """Cases left out between what was learnt from and what was judged, over all parts."""
    contenders: dict[Side, Judged]
    margins: dict[Side, Margin]
    """By baseline."""
    verdict: str
    code: str
    libraries: dict[str, str]


def train_trend(
    market: Market, plan: TrendPlan, recipe: TrendRecipe, out: Path, *, say: Callable[[str], None] = lambda text: None
) -> TrendCard:
    """Judge a trend by walk-forward, and write its card into a folder.

    An interrupted command goes on after the last part that was judged.

    Args:
        market: the whole market.
        plan: on what.
        recipe: how.
        out: a folder: new, or of the same command begun before.
        say: told what is going on.

    Raises:
        TooLittleData, OneClass: nothing can be learnt from the market.
        NoTorch: the extra `nlp` is missing.
        TrainingError: the folder holds a trend.
    """
    if (out / CARD_FILE).exists():
        raise TrainingError(f"{out} holds a trained trend: name a new folder, or delete that one.")
    torch = required("torch")
    cases = cases_of(market, plan.sessions, plan.every, say)
    refuse_poor(cases)
    out.mkdir(parents=True, exist_ok=True)
    splits = list(walk_forward(cases.spans, plan.parts))
    said: dict[Side, list[Vector]] = {name: [] for name in get_args(Side)}
    for number, split in enumerate(splits, 1):
        refuse_overlap(cases.spans, split)
        say(f"part {number} of {len(splits)}: {len(split.train)} cases learnt from, {len(split.test)} judged")
        key = content_hash([recipe.model_dump(), cases.digest, split.train.tolist(), split.test.tolist()])
        said["trend"].append(_kept(out / f"part-{number}.npz", key, partial(_judged, cases, split, recipe)))
        for name in BASELINES:
            said[name].append(baseline(name, cases, split.train, split.test))
    judged = np.concatenate([split.test for split in splits])
    probabilities = {name: np.concatenate(parts) for name, parts in said.items()}
    margins = margins_of(cases, judged, probabilities, plan, recipe.seed)
    days = market.dataset.bars.sessions
    card = TrendCard(
        plan=plan,
        recipe=recipe,
        market_sha256=market.fingerprint,
        cases=len(cases),
        closes=len(np.unique(cases.spans.first)),
        first=str(days[cases.spans.first[0]]),
        last=str(days[cases.spans.first[-1]]),
        measures=cases.measures,
        digest=cases.digest,
        judged=len(judged),
        purged=sum(int(split.test[0]) - len(split.train) for split in splits),
        contenders={name: _scored(found, cases.above[judged]) for name, found in probabilities.items()},
        margins=margins,
        verdict=verdict_of(margins),
        code=code_hash(),
        libraries={"torch": torch.__version__, "scikit-learn": required("sklearn").__version__},
    )
    save(out / CARD_FILE, (card.model_dump_json(indent=1) + "\n").encode())
    for kept in out.glob("part-*.npz"):
        kept.unlink()
    return card


def _judged(cases: Cases, split: Split, recipe: TrendRecipe) -> Vector:
    return fit_trend(cases, split.train, recipe).predict(cases, split.test)


def _kept(path: Path, key: str, make: Callable[[], Vector]) -> Vector:
    """What a part came to, from the file of an interrupted command where it is of the same one."""
    if path.is_file():
        with np.load(path, allow_pickle=False) as arrays:
            if str(arrays["key"]) == key:
                found: Vector = arrays["found"]
                return found
    made = make()
    draft = path.with_name(f".{path.name}")
    with draft.open("wb") as file:
        np.savez(file, key=np.array(key), found=made)
    draft.replace(path)
    return made


def refuse_poor(cases: Cases) -> None:
    """Refuse cases from which nothing can be learnt.

    Raises:
        TooLittleData: there are too few, or of too few closes.
        OneClass: all have the same answer.
    """
    closes = len(np.unique(cases.spans.first))
    if len(cases) < LEAST_CASES or closes < LEAST_DAYS:
        raise TooLittleData(
            f"The market has {len(cases)} cases of {closes} closes, and {LEAST_CASES} of {LEAST_DAYS} are needed: take"
            " a longer market, more companies, or closes that follow sooner."
        )
    if cases.above.min() == cases.above.max():
        what = "above" if cases.above[0] else "below"
        raise OneClass(f"All cases end {what} the market: there is nothing to tell apart, so take another market.")


def refuse_overlap(spans: Spans, split: Split) -> None:
    """Refuse a split whose answers learnt were not known when the first case was judged.

    Raises:
        Leakage: that is so.
    """
    if len(split.train) and spans.last[split.train].max() > spans.first[split.test].min():
        raise Leakage(
            f"An answer learnt from is known at session {spans.last[split.train].max()}, and the cases judged begin at"
            f" {spans.first[split.test].min()}: leave out what lies between."
        )


def _scored(probability: Vector, above: Places) -> Judged:
    return Judged(
        accuracy=float(((probability > 0.5) == (above == 1)).mean()),
        log_loss=float(losses(probability, above).mean()),
        brier=float((2 * (probability - above) ** 2).mean()),
    )


def margins_of(
    cases: Cases, judged: Places, probabilities: Mapping[Side, Vector], plan: TrendPlan, seed: int
) -> dict[Side, Margin]:
    """How much better the trend is than each baseline, with intervals.

    Whole closes are resampled, in blocks as long as two horizons: companies move together, and returns that overlap are
    one return (Politis and Romano 1994).
    """
    above, first = cases.above[judged], cases.spans.first[judged]
    closes, of_close = np.unique(first, return_inverse=True)
    counts = np.bincount(of_close)
    length = max(1.0, 2 * plan.sessions / plan.every)
    places = stationary_places(len(closes), DRAWS, length, np.random.default_rng(seed))
    weights = counts[places].sum(axis=1)

    def margin(better: Vector) -> tuple[float, float, float]:
        sums = np.bincount(of_close, weights=better)
        low, high = interval(sums[places].sum(axis=1) / weights)
        return float(better.mean()), low, high

    trend = probabilities["trend"]
    found: dict[Side, Margin] = {}
    for name, other in probabilities.items():
        if name != "trend":
            hits = ((trend > 0.5) == (above == 1)).astype(float) - ((other > 0.5) == (above == 1))
            found[name] = Margin(log_loss=margin(losses(other, above) - losses(trend, above)), accuracy=margin(hits))
    return found


def verdict_of(margins: Mapping[Side, Margin]) -> str:
    """One plain sentence."""
    beaten = [name for name, margin in margins.items() if margin.beyond_noise]
    others = [name for name in margins if name not in beaten]
    if not others:
        return f"The trend beats every baseline ({', '.join(beaten)}) in log loss beyond noise."
    worse = [name for name in others if margins[name].log_loss[2] < 0]
    told = f"The trend does not beat {' nor '.join(others)} in log loss beyond noise"
    told += f" (it beats {' and '.join(beaten)})" if beaten else ""
    told += f"; it is worse than {' and '.join(worse)}" if worse else ""
    return f"{told}: use the simplest."
