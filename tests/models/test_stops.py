from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from paperdesk.agents.models.llama_cpp.stops import Visible


def shown(data: bytes, cuts: list[int], stop: list[str]) -> tuple[list[str], bool]:
    visible = Visible(stop)
    edges = [0, *sorted(min(cut, len(data)) for cut in cuts), len(data)]
    pieces = [visible.add(data[a:b]) for a, b in pairwise(edges)]
    return [*pieces, visible.rest()], visible.stopped


@given(text=st.text(), cuts=st.lists(st.integers(0, 60)))
def test_characters_come_whole_however_their_bytes_are_cut(text: str, cuts: list[int]) -> None:
    pieces, stopped = shown(text.encode(), cuts, [])
    assert "".join(pieces) == text
    assert not stopped


@given(text=st.text("abé", max_size=20), cuts=st.lists(st.integers(0, 30)), stop=st.text("abé", min_size=1, max_size=4))
def test_a_stop_sequence_ends_the_text_and_no_part_of_it_is_shown(text: str, cuts: list[int], stop: str) -> None:
    pieces, stopped = shown(text.encode(), cuts, [stop])
    before, found, _ = text.partition(stop)
    assert "".join(pieces) == before
    assert stopped == bool(found)


def test_what_only_looked_like_a_stop_sequence_is_shown_at_the_end() -> None:
    assert shown(b"one\nUs", [], ["\nUser:"])[0] == ["one", "\nUs"]


def test_half_a_character_at_the_end_is_told_as_such() -> None:
    assert shown("é".encode()[:1], [], [])[0] == ["", "�"]


def test_the_first_stop_sequence_that_is_complete_counts() -> None:
    for cuts in ([], [1], [2], [3]):
        assert "".join(shown(b"abcd", cuts, ["abcd", "bc"])[0]) == "a"
