"""Claims in prose: one piece of evidence told in many ways, every statement in it true.

Two sets of wordings. The first was in front of whoever wrote the auditor; the second is held out: the auditor was not
changed for it, and its rates stand apart in the table.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from random import Random

from paperdesk.tools.evidence import Evidence
from paperdesk.tools.measures import MEASURES, Measure

CHANGES = ("revenue_growth", "earnings_growth", "return_1m", "momentum")
"""Beginnings of the measures that are changes by nature."""
PLACES = ("distance_sma",)
"""Beginnings of the measures that are distances from a level."""


@dataclass(frozen=True)
class Wordings:
    """One set of patterns.

    `{name}` is the company, `{label}` the measure, `{value}` the figure with its sign, `{size}` without, `{verb}` its
    direction, `{when}` its time, `{side}` what it is said to support, `{alias}` its name in the prompt.
    """

    changes: tuple[str, ...]
    places: tuple[str, ...]
    levels: tuple[str, ...]
    passages: tuple[str, ...]
    up: tuple[str, ...]
    down: tuple[str, ...]


SEEN = Wordings(
    changes=(
        "{label} of {name} was {value} {when} ({alias}), which supports {side}",
        "{name}: {label} {verb} {size} {when} ({alias})",
        "{alias} shows {label} of {value} {when}",
        "The {label} came to {value} ({alias}); that is a reason to {side}",
        "With {label} at {value} {when}, {alias} supports {side}",
        "{name} {verb} {size} {when} on this measure ({alias})",
    ),
    places=(
        "{name} stands {size} {place} its {average} ({alias}) and supports {side}",
        "The price is {size} {place} the {average} {when} ({alias})",
        "{alias}: {label} {value} {when}",
    ),
    levels=(
        "{label} of {name} is {value} {when} ({alias}), which supports {side}",
        "{label} stands at {value} ({alias})",
        "With {label} at {value} {when}, {alias} supports {side}",
        "{alias} puts {label} at {value} for {name}",
        "According to {alias}, {label} amounts to {value} {when}",
    ),
    passages=(
        "{text} ({alias})",
        "{name} writes: {text} ({alias})",
        "The release of {published} says: {text} ({alias})",
        "According to {alias}, {text}",
        "{alias} supports {side}, because {text}",
    ),
    up=("rose", "increased", "grew", "was up", "gained"),
    down=("fell", "decreased", "declined", "was down", "dropped"),
)
HELD_OUT = Wordings(
    changes=(
        "We note {label} of {value} for {name} {when} ({alias})",
        "As {alias} has it, {label} {verb} by {size} {when}",
        "{name}'s {label} ({value}, {alias}) is the main argument to {side}",
        "Our case to {side} {name} rests on {label}, which stood at {value} {when} ({alias})",
        "{when_first}, {label} {verb} {size}; see {alias}",
    ),
    places=(
        "At the last close {name} traded {size} {place} its {average} [{alias}]",
        "{name} sits {size} {place} the {average}, says {alias}",
        "Trend: {value} versus the {average} ({alias})",
    ),
    levels=(
        "We read {label} of {value} {when} ({alias}) as a reason to {side} {name}",
        "{when_first}, {label} reached {value}; see {alias}",
        "{name} shows {label} of {value} [{alias}]",
        "A {label} of {value} is what {alias} reports for {name}",
    ),
    passages=(
        "Management put it this way: {text} [{alias}]",
        "{text}, as {alias} of {published} has it",
        "News on {name}, published {published}: {text} ({alias})",
        "In {alias} we read that {text}",
    ),
    up=("climbed", "advanced", "was higher by", "improved", "went up"),
    down=("slipped", "weakened", "was lower by", "lost", "went down"),
)


@dataclass(frozen=True)
class Told:
    """A claim in prose and the parts it was made of, so that one of them can be made wrong."""

    text: str
    value: str = ""
    """The figure as it is written in the text."""
    when: str = ""
    verb: str = ""
    name: str = ""


def tell(evidence: Evidence, name: str, alias: str, side: str, wordings: Wordings, rng: Random) -> Told:
    """One claim about a piece of evidence."""
    measure = MEASURES[evidence.measure]
    if evidence.value is None:
        return _tell_passage(evidence, name, alias, side, wordings, rng)
    value = evidence.value
    change = measure.name.startswith(CHANGES)
    place = measure.name.startswith(PLACES)
    choices = wordings.changes if change else wordings.places if place else wordings.levels
    pattern = rng.choice(choices)
    size = written(measure, abs(value), rng, signed=False)
    signed = written(measure, value, rng, signed=measure.signed)
    when = when_of(evidence, rng)
    verb = rng.choice(wordings.up if value > 0 else wordings.down)
    label = measure.label
    text = pattern.format(
        name=name,
        label=label,
        value=signed,
        size=size,
        verb=verb,
        when=when,
        when_first=when[:1].upper() + when[1:],
        side=side,
        alias=alias,
        place="above" if value > 0 else "below",
        average=label.removeprefix("against "),
    )
    shown = size if "{size}" in pattern else signed
    told_verb = verb if "{verb}" in pattern else ("above" if value > 0 else "below") if "{place}" in pattern else ""
    told_when = next((form for form in (when, when[:1].upper() + when[1:]) if form in text and when), "")
    return Told(text[:1].upper() + text[1:], shown, told_when, told_verb, name if "{name}" in pattern else "")


def _tell_passage(evidence: Evidence, name: str, alias: str, side: str, wordings: Wordings, rng: Random) -> Told:
    day = evidence.available_at.date()
    published = rng.choice((f"{day}", f"{day:%B} {day.day}, {day.year}", f"{day:%B} {day.year}"))
    pattern = rng.choice(wordings.passages)
    text = reworded(" ".join((evidence.text or "").split()), rng)
    told = pattern.format(name=name, text=text, published=published, alias=alias, side=side)
    when = published if "{published}" in pattern else ""
    return Told(told, "", when, "", name if "{name}" in pattern else "")


def reworded(text: str, rng: Random) -> str:
    """A passage in slightly other words that mean the same."""
    if rng.random() < 0.5:
        text = text.replace("%", rng.choice((" percent", " per cent", " %")))
    if rng.random() < 0.3:
        text = text.replace(" million", "M").replace(" billion", "B")
    return text.rstrip(".")


def written(measure: Measure, value: float, rng: Random, *, signed: bool) -> str:
    """A figure in one of the forms in which people write it."""
    if measure.unit == "fraction":
        decimals = rng.choice((0, 1, 1, 2)) if abs(value) >= 0.02 else rng.choice((1, 2))
        digits, unit = f"{abs(value) * 100:.{decimals}f}", rng.choice(("%", "%", " %", " percent", " per cent"))
    else:
        digits, unit = f"{abs(value):,.{max(measure.decimals, 1) if measure.name != 'rsi_14' else 0}f}", ""
        unit = rng.choice(("", "", "x")) if measure.unit == "ratio" and measure.name not in ("tone", "beta_12m") else ""
    sign = (
        rng.choice(("-", "\u2212"))
        if value < 0 and float(digits.replace(",", ""))
        else "+"
        if signed and rng.random() < 0.6
        else ""
    )
    return f"{sign}{digits}{unit}"


def when_of(evidence: Evidence, rng: Random) -> str:
    """The time of a figure in one of the forms in which people write it; a figure at a day may go without."""
    period = evidence.period
    end = date.fromisoformat(re.findall(r"\d{4}-\d\d-\d\d", period)[0])
    long = f"{end:%B} {end.day}, {end.year}"
    month = f"{end:%B} {end.year}"
    quarter = f"Q{(end.month + 2) // 3} {end.year}"
    yoy = evidence.measure.endswith("_yoy")
    if period.startswith("quarter to"):
        forms = [
            f"in the quarter to {end}",
            f"in the quarter ended {long}",
            f"for {quarter}",
            f"in the quarter to {month}",
        ]
        return rng.choice(forms) + (rng.choice((" from a year ago", " year over year", "")) if yoy else "")
    if period.startswith("12 months"):
        return rng.choice(
            (f"over the 12 months to {end}", f"in the twelve months to {month}", f"for the 12 months ended {long}")
        )
    return rng.choice((f"as of {end}", f"on {long}", f"at {end}", f"in {month}"))


def sentences_with_figures(passages: Sequence[Evidence]) -> list[Evidence]:
    """The passages that hold a number outside of dates."""
    return [item for item in passages if any(c.isdigit() for c in item.text or "")]
