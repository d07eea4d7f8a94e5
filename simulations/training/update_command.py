"""`paperdesk train update`: an adapter goes on learning from new journals, and is replaced only by a better one.

A challenger begins with the champion's weights. It learns from what became known since, mixed with old exercises that
stayed with the champion (replay; Robins 1995, "Catastrophic forgetting, rehearsal and pseudorehearsal"), under a
penalty towards the old weights (`anchor`). Champion and challenger then answer later questions, none of whose answers
overlaps what either learnt, and old questions that neither learnt.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import numpy as np
from pydantic import Field, TypeAdapter, ValidationError

from ...agents.models.digest import file_digest
from ...tools.frozen import Frozen, content_hash
from .adapter import LEAST, Progress, Recipe, Trained, base_of, train_adapter, versions
from .contest import Contest, Gain, contest, refuse_few_days
from .desk_command import Card, write_adapter, write_card
from .examination import Examined
from .exercises import Exercise, TrainingError, digest_of, refuse_leaks, refuse_poor, some_of
from .journal_exercises import FromJournals, Harvest, harvest, parts_of
from .kept import HELD_OUT, KEPT, Damaged, Kept, read_kept, sampled, write_kept
from .places import ADAPTER_FILE, CARD_FILE, CHECKPOINT, WEIGHTS_FILE
from .registry import Clock, Step, folder_of, no_card, read_registry, record, wall_clock


class OtherBase(TrainingError):
    """An adapter belongs to another model."""


class UpdatePlan(Frozen):
    """What `train update` is to do."""

    model: str = "smollm2"
    journals: FromJournals
    replayed: float = Field(default=1.0, ge=0, le=10)
    """Old exercises per new one."""
    keep: float = Field(default=1.0, ge=0, le=100)
    """Penalty towards the old weights (`anchor`)."""
    exercises: int = Field(default=3000, ge=LEAST)
    """New ones to learn from."""
    examined: int = Field(default=400, ge=16)
    """New ones to be examined on."""
    learning_rate: float = Field(default=2e-4, gt=0, le=1)
    epochs: int = Field(default=1, ge=1, le=100)
    batch: int = Field(default=16, ge=1, le=256)
    threads: int = Field(default=2, ge=1, le=256)


class UpdateCard(Frozen):
    """What a challenger is: kept beside it."""

    base: str
    base_sha256: str
    adapter_sha256: str
    weights_sha256: str = ""
    """Of what is gone on from; empty on cards from before it was kept."""
    agent: str | None = None
    """The only analyst that it learns from, as its first version did; None: all."""
    champion: str
    """The version that it began with."""
    champion_sha256: str
    after: dict[str, Examined]
    """By agent, all that it was examined on: whom it is for."""
    plan: UpdatePlan
    recipe: Recipe
    learnt: int
    """New exercises."""
    replayed: int
    """Old ones."""
    learnt_digest: str
    as_of: date
    journals: tuple[str, ...]
    """Heads of the journals."""
    kept_sha256: str
    libraries: dict[str, str]
    steps: int
    seconds: float
    losses: tuple[tuple[int, float, float], ...]
    new: Contest
    """On later questions."""
    old: Contest | None
    """On old questions that were never learnt; None where none are kept."""
    promoted: bool
    reason: str
    """Why, or why not."""


_CARD: TypeAdapter[Card | UpdateCard] = TypeAdapter(Card | UpdateCard)


@dataclass(frozen=True)
class Lesson:
    """What a challenger learns from and is examined on."""

    learn: list[Exercise]
    replay: list[Exercise]
    held_back: list[Exercise]
    exam: list[Exercise]


def read_card(folder: Path) -> Card | UpdateCard:
    """What the adapter in a folder is.

    Raises:
        Damaged: its card cannot be read.
    """
    try:
        return _CARD.validate_json((folder / CARD_FILE).read_bytes())
    except (OSError, ValidationError):
        raise no_card(folder / CARD_FILE) from None


def update_adapter(
    adapter: Path,
    plan: UpdatePlan,
    *,
    say: Callable[[str], None],
    listen: Callable[[Progress], None],
    clock: Clock = wall_clock,
) -> UpdateCard:
    """Train a challenger, compare it with the champion, and promote it or keep it aside; an interrupted update goes on.

    Args:
        adapter: folder that `train_desk` made.
        plan: from what and how.
        say: told what is going on.
        listen: told after each batch.
        clock: says when, for the history.

    Raises:
        OtherBase: the adapter was trained on another model than the plan's.
        NothingKnown, TooLittleData, OneClass: the journals do not suffice.
        Damaged: something in the folder is not what was written.
    """
    base = base_of(plan.model)
    if not (adapter / CARD_FILE).exists():
        raise TrainingError(
            f"{adapter} holds no trained adapter: name a folder that `paperdesk train desk` made, or begin a new one"
            " with the adapter that comes with PaperDesk by `--begin shipped`."
        )
    registry = read_registry(adapter)
    champion = folder_of(adapter, registry.champion)
    card = read_card(champion)
    if file_digest(base) != card.base_sha256:
        raise OtherBase(f"{adapter} was trained on {card.base} and not on {base.name}: name its own model by --model.")
    versions()  # what is missing is told before the slow steps
    kept = read_kept(champion, card.kept_sha256)
    _refuse_other_weights(champion, card.weights_sha256)
    found = harvest(plan.journals, agent=card.agent, after=card.as_of)
    lesson = lesson_of(found, kept, plan, after=card.as_of)
    learnt = [*lesson.learn, *lesson.replay]
    recipe = recipe_of(card.recipe, plan)
    key = content_hash([card.adapter_sha256, recipe.model_dump(), digest_of(learnt), digest_of(lesson.exam)])
    version = f"{found.as_of}-{key[:6]}"
    out = folder_of(adapter, version)
    if (out / CARD_FILE).exists():
        if version in registry.versions:
            raise TrainingError(
                f"This very update was made before; `paperdesk train history {adapter}` shows {version}."
            )
        made = read_card(out)  # stopped before it was written down
        assert isinstance(made, UpdateCard)
    else:
        out.mkdir(parents=True, exist_ok=True)
        say(f"{registry.champion} goes on: {len(lesson.learn)} new exercises and {len(lesson.replay)} old ones")
        trained = train_adapter(
            base,
            learnt,
            lesson.held_back,
            recipe,
            begin_with=champion,
            checkpoint=out / CHECKPOINT,
            say=say,
            listen=listen,
        )
        write_adapter(trained, base, out)
        say(f"both are asked {len(lesson.exam)} later questions and {len(kept.held_out)} old ones")
        made = _card(plan, registry.champion, champion, out, base, trained, lesson, kept, found, card.agent)
        write_card(out, made)
    step = record(adapter, _step(made, version, clock), challenged=made.champion).history[-1]
    if made.promoted and step.what != "promoted":
        made = made.model_copy(update={"promoted": False, "reason": step.reason})
        write_card(out, made)
    (out / CHECKPOINT).unlink(missing_ok=True)
    return made


def _refuse_other_weights(champion: Path, digest: str) -> None:
    path = champion / WEIGHTS_FILE
    if not path.is_file() or (digest and file_digest(path) != digest):
        raise Damaged(f"{path} is not the file that was written with the adapter: put the old one back, or train anew.")


def _card(
    plan: UpdatePlan,
    name: str,
    champion: Path,
    out: Path,
    base: Path,
    trained: Trained,
    lesson: Lesson,
    kept: Kept,
    found: Harvest,
    agent: str | None,
) -> UpdateCard:
    """The challenger's card, its exercises written and both examined."""
    files = (champion / ADAPTER_FILE, out / ADAPTER_FILE)
    new = contest(base, *files, lesson.exam, threads=plan.threads)
    old = contest(base, *files, kept.held_out, threads=plan.threads) if kept.held_out else None
    promoted, reason = verdict(new.gain)
    kept_now = Kept(sampled([*kept.replay, *lesson.learn], KEPT), sampled([*kept.held_out, *lesson.exam], HELD_OUT))
    return UpdateCard(
        base=base.name,
        base_sha256=file_digest(base),
        adapter_sha256=file_digest(out / ADAPTER_FILE),
        weights_sha256=file_digest(out / WEIGHTS_FILE),
        agent=agent,
        champion=name,
        champion_sha256=file_digest(champion / ADAPTER_FILE),
        after=(old.after if old else {}) | new.after,
        plan=plan,
        recipe=trained.recipe,
        learnt=len(lesson.learn),
        replayed=len(lesson.replay),
        learnt_digest=digest_of([*lesson.learn, *lesson.replay]),
        as_of=found.as_of,
        journals=found.heads,
        kept_sha256=write_kept(out, kept_now),
        libraries=versions(),
        steps=trained.steps,
        seconds=round(trained.seconds, 1),
        losses=tuple(trained.losses),
        new=new,
        old=old,
        promoted=promoted,
        reason=reason,
    )


def lesson_of(found: Harvest, kept: Kept, plan: UpdatePlan, *, after: date | None) -> Lesson:
    """What is learnt, held back and examined; nothing examined was asked before the champion's training was over.

    Args:
        found: the new exercises.
        kept: those that stayed with the champion.
        plan: how many.
        after: day of the champion's training, where it learnt from journals.
    """
    learn, held_back, exam = parts_of(found.exercises, plan.journals)
    exam = [exercise for exercise in exam if after is None or exercise.day > after]
    refuse_poor(learn, LEAST, f"that became known {f'from {after} ' if after else ''}to {found.as_of}")
    refuse_poor(held_back, 8, "held back")
    refuse_poor(exam, 16, "to be examined on")
    refuse_few_days(exam)
    rng = np.random.default_rng(0)
    learn, exam = some_of(learn, plan.exercises, rng), some_of(exam, plan.examined, rng)
    apart = {(e.sheet.prefix, e.text) for e in (*held_back, *exam, *kept.held_out)}
    replay = [e for e in kept.replay if (e.sheet.prefix, e.text) not in apart]
    replay = some_of(replay, round(plan.replayed * len(learn)), rng)
    # what tells when to stop is new and old in the proportion of what is learnt
    back = min(len(replay) // 8, round(plan.replayed * len(held_back)))
    old_back = replay[:back]
    # a text may have been learnt on two days: both go to one side
    texts_back = {(e.sheet.prefix, e.text) for e in old_back}
    replay = [e for e in replay[back:] if (e.sheet.prefix, e.text) not in texts_back]
    lesson = Lesson(learn, replay, [*held_back, *old_back], exam)
    refuse_leaks(lesson.learn, lesson.exam, by_time=True)
    return lesson


def recipe_of(before: Recipe, plan: UpdatePlan) -> Recipe:
    """The champion's recipe with what the plan says."""
    return Recipe.model_validate(
        before.model_dump()
        | {
            "learning_rate": plan.learning_rate,
            "epochs": plan.epochs,
            "batch": plan.batch,
            "threads": plan.threads,
            "keep": plan.keep,
        }
    )


def verdict(gain: Gain | None) -> tuple[bool, str]:
    """Whether a challenger is promoted, and why or why not."""
    if gain is None:
        return False, "too few days were answered to tell better from lucky"
    figures = f"{gain.gain:+.4f} ({gain.low:+.4f} to {gain.high:+.4f}) of Brier score on later questions"
    if gain.better:
        return True, f"better beyond noise: {figures}"
    return False, f"{'worse' if gain.worse else 'not better'} beyond noise: {figures}"


def _step(card: UpdateCard, version: str, clock: Clock) -> Step:
    return Step(
        what="promoted" if card.promoted else "kept_aside",
        version=version,
        champion=version if card.promoted else card.champion,
        at=clock(),
        as_of=card.as_of,
        adapter_sha256=card.adapter_sha256,
        gain=card.new.gain,
        forgotten=card.old.gain if card.old else None,
        reason=card.reason,
    )
