"""Releases with a known tone: what one pack is made of, no other pack has seen."""

import re
from collections import Counter
from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from paperdesk.agents.models.core import Answer, Fingerprint, Reply, Request
from paperdesk.agents.sentiment_prompt import PromptClassifier
from paperdesk.simulations.training.exercises import digest_of, refuse_leaks, request_of
from paperdesk.simulations.training.phrasebook import figures, manner, news
from paperdesk.simulations.training.phrasebook.releases import DEALT, Pack, dealt, releases
from paperdesk.simulations.training.phrasebook.trades import TRADES
from paperdesk.simulations.training.tone_exercises import tone_exercises
from paperdesk.tools.sentiment.classifier import CLASSES

PACKS: tuple[Pack, ...] = get_args(Pack)
LISTS: dict[str, tuple[str, ...]] = {
    name: value
    for module in (figures, manner, news)
    for name, value in vars(module).items()
    if name.isupper() and isinstance(value, tuple)
}
COMMON = {"LIKED", "DISLIKED", "AMOUNTS", "FRACTIONS", "WEEKDAYS", "ORDINALS", "ENDINGS"}
"""What all packs share."""
LEARNT: dict[Pack, int] = {"learn": 2400, "held_back": 96, "exam": 600}


@given(st.lists(st.integers(), unique=True, max_size=60))
def test_every_entry_is_dealt_to_one_pack(entries: list[int]) -> None:
    hands = [dealt(entries, pack) for pack in PACKS]
    assert sorted(entry for hand in hands for entry in hand) == sorted(entries)


def test_every_list_has_something_for_every_pack() -> None:
    for name in LISTS.keys() - COMMON:
        assert len(set(LISTS[name])) == len(LISTS[name]), name
        assert all(dealt(LISTS[name], pack) for pack in PACKS), name
    assert len(DEALT) <= len(TRADES)


def test_the_releases_that_the_shipped_adapter_learnt_from_can_be_made_again() -> None:
    # with its stances they are the `learnt_digest` of its card; who changes the phrasebook trains it again
    digests = [digest_of(tone_exercises(releases(count, pack, seed=101))) for pack, count in LEARNT.items()]
    assert [digest[:16] for digest in digests] == ["b11242d8b2087cc3", "9bc35f91c8a911fd", "40107392d772903f"]


def words(text: str) -> str:
    """The longest stretch of a part that stands in a text as it is."""
    return max(re.split(r"\{\w+\}", text), key=len).strip().lower()


@pytest.mark.parametrize("pack", PACKS)
def test_no_text_holds_what_belongs_to_another_pack(pack: Pack) -> None:
    made = releases(300, pack, seed=3)
    foreign = [
        words(entry)
        for name in LISTS.keys() - COMMON - {"MOVES", "NOUN_MOVES", "AGAINST", "THOUGH"}
        for other in PACKS
        if other != pack
        for entry in dealt(LISTS[name], other)
    ]
    own = " ".join(release.text.lower() for release in made)
    # a phrase can stand within a longer one of the pack's own
    mine = " ".join(entry.lower() for name in LISTS for entry in dealt(LISTS[name], pack))
    strangers = [phrase for phrase in foreign if len(phrase) > 14 and phrase in own and phrase not in mine]
    assert strangers == []
    assert {release.trade for release in made} == {trade.noun for trade in dealt(TRADES, pack)}


def test_tones_are_alike_often_texts_are_whole_and_equal_seeds_make_equal_releases() -> None:
    made = releases(300, "learn", seed=5)
    assert made == releases(300, "learn", seed=5) != releases(300, "learn", seed=6)
    assert set(Counter(release.label for release in made).values()) == {100}
    assert len({release.text for release in made}) == 300
    for release in made:
        assert not re.search(r"[{}]|\s{2}|\s[,.:;]", release.text), release.text
        assert release.text[0].isupper(), release.text
        assert release.text.endswith("."), release.text


class Listening:
    """A mind that remembers what it is asked."""

    fingerprint = Fingerprint(backend="scorecard", name="ear", digest="0" * 64)

    def __init__(self) -> None:
        self.asked: list[Request] = []

    def answer(self, request: Request) -> Reply:
        self.asked.append(request)
        even = dict.fromkeys(request.options, 1 / 3)
        return Reply(answers=tuple(Answer(ticker=one.ticker, probabilities=even) for one in request.questions))

    def close(self) -> None: ...


def test_exercises_ask_word_for_word_what_the_sentiment_tool_asks() -> None:
    made = releases(24, "exam", seed=1)
    exercises = tone_exercises(made)
    mind = Listening()
    PromptClassifier(mind, "ear").predict([release.text for release in made])
    (asked,) = mind.asked
    learnt = request_of(exercises[0].sheet, asked.questions)
    assert [one.text for one in exercises] == [question.text for question in asked.questions]
    assert (learnt.system, learnt.prefix, learnt.options) == (asked.system, asked.prefix, asked.options)
    assert (learnt.content_free, learnt.lead_in, learnt.role) == (asked.content_free, asked.lead_in, asked.role)
    assert [CLASSES[one.answer] for one in exercises] == [release.label for release in made]
    refuse_leaks(tone_exercises(releases(300, "learn", seed=1)), exercises, by_time=False)
