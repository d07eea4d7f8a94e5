"""Faults put into claims that were true: each kind changes one thing and leaves the rest as it was."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import timedelta
from random import Random

from paperdesk.agents.auditor import Split
from paperdesk.agents.signals import Claim, Signal
from paperdesk.tools.evidence import Evidence
from paperdesk.tools.measures import MEASURES

from .auditor_wordings import Told


@dataclass(frozen=True)
class Sample:
    """One claim as the auditor meets it."""

    told: Told
    signal: Signal
    evidence: Evidence
    others: tuple[str, ...]
    """Names of other companies of the market."""
    splits: tuple[Split, ...] = ()
    """Of this company, known at the decision."""

    def saying(self, text: str) -> "Sample":
        """The same claim in other words."""
        claim = self.signal.claims[0].model_copy(update={"text": text})
        return replace(self, signal=self.signal.model_copy(update={"claims": (claim,), "rationale": text}))

    def supporting(self, side: str, stance: str) -> "Sample":
        """The same claim for another side."""
        claim = Claim.model_validate(self.signal.claims[0].model_dump() | {"supports": side})
        return replace(self, signal=self.signal.model_copy(update={"claims": (claim,), "stance": stance}))


Fault = Callable[[Sample, Random], Sample | None]
"""A claim made wrong; None where this kind does not apply to it."""

_FIGURE = re.compile(r"(?<![\w.,-])(\$?)(\d[\d,]*(?:\.\d+)?)(\s?(?:%|percent|per cent|million|billion|M\b|B\b))?")
_DAY = re.compile(r"\b(\d{4})-(\d\d)-(\d\d)\b")
_YEAR = re.compile(r"\b(20[0-3]\d)\b")
_MONTHS = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
]


def _digits_of(sample: Sample) -> list[re.Match[str]]:
    """The numbers of a text that are no part of a date or a name."""
    text = sample.told.text
    if sample.told.value:
        start = text.index(sample.told.value)
        return [
            m for m in _FIGURE.finditer(text) if start <= m.start() and m.end() <= start + len(sample.told.value) + 1
        ]
    days = [
        m.span() for m in re.finditer(rf"\b(?:{'|'.join(_MONTHS)})\.? \d{{1,2}}(?:, \d{{4}})?|\d{{4}}-\d\d-\d\d", text)
    ]
    numbers = [m for m in _FIGURE.finditer(text) if not any(a <= m.start() < b for a, b in days)]
    return [m for m in numbers if (m[1] or m[3]) and not re.search(r"\b(?:Q|E)$", text[: m.start()])]


def wrong_number(sample: Sample, rng: Random) -> Sample | None:
    """Another value: by 5 % to 90 %, or two digits exchanged."""
    places = _digits_of(sample)
    if not places:
        return None
    at = rng.choice(places)
    shown = {m[2].replace(",", "") for m in _FIGURE.finditer(sample.evidence.text or "")}
    for _ in range(20):
        decimals = len(at[2].partition(".")[2])
        number = float(at[2].replace(",", ""))
        factor = rng.choice((rng.uniform(1.05, 1.9), rng.uniform(0.3, 0.95)))
        other = f"{number * factor + 10.0**-decimals * 1.2:,.{decimals}f}"
        if other.replace(",", "") not in shown and abs(float(other.replace(",", "")) - number) > 1.01 * 10.0**-decimals:
            return sample.saying(sample.told.text[: at.start(2)] + other + sample.told.text[at.end(2) :])
    return None


def wrong_unit(sample: Sample, rng: Random) -> Sample | None:
    """The same digits in another unit."""
    places = [m for m in _digits_of(sample) if m[3] or sample.told.value]
    if not places:
        return None
    at = rng.choice(places)
    unit = (at[3] or "").strip()
    if unit in ("%", "percent", "per cent"):
        other = rng.choice((" basis points", " million", "", " billion dollars", "x"))
    elif unit in ("million", "M"):
        other = rng.choice((" billion", " thousand", "%"))
    elif unit in ("billion", "B"):
        other = rng.choice((" million", " trillion", "%"))
    else:
        other = rng.choice(("%", " million", " basis points"))
    text = sample.told.text
    end = at.end()
    if text[end : end + 1] == "x":  # of a multiple
        end += 1
    return sample.saying(text[: at.end(2)] + other + text[end:])


def wrong_sign(sample: Sample, rng: Random) -> Sample | None:
    """The sign turned, or one given that is not there."""
    told, value = sample.told, sample.evidence.value
    if told.value:
        if told.verb or not float(re.sub(r"[^\d.]", "", told.value) or 0):
            return None
        bare = told.value.lstrip("+-\u2212")
        if value is not None and value < 0:
            other = (
                bare
                if MEASURES[sample.evidence.measure].name not in ("drawdown_12m", "max_drawdown_12m")
                else f"+{bare}"
            )
        else:
            other = f"-{bare}"
        return sample.saying(told.text.replace(told.value, other, 1))
    places = [
        m
        for m in _digits_of(sample)
        if not re.search(
            r"(?:down|decreas\w+|declin\w+|fell|loss\w*|lower|negative|[-(\u2212\u2013])[^.;]{0,40}$",
            told.text[: m.start()],
            re.I,
        )
        and not re.match(r"[^.;]{0,30}(?:down|decreas|declin|lower|loss)", told.text[m.end() :], re.I)
    ]
    if not places:
        return None
    at = rng.choice(places)
    return sample.saying(told.text[: at.start()] + "-" + told.text[at.start() :])


def wrong_period(sample: Sample, rng: Random) -> Sample | None:
    """Another day, quarter, year, length, or basis of comparison."""
    text = sample.told.text
    changes: list[str] = []
    if day := _DAY.search(text):
        moved = f"{int(day[1]) - rng.choice((1, 2))}-{day[2]}-{day[3]}"
        changes.append(text[: day.start()] + moved + text[day.end() :])
    if quarter := re.search(r"\bQ([1-4]) (20\d\d)", text):
        changes.append(text.replace(quarter[0], f"Q{int(quarter[1]) % 4 + 1} {quarter[2]}", 1))
    for ordinal, other in (
        ("first quarter", "third quarter"),
        ("second quarter", "fourth quarter"),
        ("third quarter", "first quarter"),
        ("fourth quarter", "second quarter"),
    ):
        if ordinal in text.lower() and other not in (sample.evidence.text or "").lower():
            changes.append(re.sub(ordinal, other, text, count=1, flags=re.I))
    if month := re.search(rf"\b({'|'.join(_MONTHS)}) (\d{{1,2}}, )?(20\d\d)", text):
        changes.append(text.replace(month[0], f"{month[1]} {month[2] or ''}{int(month[3]) - rng.choice((1, 2))}", 1))
    if "year over year" in text or "from a year ago" in text:
        changes.append(
            text.replace("year over year", "sequentially").replace("from a year ago", "from the previous quarter")
        )
    if span := re.search(r"\b(\d+)-(month|day) (return|average|volatility)", text):
        changes.append(text.replace(span[0], f"{int(span[1]) * 2 + 1}-{span[2]} {span[3]}", 1))
    if "12 months" in text:
        changes.append(text.replace("12 months", rng.choice(("6 months", "9 months", "24 months")), 1))
    return sample.saying(rng.choice(changes)) if changes else None


def wrong_company(sample: Sample, rng: Random) -> Sample | None:
    """Another company's name in the text, or its evidence."""
    other = rng.choice(sample.others)
    if sample.told.name and rng.random() < 0.7:
        return sample.saying(sample.told.text.replace(sample.told.name, other, 1))
    if rng.random() < 0.5:
        return sample.saying(f"{sample.told.text}, as at {other}")
    ticker = sample.signal.ticker
    return replace(
        sample, signal=sample.signal.model_copy(update={"ticker": f"{ticker}Q" if ticker != "OTHER" else "X"})
    )


def stale(sample: Sample, rng: Random) -> Sample | None:
    """The decision comes long after the evidence."""
    limit = {"indicator": 7, "ratio": 200, "passage": 200}[sample.evidence.kind]
    limit = 120 if sample.evidence.measure == "tone" else limit
    as_of = sample.evidence.available_at + timedelta(days=limit + rng.randint(1, 200))
    return replace(sample, signal=sample.signal.model_copy(update={"as_of": as_of}))


def future(sample: Sample, rng: Random) -> Sample | None:
    """The decision comes before the evidence was known."""
    as_of = sample.evidence.available_at - timedelta(hours=rng.randint(1, 24 * 90))
    return replace(sample, signal=sample.signal.model_copy(update={"as_of": as_of}))


def made_up_id(sample: Sample, rng: Random) -> Sample | None:
    """Evidence that there is not: in the claim, or named in the text."""
    claim = sample.signal.claims[0]
    kind = rng.randrange(3)
    if kind == 0:
        parts = claim.evidence.split("/")
        made_up = "/".join([parts[0], rng.choice(("revenue_growth_yoy", "roe_ttm", "guidance")), "2019-03-31"])
        invented = claim.model_copy(update={"evidence": made_up})
        return replace(sample, signal=sample.signal.model_copy(update={"claims": (invented,)}))
    if kind == 1:
        return sample.saying(sample.told.text.replace(claim.alias, f"E{rng.randint(40, 90)}"))
    return sample.saying(f"{sample.told.text}; see {sample.signal.ticker}/roe_ttm/2019-03-31")


_TURNED = {"rose": "fell", "increased": "decreased", "grew": "declined", "was up": "was down", "gained": "dropped"}
_TURNED |= {"climbed": "slipped", "advanced": "weakened", "was higher by": "was lower by", "improved": "lost"}
_TURNED |= {"went up": "went down", "above": "below"}
_TURNED |= {down: up for up, down in _TURNED.items()}
_IN_TEXT = {
    "increased": "decreased",
    "rose": "fell",
    "grew": "declined",
    "up ": "down ",
    "increase of": "decrease of",
    "higher": "lower",
}
_IN_TEXT |= {down: up for up, down in _IN_TEXT.items()}


def opposed_direction(sample: Sample, rng: Random) -> Sample | None:
    """The word for the direction turned, or the figure said to support the other side."""
    told, value = sample.told, sample.evidence.value
    choices: list[Sample] = []
    if told.verb:
        choices.append(sample.saying(told.text.replace(f" {told.verb} ", f" {_TURNED[told.verb]} ", 1)))
    measure = MEASURES[sample.evidence.measure]
    if value is not None and measure.directional and abs(measure.reading(value)) > 0.15:
        side, stance = ("sell", "sell") if measure.reading(value) > 0 else ("buy", "buy")
        choices.append(sample.supporting(side, stance))
        word = rng.choice(("weak", "bearish") if measure.reading(value) > 0 else ("strong", "bullish"))
        choices.append(sample.saying(f"{told.text}, which is {word}"))
    if value is None:
        text = sample.evidence.text or ""
        for word, other in _IN_TEXT.items():
            found = re.search(rf"\b{word}(?=[\w ,]*\d+(?:\.\d+)?\s?(?:%|percent|per cent))", told.text)
            if found and other.strip() not in text:
                choices.append(sample.saying(told.text.replace(word, other, 1)))
    return rng.choice(choices) if choices else None


def split_unadjusted(sample: Sample, rng: Random) -> Sample | None:
    """A figure per share in the shares of the other side of a split."""
    value = sample.evidence.value
    if not sample.splits or value is None or not sample.told.value:
        return None
    if sample.evidence.measure not in ("earnings_yield", "price_to_earnings", "price_to_sales", "free_cash_flow_yield"):
        return None
    ratio = rng.choice(sample.splits).ratio
    other = value * rng.choice((ratio, 1 / ratio))
    measure = MEASURES[sample.evidence.measure]
    shown = measure.show(other) if measure.unit == "fraction" else f"{other:.2f}"
    if shown == measure.show(value):
        return None
    return sample.saying(sample.told.text.replace(sample.told.value, shown, 1))


def exchanged_number(sample: Sample, rng: Random) -> Sample | None:
    """A number of a passage replaced by another one of the same passage, of the same unit: what code cannot see."""
    if sample.evidence.value is not None:
        return None
    places = _digits_of(sample)
    pairs = [(a, b) for a in places for b in places if a[2] != b[2] and (a[1], a[3]) == (b[1], b[3])]
    if not pairs:
        return None
    at, other = rng.choice(pairs)
    return sample.saying(sample.told.text[: at.start(2)] + other[2] + sample.told.text[at.end(2) :])


FAULTS: Mapping[str, tuple[Fault, tuple[str, ...]]] = {
    "number": (wrong_number, ("figures_match",)),
    "unit": (wrong_unit, ("units_match",)),
    "sign": (wrong_sign, ("signs_match",)),
    "period": (wrong_period, ("periods_match",)),
    "company": (wrong_company, ("right_company",)),
    "stale": (stale, ("staleness",)),
    "future": (future, ("known_in_time",)),
    "made-up evidence": (made_up_id, ("evidence_exists",)),
    "direction": (opposed_direction, ("direction_agrees", "direction_words")),
    "split": (split_unadjusted, ("split_adjusted",)),
}
"""By kind: how it is made, and the rules that name it rightly."""

BEYOND: Mapping[str, tuple[Fault, tuple[str, ...]]] = {
    "another number of the passage": (exchanged_number, ("figures_match",))
}
"""What the auditor does not claim to find; measured all the same, and in no sum."""
