"""What learns a trend, and what it has to beat.

The network reads figures z (standardised by what it learns from, 0 where unknown) and words v (a document's vector):
    P(above | z, v) = softmax(W2 gelu(W1 [z, v] + b1) + b2),
a few of them with different seeds, averaged. Each is fitted by the cross-entropy, and stopped by the last days of what
it may learn from, purged like any test. The baselines know less: how often a company does better than the market; that
for a winner and for a loser; a logistic regression on the figures.
"""

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from pydantic import Field

from ....tools.frozen import Frozen
from ..adapter import required
from .cases import MOMENTUM, Cases, Matrix, Places, Vector

Side = Literal["trend", "majority", "momentum", "logistic"]
BASELINES: tuple[Side, ...] = ("majority", "momentum", "logistic")
STRENGTHS = (0.0003, 0.003, 0.03, 0.3)
"""Inverse ridge penalties that the logistic regression may have."""
STOPPED_BY = 0.2
"""Share of the days of what it learns from that tells a network when to stop."""


class TrendRecipe(Frozen):
    """How a trend is learnt."""

    hidden: int = Field(default=16, ge=1, le=4096)
    members: int = Field(default=3, ge=1, le=50)
    """Networks that are averaged."""
    dropout: float = Field(default=0.5, ge=0, lt=1)
    learning_rate: float = Field(default=5e-4, gt=0, le=1)
    weight_decay: float = Field(default=1.0, ge=0, le=10)
    batch: int = Field(default=256, ge=1)
    epochs: int = Field(default=40, ge=1, le=1000)
    patience: int = Field(default=6, ge=1)
    """Epochs without a better state after which a network is done."""
    seed: int = Field(default=0, ge=0)
    threads: int = Field(default=2, ge=1, le=256)


@dataclass(frozen=True)
class Scale:
    """How figures are standardised; clipped to 4 standard deviations, 0 where unknown."""

    mean: Vector
    spread: Vector

    @classmethod
    def of(cls, figures: Matrix) -> "Scale":
        """From figures (n, f) that may be looked at."""
        known = np.isfinite(figures)
        count = np.maximum(known.sum(axis=0), 1)
        mean = np.where(known, figures, 0.0).sum(axis=0) / count
        spread = np.sqrt(np.where(known, (figures - mean) ** 2, 0.0).sum(axis=0) / count)
        return cls(mean, np.where(spread > 1e-12, spread, 1.0))

    def apply(self, figures: Matrix) -> Matrix:
        """(n, f) standardised."""
        return np.clip(np.nan_to_num((figures - self.mean) / self.spread), -4.0, 4.0)


@dataclass(frozen=True)
class Trend:
    """Fitted networks."""

    scale: Scale
    states: tuple[dict[str, Any], ...]
    recipe: TrendRecipe

    def predict(self, cases: Cases, rows: Places) -> Vector:
        """(n,) probability of a return above the market's."""
        torch = required("torch")
        inputs = _inputs(self.scale, cases, rows)
        found = []
        for state in self.states:
            network = _network(inputs.shape[1], self.recipe)
            network.load_state_dict(state)
            network.eval()
            with torch.inference_mode():
                found.append(network(inputs).double().softmax(-1)[:, 1].numpy())
        mean: Vector = np.mean(found, axis=0)
        return mean


def fit_trend(cases: Cases, rows: Places, recipe: TrendRecipe) -> Trend:
    """The networks that fit some cases.

    Args:
        cases: all of them.
        rows: which may be learnt from, ascending.
        recipe: how.

    Raises:
        NoTorch: the extra `nlp` is missing.
    """
    torch = required("torch")
    torch.set_num_threads(recipe.threads)
    learn, stop = stopping(cases, rows)
    scale = Scale.of(cases.figures[learn])
    states = tuple(_member(cases, learn, stop, scale, recipe, number) for number in range(recipe.members))
    return Trend(scale, states, recipe)


def stopping(cases: Cases, rows: Places) -> tuple[Places, Places]:
    """Of the rows that may be learnt from, those to fit to, and those of the last days to stop or choose by, purged."""
    starts = np.unique(cases.spans.first[rows])
    border = starts[min(len(starts) - 1, round(len(starts) * (1 - STOPPED_BY)))]
    learn, stop = rows[cases.spans.last[rows] <= border], rows[cases.spans.first[rows] >= border]
    # with so few days that purging leaves nothing, the same days serve for both
    return (learn, stop) if len(learn) else (stop, stop)


def _member(cases: Cases, learn: Places, stop: Places, scale: Scale, recipe: TrendRecipe, number: int) -> Any:
    torch = required("torch")
    seed = recipe.seed * 1009 + number
    torch.manual_seed(seed)
    rng = np.random.default_rng(seed)
    inputs, checks = _inputs(scale, cases, learn), _inputs(scale, cases, stop)
    truth, wanted = torch.tensor(cases.above[learn]), torch.tensor(cases.above[stop])
    network = _network(inputs.shape[1], recipe)
    optimizer = torch.optim.AdamW(network.parameters(), lr=recipe.learning_rate, weight_decay=recipe.weight_decay)
    entropy = torch.nn.functional.cross_entropy
    best, state, worse = np.inf, {}, 0
    for _ in range(recipe.epochs):
        network.train()
        order = rng.permutation(len(learn))
        for first in range(0, len(order), recipe.batch):
            some = torch.tensor(order[first : first + recipe.batch])
            optimizer.zero_grad()
            entropy(network(inputs[some]), truth[some]).backward()
            optimizer.step()
        network.eval()
        with torch.inference_mode():
            loss = float(entropy(network(checks), wanted))
        worse += 1
        if loss < best:
            best, worse = loss, 0
            state = {name: values.detach().clone() for name, values in network.state_dict().items()}
        if worse >= recipe.patience:
            break
    return state


def _network(inputs: int, recipe: TrendRecipe) -> Any:
    nn = required("torch").nn
    return nn.Sequential(
        nn.Linear(inputs, recipe.hidden), nn.GELU(), nn.Dropout(recipe.dropout), nn.Linear(recipe.hidden, 2)
    )


def _inputs(scale: Scale, cases: Cases, rows: Places) -> Any:
    # a component of a direction in 256 dimensions is about 1/16: times 16 it would be as large as a figure, and so many
    # of them would drown the figures, so they begin at a tenth of that
    words = cases.words[rows] * np.sqrt(cases.words.shape[1]) * 0.1
    both = np.concatenate([scale.apply(cases.figures[rows]), words], axis=1)
    return required("torch").tensor(both.astype(np.float32))


def baseline(name: Side, cases: Cases, learn: Places, judge: Places) -> Vector:
    """What a baseline says of the cases to judge, fitted to those to learn from: (n,) probabilities."""
    if name == "majority":
        return np.full(len(judge), _part(cases.above[learn]))
    if name == "momentum":
        past = cases.figures[:, cases.measures.index(MOMENTUM)] if MOMENTUM in cases.measures else np.zeros(len(cases))
        side = np.sign(np.nan_to_num(past))
        parts = {s: _part(cases.above[learn[side[learn] == s]]) for s in (-1.0, 0.0, 1.0)}
        return np.array([parts[s] for s in side[judge]])
    return _logistic(cases, learn, judge)


def _part(above: Places) -> float:
    """The part that is above, with one case more on either side."""
    return float((above.sum() + 1) / (len(above) + 2))


def _logistic(cases: Cases, rows: Places, judge: Places) -> Vector:
    """A ridge penalty is chosen by the days that stop a network, then all rows are fitted."""
    # imported here: scikit-learn takes a second
    from sklearn.linear_model import LogisticRegression
    from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

    def fitted(places: Places, strength: float, asked: Places) -> Vector:
        if len(np.unique(cases.above[places])) < 2:
            return np.full(len(asked), _part(cases.above[places]))
        scale = Scale.of(cases.figures[places])
        model = LogisticRegression(C=strength, max_iter=2000)
        model.fit(scale.apply(cases.figures[places]), cases.above[places])
        found: Vector = model.predict_proba(scale.apply(cases.figures[asked]))[:, 1]
        return found

    learn, stop = stopping(cases, rows)
    with threadpool_limits(1, user_api="blas"):
        tried = [(float(losses(fitted(learn, c, stop), cases.above[stop]).mean()), c) for c in STRENGTHS]
        return fitted(rows, min(tried)[1], judge)


def losses(probability: Vector, above: Places) -> Vector:
    """(n,) -log of the probability of what came true, nats."""
    chosen = np.where(above == 1, probability, 1 - probability)
    found: Vector = -np.log(np.maximum(chosen, 1e-6))
    return found
