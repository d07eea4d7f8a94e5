"""Examples in a prompt are earlier questions whose answer was known, and the prompt stays the desk's."""

from dataclasses import replace
from datetime import date, timedelta

from hypothesis import given
from hypothesis import strategies as st

from paperdesk.agents.signals import STANCES
from paperdesk.benchmarks.solved_examples import By, examples_for, with_examples
from paperdesk.simulations.training.exercises import Exercise, Sheet, requests_of

SHEET = Sheet("technical_analyst", "system", "Market: calm.\n", STANCES, "\n", "N/A\nStance:")
DAY = date(2030, 1, 1)


def exercise(day: int, text: str, *, length: int = 10, group: str = "A", answer: int = 3) -> Exercise:
    target = tuple(float(i == answer) for i in range(5))
    return Exercise(SHEET, f"{text}\nStance:", target, DAY + timedelta(day), DAY + timedelta(day + length), group)


@given(
    st.lists(st.tuples(st.integers(0, 60), st.integers(1, 30)), max_size=30),
    st.integers(0, 60),
    st.integers(0, 5),
    st.sampled_from(["likeness", "time"]),
)
def test_only_what_was_known_is_shown(spans: list[tuple[int, int]], day: int, count: int, by: By) -> None:
    pool = [exercise(begin, f"profit {i}", length=length, group=str(i)) for i, (begin, length) in enumerate(spans)]
    asked = exercise(day, "profit")
    known = [one for one in pool if one.known < asked.day]
    found = examples_for(asked, pool, count, by)
    assert len(found) == min(count, len(known))
    assert all(one in known for one in found)


def test_the_latest_and_the_most_similar_stand_next_to_the_question() -> None:
    pool = [
        exercise(0, "profit rose strongly after record sales"),
        exercise(1, "the court imposed a fine", group="B"),
        exercise(2, "staff went on strike", group="C"),
    ]
    asked = exercise(40, "profit rose after higher sales")
    assert examples_for(asked, pool, 1, "likeness") == [pool[0]]
    assert examples_for(asked, pool, 2, "time") == pool[1:]
    other = replace(pool[0], sheet=Sheet("fundamental_analyst", "", "", STANCES))
    assert examples_for(asked, [other], 1, "time") == []


def test_a_company_is_shown_once_a_day() -> None:
    orders = [exercise(0, "E1 up E2 down"), exercise(0, "E1 down E2 up")]
    assert len(examples_for(exercise(40, "E1 up E2 down"), orders, 4, "likeness")) == 1


def test_the_examples_stand_before_the_content_free_question_too() -> None:
    asked = with_examples(exercise(40, "profit rose"), [exercise(0, "sales fell", answer=1)])
    request, places = next(requests_of([asked]))
    assert request.prefix == "Market: calm.\nsales fell\nStance: sell\n\n"
    assert request.content_free == SHEET.content_free
    assert (request.questions[0].text, places) == ("profit rose\nStance:", [0])


def test_without_examples_the_question_is_the_desks() -> None:
    assert with_examples(exercise(0, "x"), []) == exercise(0, "x")
    assert examples_for(exercise(0, "x"), [], 1, "likeness") == []
