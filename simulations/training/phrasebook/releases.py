"""Press releases from the phrasebook: a few sentences whose tone for an owner of the company is known.

Every list of the phrasebook (trades, frames, verbs, events, outlooks, names) is dealt out to three packs, so an
examination is about trades that were never learnt from, in frames, verbs and events that were never learnt from. Only
metrics, amounts and dates are common to all.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal, TypeVar

import numpy as np

from ....tools.sentiment.classifier import CLASSES, Label
from . import figures, manner, news
from .trades import TRADES, Trade

Pack = Literal["learn", "held_back", "exam"]
"""What a release is for."""
DEALT: tuple[Pack, ...] = ("learn", "learn", "exam", "learn", "held_back")
"""To whom the entries of a list go, in turn."""
_T = TypeVar("_T")
Tone = Literal[-1, 0, 1]


@dataclass(frozen=True)
class Release:
    """A text and how it sounds to an owner."""

    text: str
    label: Label
    trade: str
    kind: str
    """How its telling sentence was made."""


def dealt(entries: Sequence[_T], pack: Pack) -> tuple[_T, ...]:
    """The entries of a list that belong to a pack; no entry belongs to two."""
    return tuple(entry for place, entry in enumerate(entries) if DEALT[place % len(DEALT)] == pack)


def releases(count: int, pack: Pack, *, seed: int, verbs: Pack | None = None) -> list[Release]:
    """So many different releases of a pack, each tone alike often.

    Args:
        count: of releases.
        pack: whose parts they are made of.
        seed: of what is drawn.
        verbs: the pack whose verbs and verdicts (rose, missed the consensus) are used; its own by default.
    """
    rng = np.random.default_rng([seed, DEALT.index(pack)])
    writer = _Writer(pack, verbs or pack, rng)
    made: dict[str, Release] = {}
    while len(made) < count:
        release = writer.release(CLASSES[len(made) % len(CLASSES)])
        made.setdefault(release.text, release)
    found = list(made.values())
    return [found[place] for place in rng.permutation(count)]


class _Writer:
    """Draws parts of one pack."""

    def __init__(self, pack: Pack, verbs: Pack, rng: np.random.Generator) -> None:
        self._pack, self._verbs, self._rng = pack, verbs, rng
        self._ways: dict[str, Callable[[Tone], str]] = {
            "figure": self._figure,
            "change": self._change,
            "expectation": self._expectation,
            "outlook": self._outlook,
            "event": self._event,
            "trade": self._trade_news,
            "negation": self._negation,
            "mixed": self._mixed,
        }
        self._trade: Trade = TRADES[0]

    def release(self, label: Label) -> Release:
        """One with that tone."""
        tone: Tone = {"negative": -1, "neutral": 0, "positive": 1}[label]  # type: ignore[assignment]
        self._trade = self._one(TRADES)
        stem = self._one(manner.STEMS)
        company = stem + self._any(manner.ENDINGS)
        kinds = [kind for kind in self._ways if tone or kind not in ("negation", "mixed", "change")]
        kind = self._any([*kinds, "boilerplate"] if tone == 0 else kinds)
        telling = self._ways[kind](tone) if kind in self._ways else self._one(manner.BOILERPLATE)
        sentences = [telling]
        for _ in range(int(self._rng.choice((0, 1, 2, 4), p=(0.45, 0.3, 0.15, 0.1)))):
            same = tone != 0 and self._rng.random() < 0.5
            sentences.insert(int(self._rng.integers(len(sentences) + 1)), self._more(tone if same else 0))
        words = {"company": company, "noun": self._trade.noun, "goods": self._trade.goods}
        words["customers"] = self._trade.customers
        text = " ".join(_sentence(sentence.format_map(words)) for sentence in dict.fromkeys(sentences))
        return Release(text, label, self._trade.noun, kind)

    def _more(self, tone: Tone) -> str:
        """A sentence beside the telling one: of the same tone, or of none."""
        ways = (self._figure, self._outlook, self._event, self._trade_news)
        if tone == 0 and self._rng.random() < 0.5:
            return self._one(manner.BOILERPLATE)
        way: Callable[[Tone], str] = self._any(ways if tone else ways[2:])
        return way(tone)

    # -- ways to say something with a tone

    def _figure(self, tone: Tone) -> str:
        if tone == 0:
            return self._filled(
                self._one(figures.MOVES), self._metric(self._any((1, -1))), self._verb(figures.STAYED), ""
            )
        wanted: Tone = 1 if self._rng.random() < 0.5 else -1
        rises = wanted == tone
        verb = self._verb(figures.ROSE if rises else figures.FELL)
        frame = self._filled(self._one(figures.MOVES), self._metric(wanted), verb, self._amount(rises))
        if wanted > 0 and self._rng.random() < 0.4:
            frame = f"{frame} {self._one(figures.WHY_GOOD if tone > 0 else figures.WHY_BAD)}"
        return frame

    def _change(self, tone: Tone) -> str:
        wanted: Tone = 1 if self._rng.random() < 0.5 else -1
        change = self._verb(figures.RISES if wanted == tone else figures.FALLS)
        frame = self._one(figures.NOUN_MOVES).replace("{change}", change).replace("a increase", "an increase")
        return self._filled(frame.replace("a upswing", "an upswing"), self._metric(wanted), "", "")

    def _expectation(self, tone: Tone) -> str:
        verdict = self._verb({1: figures.BETTER_THAN, 0: figures.AS_EXPECTED, -1: figures.WORSE_THAN}[tone])
        frame = self._one(figures.AGAINST).replace("{verdict}", verdict)
        return self._filled(frame, self._metric(1), "", "")

    def _outlook(self, tone: Tone) -> str:
        said = self._one({1: news.GOOD_OUTLOOK, 0: news.PLAIN_OUTLOOK, -1: news.BAD_OUTLOOK}[tone])
        return self._hedged(said)

    def _event(self, tone: Tone) -> str:
        return self._dated(self._one({1: news.GOOD_EVENTS, 0: news.PLAIN_EVENTS, -1: news.BAD_EVENTS}[tone]))

    def _trade_news(self, tone: Tone) -> str:
        trade = self._trade
        return self._any({1: trade.good, 0: trade.plain, -1: trade.bad}[tone])

    def _negation(self, tone: Tone) -> str:
        return self._one(news.GOOD_NEGATIONS if tone > 0 else news.BAD_NEGATIONS)

    def _mixed(self, tone: Tone) -> str:
        """Two clauses that disagree; what is conceded does not count."""
        against: Tone = -1 if tone > 0 else 1
        frame = self._one(manner.THOUGH)
        return frame.replace("{one}", self._clause(against)).replace("{other}", self._clause(tone))

    def _clause(self, tone: Tone) -> str:
        """Something with a tone that can stand within another sentence."""
        way: Callable[[Tone], str] = self._any(
            (self._bare_figure, self._bare_event, self._bare_outlook, self._trade_news)
        )
        return way(tone)

    def _bare_figure(self, tone: Tone) -> str:
        wanted: Tone = 1 if self._rng.random() < 0.5 else -1
        verb = self._verb(figures.ROSE if wanted == tone else figures.FELL)
        return f"{self._metric(wanted)} {verb} {self._amount(wanted == tone)}".strip()

    def _bare_event(self, tone: Tone) -> str:
        return self._one(news.GOOD_EVENTS if tone > 0 else news.BAD_EVENTS)

    def _bare_outlook(self, tone: Tone) -> str:
        return self._one(news.GOOD_OUTLOOK if tone > 0 else news.BAD_OUTLOOK)

    # -- parts

    def _filled(self, frame: str, metric: str, verb: str, amount: str) -> str:
        parts_of = {
            "{metric}": metric,
            "{verb}": verb,
            "{amount}": amount,
            "{source}": self._one(manner.SOURCES),
            "{time}": self._one(figures.TIMES),
            "{rate}": str(int(self._rng.integers(3, 45))),
            "{weekday}": self._any(manner.WEEKDAYS),
        }
        for slot, value in parts_of.items():
            frame = frame.replace(slot, value)
        return " ".join(frame.split()).replace(" ,", ",").replace(" :", ":")

    def _metric(self, wanted: Tone) -> str:
        return self._any(figures.LIKED if wanted > 0 else figures.DISLIKED)

    def _amount(self, rises: bool) -> str:
        text = self._any((*figures.AMOUNTS, ""))
        low = int(self._rng.integers(20, 600))
        ends = (low, low + int(self._rng.integers(5, 200)))
        low, high = ends if rises else ends[::-1]
        return (
            text.replace("{rate}", str(int(self._rng.integers(2, 60))))
            .replace("{low}", str(low))
            .replace("{high}", str(high))
            .replace("{fraction}", self._any(figures.FRACTIONS))
            .replace("{ordinal}", self._any(figures.ORDINALS))
        )

    def _hedged(self, said: str) -> str:
        if self._rng.random() > 0.25:
            return said
        hedge = self._one(manner.HEDGES)
        return f"{hedge} {said}" if hedge.endswith("that") else f"{hedge}, {said}"

    def _dated(self, said: str) -> str:
        said = said.replace("{weekday}", self._any(manner.WEEKDAYS))
        return f"{said}, {self._source()}" if self._rng.random() < 0.25 else said

    def _source(self) -> str:
        return self._one(manner.SOURCES).replace("{weekday}", self._any(manner.WEEKDAYS))

    def _one(self, entries: Sequence[_T]) -> _T:
        """An entry that belongs to the pack."""
        return self._any(dealt(entries, self._pack))

    def _verb(self, entries: Sequence[_T]) -> _T:
        return self._any(dealt(entries, self._verbs))

    def _any(self, entries: Sequence[_T]) -> _T:
        return entries[int(self._rng.integers(len(entries)))]


def _sentence(text: str) -> str:
    text = text[0].upper() + text[1:]
    return text if text.endswith(".") else f"{text}."
