"""`paperdesk train desk`: an adapter for the desk's model, from generated markets to a GGUF file with its card."""

import json
from collections.abc import Callable, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any, Literal

import numpy as np

from ...agents.models.digest import file_digest
from ...agents.models.llama_cpp import LlamaCpp
from ...tools.disk import save
from ...tools.frozen import Frozen
from ...tools.market.laboratory import LaboratoryPlan
from .adapter import LEAST, Progress, Recipe, Trained, base_of, lora_config, required, train_adapter, versions
from .examination import Examined, examine
from .exercises import Exercise, TrainingError, digest_of, refuse_leaks, refuse_poor, some_of
from .gguf_adapter import write_gguf
from .journal_exercises import FromJournals, harvest, parts_of
from .kept import HELD_OUT, KEPT, Kept, sampled, write_kept
from .market_exercises import ALL_EDGES, laboratory_exercises
from .odds import with_odds
from .phrasebook.releases import releases
from .places import ADAPTER_FILE, CARD_FILE, CHECKPOINT, WEIGHTS_FILE
from .tone_exercises import FromFile, file_exercises, tone_exercises

Targets = Literal["odds", "truth"]
"""How probable each stance is by the figures shown (`odds`), or the stance that was right."""


class DeskPlan(Frozen):
    """What `train desk` is to do."""

    model: str = "smollm2"
    seeds: tuple[int, ...] = (101, 102, 103)
    """Of the generated markets that it learns from."""
    held_back_seed: int = 201
    """Of the market that tells when to stop."""
    exam_seed: int = 301
    """Of the market that it is examined on; nothing of it is seen in training."""
    companies: int = 16
    years: int = 8
    exercises: int = 8000
    """About stances, learnt from."""
    targets: Targets = "truth"
    """What is learnt about them where they are of generated markets."""
    examined: int = 400
    agent: str | None = None
    """Only for this agent; all of the classic desk by default."""
    releases: int = 6400
    """Press releases whose tone is learnt, too; none where the adapter is one agent's."""
    releases_examined: int = 600
    journals: FromJournals | None = None
    """Sessions to learn from in place of generated markets."""
    texts: FromFile | None = None
    """Labelled texts whose tone is learnt, and nothing else."""


class Card(Frozen):
    """What an adapter is: kept beside it."""

    base: str
    base_sha256: str
    adapter_sha256: str
    weights_sha256: str = ""
    """Of what is gone on from; empty on cards from before it was kept."""
    plan: DeskPlan
    recipe: Recipe
    learnt: int
    learnt_digest: str
    """Hash of the exercises learnt from."""
    as_of: date | None = None
    """Where it learnt from journals: up to which day answers were known."""
    journals: tuple[str, ...] = ()
    """Heads of those journals."""
    kept_sha256: str = ""
    """Of the exercises kept beside it, for updates."""
    libraries: dict[str, str]
    steps: int
    seconds: float
    losses: tuple[tuple[int, float, float], ...]
    """(step, loss while learning, loss on what was held back)."""
    before: dict[str, Examined]
    """By agent, the base model on the examination."""
    after: dict[str, Examined]

    @property
    def agent(self) -> str | None:
        """The only analyst that it learnt from; None: all."""
        return self.plan.agent


@dataclass(frozen=True)
class Exercises:
    """The three parts, of three kinds of markets or of three times."""

    learn: list[Exercise]
    held_back: list[Exercise]
    exam: list[Exercise]
    as_of: date | None = None
    """Where they are of journals: the day of the training."""
    heads: tuple[str, ...] = ()
    """Of those journals."""


def train_desk(
    plan: DeskPlan,
    out: Path,
    recipe: Recipe,
    *,
    say: Callable[[str], None],
    listen: Callable[[Progress], None],
    exercises: Exercises | None = None,
) -> Card:
    """Train an adapter and write it into a folder with its card; an interrupted training goes on where it was.

    Args:
        plan: on what.
        out: a folder: new, or of the same training begun before.
        recipe: how.
        say: told what is going on.
        listen: told after each batch.
        exercises: in place of those of the plan's markets.

    Raises:
        TrainingError: the folder holds a finished adapter or another training's, or nothing can be learnt.
    """
    base = base_of(plan.model)
    if (out / CARD_FILE).exists():
        raise TrainingError(f"{out} holds a trained adapter: name a new folder, or delete that one.")
    libraries = versions()  # what is missing is told before the slow steps
    parts = exercises or parts_of_plan(plan, say)
    refuse_leaks(parts.learn, parts.exam, by_time=plan.journals is not None)
    out.mkdir(parents=True, exist_ok=True)
    say(f"training on {len(parts.learn)} exercises")
    trained = train_adapter(
        base, parts.learn, parts.held_back, recipe, checkpoint=out / CHECKPOINT, say=say, listen=listen
    )
    write_adapter(trained, base, out)
    say(f"examining on {len(parts.exam)} exercises never seen")
    before, after = (by_agent(base, adapter, parts.exam, recipe.threads) for adapter in (None, out / ADAPTER_FILE))
    card = Card(
        base=base.name,
        base_sha256=file_digest(base),
        adapter_sha256=file_digest(out / ADAPTER_FILE),
        weights_sha256=file_digest(out / WEIGHTS_FILE),
        plan=plan,
        recipe=recipe,
        learnt=len(parts.learn),
        learnt_digest=digest_of(parts.learn),
        as_of=parts.as_of,
        journals=parts.heads,
        kept_sha256=write_kept(out, Kept(sampled(parts.learn, KEPT), sampled(parts.exam, HELD_OUT))),
        libraries=libraries,
        steps=trained.steps,
        seconds=round(trained.seconds, 1),
        losses=tuple(trained.losses),
        before=before,
        after=after,
    )
    write_card(out, card)
    (out / CHECKPOINT).unlink(missing_ok=True)
    return card


def parts_of_plan(plan: DeskPlan, say: Callable[[str], None]) -> Exercises:
    """What a plan learns from, stops by and is examined on."""
    if plan.texts:
        return Exercises(*file_exercises(plan.texts))
    return journal_parts(plan, say) if plan.journals else market_parts(plan, say)


def market_parts(plan: DeskPlan, say: Callable[[str], None]) -> Exercises:
    """The exercises of a plan's generated markets; no two parts share a market."""
    seeds = (*plan.seeds, plan.held_back_seed, plan.exam_seed)
    if len(set(seeds)) < len(seeds):
        raise TrainingError(
            "The markets to learn from, to hold back and to examine on need different seeds: change one."
        )
    markets = {
        seed: laboratory_exercises(
            LaboratoryPlan(companies=plan.companies, years=plan.years, seed=seed, edges=dict(ALL_EDGES)),
            agents=(plan.agent,) if plan.agent else ("fundamental_analyst", "technical_analyst"),
            say=say,
        )
        for seed in seeds
    }
    rng = np.random.default_rng(0)
    shown = [markets[seed] for seed in plan.seeds]
    learn = [exercise for market in (with_odds(shown) if plan.targets == "odds" else shown) for exercise in market]
    held_back = some_of(markets[plan.held_back_seed], min(128, plan.examined), rng)
    exam = markets[plan.exam_seed]
    parts = Exercises(some_of(learn, plan.exercises, rng), held_back, some_of(exam, plan.examined, rng))
    if plan.agent or not plan.releases:
        return parts
    seed = plan.seeds[0]
    return Exercises(
        [*parts.learn, *tone_exercises(releases(plan.releases, "learn", seed=seed))],
        [*parts.held_back, *tone_exercises(releases(96, "held_back", seed=seed))],
        [*parts.exam, *tone_exercises(releases(plan.releases_examined, "exam", seed=seed))],
    )


def journal_parts(plan: DeskPlan, say: Callable[[str], None]) -> Exercises:
    """The exercises of a plan's journals, in the order of time; no answer learnt overlaps the examination."""
    assert plan.journals is not None
    found = harvest(plan.journals, agent=plan.agent)
    learn, held_back, exam = parts_of(found.exercises, plan.journals)
    refuse_poor(learn, LEAST, f"to learn from with answers known by {found.as_of}")
    refuse_poor(held_back, 8, "held back")
    for agent in sorted({exercise.sheet.agent for exercise in exam}):
        refuse_poor([e for e in exam if e.sheet.agent == agent], 16, f"of {agent} to be examined on")
    say(f"examined from {exam[0].day} on; learnt is what was known before {held_back[0].day}")
    rng = np.random.default_rng(0)
    parts = (
        some_of(learn, plan.exercises, rng),
        some_of(held_back, plan.examined, rng),
        some_of(exam, plan.examined, rng),
    )
    return Exercises(*parts, as_of=found.as_of, heads=found.heads)


def by_agent(base: Path, adapter: Path | None, exam: Sequence[Exercise], threads: int) -> dict[str, Examined]:
    """The figures of a model on an examination, by agent."""
    with closing(LlamaCpp(base, threads=threads, adapter=adapter)) as mind:
        agents = sorted({exercise.sheet.agent for exercise in exam})
        return {agent: examine(mind, [e for e in exam if e.sheet.agent == agent]) for agent in agents}


def write_adapter(trained: Trained, base: Path, out: Path) -> None:
    """The adapter for llama.cpp, and peft's files to go on from."""
    write_weights(trained.state, trained.recipe, base, out)
    name, alpha = f"{base.stem} for the desk", trained.recipe.alpha
    write_gguf(trained.state, out / ADAPTER_FILE, config=config_of(base), alpha=alpha, name=name)


def write_weights(state: Mapping[str, Any], recipe: Recipe, base: Path, out: Path) -> None:
    """Peft's files to go on from.

    Args:
        state: peft's tensors by name.
        recipe: by which they came about.
        base: of the adapter.
        out: folder.
    """
    config = lora_config(recipe)
    config.base_model_name_or_path = base.name
    config.save_pretrained(out)
    tensors = {name: tensor.contiguous() for name, tensor in state.items()}
    required("safetensors.torch").save_file(tensors, out / WEIGHTS_FILE)


def config_of(base: Path) -> Any:
    """Transformers' configuration of a GGUF file."""
    return required("transformers").AutoConfig.from_pretrained(base.parent, gguf_file=base.name, local_files_only=True)


def write_card(folder: Path, card: Frozen) -> None:
    """The card of an adapter, in one step and last, for it says that the rest is whole."""
    save(folder / CARD_FILE, (json.dumps(card.model_dump(mode="json"), indent=1) + "\n").encode())
