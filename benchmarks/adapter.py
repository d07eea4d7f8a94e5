"""What the shipped adapter is worth: tone of unseen releases, stances on unseen markets, and the IC of signals.

Nothing here was learnt from: releases are of the phrasebook's pack `exam` (trades, frames, verbs, events and names
that no other pack has) and 180 sentences that were written before there was a phrasebook; markets have other seeds.
`python -m benchmarks adapter --seeds 20` measures the IC on so many markets; `PAPERDESK_ADAPTER_ROWS=FILE` keeps what
each mind came to on each of them, and goes on from there.
"""

import tempfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.ensemble import HistGradientBoostingRegressor
from sklearn.linear_model import LogisticRegression

from benchmarks.desk_requests import stance_only
from benchmarks.kept_rows import KeptRows
from paperdesk.agents.models.adapters import ADAPTER_FILE, EVERYONE, SHIPPED
from paperdesk.agents.models.core import ModelCore, Request
from paperdesk.agents.models.digest import file_digest
from paperdesk.agents.models.llama_cpp import LlamaCpp
from paperdesk.agents.models.llama_cpp.mind import LaidOut
from paperdesk.agents.models.open import bundled_model, open_model
from paperdesk.agents.sentiment_prompt import PromptClassifier
from paperdesk.agents.signals import STANCE_SCORE, STANCES
from paperdesk.memory.calibration.scores import information_coefficient
from paperdesk.memory.journal import Journal
from paperdesk.memory.journal.events import SignalResolved
from paperdesk.simulations.config import SessionConfig
from paperdesk.simulations.session import start
from paperdesk.simulations.training.adapter import Recipe, load_base, required
from paperdesk.simulations.training.examination import examine, figures
from paperdesk.simulations.training.exercises import Exercise, requests_of, targets_of
from paperdesk.simulations.training.gguf_adapter import read_gguf
from paperdesk.simulations.training.market_exercises import ALL_EDGES, asked, laboratory_exercises
from paperdesk.simulations.training.odds import figures_of, table_of
from paperdesk.simulations.training.phrasebook.releases import Release, releases
from paperdesk.simulations.training.tone_exercises import tone_exercises
from paperdesk.tools.market.documents.embedding import embed
from paperdesk.tools.market.laboratory import LaboratoryPlan, make, write_laboratory
from paperdesk.tools.sentiment.calibration import calibrate
from paperdesk.tools.sentiment.classifier import SentimentClassifier, columns_of
from paperdesk.tools.sentiment.embedding import EmbeddingClassifier
from paperdesk.tools.sentiment.labelled import examples
from paperdesk.tools.sentiment.lexicon import LexiconClassifier
from paperdesk.tools.sentiment.scores import scores

SAME = 24
"""Releases read by transformers and by llama.cpp."""
TONE_SEED, RELEASES, CALIBRATED_ON, LEARNT = 902, 600, 210, 6400
LEARNT_SEED, STANCE_SEEDS, QUESTIONS = 101, (401, 402), 300
"""The market whose questions the logistic head learns from; those that all are examined on; questions per agent."""
FIRST_SEED, SEEDS, COMPANIES, YEARS, EVERY, STRENGTH = 501, 3, 8, 4, 3, 3.0
"""Of the markets on which the IC is measured. Of their monthly decisions every third is asked about, and their edges
are three times as large as usual, as in `calibration`: of the usual ones little comes to light in so few questions."""
ZERO_SHOT, ADAPTED = "SmolLM2, zero-shot", "SmolLM2 with the adapter"


def measure(seeds: int = SEEDS) -> list[dict[str, Any]]:
    """All rows; `seeds` markets for the IC."""
    with _minds() as minds:
        return [*same_rows(minds), *tone_rows(minds), *stance_rows(minds), *ic_rows(minds, seeds)]


@contextmanager
def _minds() -> Iterator[Mapping[str, ModelCore]]:
    minds = {
        ZERO_SHOT: open_model("smollm2", adapters={}),
        ADAPTED: open_model("smollm2", adapters={EVERYONE: SHIPPED / ADAPTER_FILE}),
    }
    try:
        yield minds
    finally:
        for mind in minds.values():
            mind.close()


# -- the same by transformers


def same_rows(minds: Mapping[str, ModelCore]) -> list[dict[str, Any]]:
    """How far transformers and llama.cpp are apart, in log-probabilities of options, with and without the adapter."""
    some = tone_exercises(releases(SAME, "exam", seed=TONE_SEED))
    reader = minds[ZERO_SHOT]
    assert isinstance(reader, LlamaCpp)
    model = load_base(bundled_model(), Recipe())
    state = read_gguf(SHIPPED / ADAPTER_FILE, config=model.config)
    ((request, _),) = requests_of(some, most=len(some))
    laid = reader.laid_out(request)
    rows = []
    for name, mind in minds.items():
        if name == ADAPTED:
            required("peft").set_peft_model_state_dict(model, state)  # a fresh adapter changes nothing
        said = [_relative(answer.raw.values()) for answer in mind.answer(request).answers]
        apart = np.abs(np.array(said) - np.array([_by_transformers(model, laid, rest) for rest in laid.rests]))
        figures = {"median": np.median(apart), "p95": np.quantile(apart, 0.95), "largest": apart.max()}
        told = {key: round(float(value), 4) for key, value in figures.items()}
        rows.append({"what": "log-probabilities, transformers against llama.cpp", "mind": name, "texts": SAME, **told})
    return rows


def _by_transformers(model: Any, laid: LaidOut, rest: list[int]) -> NDArray[np.float64]:
    """Log-probabilities of the options among each other, from whole prompts."""
    torch, found = required("torch"), []
    for option in laid.options:
        tokens, begin = [*laid.stem, *rest, *option], len(laid.stem) + len(rest)
        with torch.no_grad():
            logs = torch.log_softmax(model(torch.tensor([tokens])).logits[0, begin - 1 : -1].double(), -1)
        found.append(np.exp(sum(float(logs[k, token]) for k, token in enumerate(option))))
    return _relative(found)


def _relative(weights: Iterable[float]) -> NDArray[np.float64]:
    values = np.array(list(weights))
    return np.asarray(np.log(values / values.sum()))


# -- tone


def tone_rows(minds: Mapping[str, ModelCore]) -> list[dict[str, Any]]:
    """A row per reader and set of texts, as it is and calibrated on releases of a third pack."""
    learnt, held = releases(LEARNT, "learn", seed=LEARNT_SEED), releases(CALIBRATED_ON, "held_back", seed=TONE_SEED)
    own = examples()
    sets = {
        "unseen trades, sentences and events": _columns(releases(RELEASES, "exam", seed=TONE_SEED, verbs="learn")),
        "verbs and verdicts unseen, too": _columns(releases(RELEASES, "exam", seed=TONE_SEED)),
        "180 sentences": (list(own.texts), list(own.labels)),
    }
    readers: dict[str, SentimentClassifier] = {
        "lexicon": LexiconClassifier(),
        "embedding head, shipped": EmbeddingClassifier.default(),
        "embedding head, on the same releases": EmbeddingClassifier.fit(*_columns(learnt)),
        **{name: PromptClassifier(mind, name) for name, mind in minds.items()},
    }
    rows = []
    for name, reader in readers.items():
        calibrated = calibrate(reader, *_columns(held))
        for told, (texts, labels) in sets.items():
            if told == "180 sentences" and name == "embedding head, shipped":
                continue  # it was fitted to them
            found, truth = reader.predict(texts), columns_of(labels)
            plain, after = scores(found, truth), scores(calibrated.calibration.apply(found), truth)
            rows.append(
                {
                    "what": "tone",
                    "texts": told,
                    "reader": name,
                    "count": len(texts),
                    "accuracy": round(plain.accuracy, 3),
                    "macro_f1": round(plain.macro_f1, 3),
                    "brier": round(plain.brier, 3),
                    "accuracy_calibrated": round(after.accuracy, 3),
                    "brier_calibrated": round(after.brier, 3),
                }
            )
    return rows


def _columns(some: Sequence[Release]) -> tuple[list[str], list[str]]:
    return [release.text for release in some], [release.label for release in some]


# -- stances


def stance_rows(minds: Mapping[str, ModelCore]) -> list[dict[str, Any]]:
    """A row per agent and reader of evidence, on markets of other seeds than any that was learnt from."""
    learnt = _exercises(LEARNT_SEED)
    exam = [exercise for seed in STANCE_SEEDS for exercise in _exercises(seed)]
    rows = []
    for agent in sorted({exercise.sheet.agent for exercise in exam}):
        own = _some([exercise for exercise in exam if exercise.sheet.agent == agent], QUESTIONS)
        head = _head([exercise for exercise in learnt if exercise.sheet.agent == agent], own)
        found = {"embedding head": head, **{name: examine(mind, own) for name, mind in minds.items()}}
        for name, one in found.items():
            rows.append(
                {
                    "what": "stance",
                    "agent": agent,
                    "reader": name,
                    "count": one.exercises,
                    "most_frequent": round(one.majority, 3),
                    "accuracy": round(one.accuracy, 3),
                    "base_brier": round(one.base_brier, 3),
                    "brier": round(one.brier, 3),
                    "ece": round(one.ece, 3),
                    "ic": None if one.ic is None else round(one.ic, 3),
                }
            )
        known = [exercise for exercise in learnt if exercise.sheet.agent == agent]
        reader, ic = "trees on the figures", round(_trees(known, own), 3)
        rows.append({"what": "stance", "agent": agent, "reader": reader, "count": len(own), "ic": ic})
    return rows


def _exercises(seed: int) -> list[Exercise]:
    return laboratory_exercises(LaboratoryPlan(companies=16, years=8, seed=seed, edges=dict(ALL_EDGES)))


def _some(exercises: Sequence[Exercise], count: int) -> list[Exercise]:
    return [exercises[i] for i in np.random.default_rng(0).permutation(len(exercises))[:count]]


def _head(learn: Sequence[Exercise], exam: Sequence[Exercise]) -> Any:
    """The figures of a logistic regression on the desk's static vectors of the same questions."""
    model = LogisticRegression(max_iter=2000).fit(
        embed([exercise.text for exercise in learn]), [exercise.answer for exercise in learn]
    )
    found = np.zeros((len(exam), len(exam[0].target)))
    found[:, model.classes_] = model.predict_proba(embed([exercise.text for exercise in exam]))
    return figures(found, targets_of(exam), np.array([exercise.rank for exercise in exam]))


def _trees(learn: Sequence[Exercise], exam: Sequence[Exercise]) -> float:
    """The IC of gradient-boosted trees on the figures in the same questions: what can be known from them."""
    names = sorted({name for exercise in learn for name in figures_of(exercise.text)})
    model = HistGradientBoostingRegressor(random_state=0).fit(table_of(learn, names), [one.rank for one in learn])
    return float(np.corrcoef(model.predict(table_of(exam, names)), [one.rank for one in exam])[0, 1])


# -- signals


@dataclass(frozen=True)
class Asked:
    """The questions of one session to one analyst, what was to be expected and what came."""

    requests: list[Request]
    expected: NDArray[np.float64]
    """By question: what all planted edges together let one expect."""
    came: NDArray[np.float64]
    """By question: standardised excess return over the analyst's horizon; NaN where the market ended before."""


def ic_rows(minds: Mapping[str, ModelCore], seeds: int) -> list[dict[str, Any]]:
    """A row per agent, mind and truth, over seeds; and one with the difference that the adapter makes."""
    kept, wanted = KeptRows("PAPERDESK_ADAPTER_ROWS"), range(FIRST_SEED, FIRST_SEED + seeds)
    worn = {ZERO_SHOT: "none", ADAPTED: file_digest(SHIPPED / ADAPTER_FILE)}
    done = {(row["seed"], row["adapter"]) for row in kept.rows}
    for seed in wanted:
        missing = [name for name, digest in worn.items() if (seed, digest) not in done]
        session = _session(seed) if missing else {}
        for name in missing:
            ics = {agent: _ics(minds[name], one) for agent, one in session.items()}
            kept.add({"seed": seed, "adapter": worn[name], "ics": ics})
    by_place = {(row["seed"], row["adapter"]): row["ics"] for row in kept.rows}
    rows = []
    for agent in sorted(by_place[wanted[0], "none"]):
        for what in ("expected", "came"):
            ics = {
                name: np.array([by_place[seed, digest][agent][what] for seed in wanted])
                for name, digest in worn.items()
            }
            ics["difference"] = ics[ADAPTED] - ics[ZERO_SHOT]
            told = {"what": "ic", "agent": agent, "with": what}
            rows += [told | {"reader": name, "seeds": seeds, **_interval(values)} for name, values in ics.items()]
    return rows


def _ics(mind: ModelCore, session: Asked) -> dict[str, float]:
    """By truth; 0 where what is said does not vary."""
    said, found = _scores(mind, session.requests), {}
    for what, truth in (("expected", session.expected), ("came", session.came)):
        known = np.isfinite(truth) & np.isfinite(said)
        found[what] = information_coefficient(said[known], truth[known]) or 0.0
    return found


def _interval(values: NDArray[np.float64]) -> dict[str, float | None]:
    """Mean over seeds with the 95 % interval of Student's t."""
    from scipy.stats import t

    mean, count = float(np.mean(values)), len(values)
    if count < 2:
        return {"mean": round(mean, 4), "low": None, "high": None}
    half = float(t.ppf(0.975, count - 1) * np.std(values, ddof=1) / np.sqrt(count))
    return {"mean": round(mean, 4), "low": round(mean - half, 4), "high": round(mean + half, 4)}


def _session(seed: int) -> dict[str, Asked]:
    """What a scorecard session of the classic desk asks its analysts, by agent."""
    edges = dict.fromkeys(ALL_EDGES, STRENGTH)
    laboratory = make(LaboratoryPlan(companies=COMPANIES, years=YEARS, seed=seed, edges=edges))
    truth = laboratory.truth
    row = {day: i for i, day in enumerate(truth.sessions)}
    column = {ticker: i for i, ticker in enumerate(truth.tickers)}
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        write_laboratory(laboratory, folder / "market")
        start(SessionConfig(market=str(folder / "market"), model="scorecard"), folder / "session")
        with Journal.open_readonly(folder / "session") as journal:
            questions = list(asked(journal))
            days = sorted({day for day, _ in questions})[::EVERY]
            outcomes = [one.event.record for one in journal.events() if isinstance(one.event, SignalResolved)]
    came = {(one.agent, one.ticker, one.issued_on): one.surprise for one in outcomes}
    found = {}
    for agent in sorted({request.role for _, request in questions}):
        own = [(day, stance_only(request)) for day, request in questions if request.role == agent and day in days]
        places = [(day, question.ticker) for day, request in own for question in request.questions]
        found[agent] = Asked(
            [request for _, request in own],
            np.array([truth.expected[row[day], column[ticker]] for day, ticker in places]),
            np.array([came.get((agent, ticker, day), np.nan) for day, ticker in places]),
        )
    return found


def _scores(mind: ModelCore, requests: Sequence[Request]) -> NDArray[np.float64]:
    """The expected stance score of each question, NaN where there is no answer."""
    return np.array(
        [
            np.nan if answer.failure else _score(answer.probabilities)
            for request in requests
            for answer in mind.answer(request).answers
        ]
    )


def _score(probabilities: Mapping[str, float]) -> float:
    return float(sum(STANCE_SCORE[name] * probabilities[name] for name in STANCES))
