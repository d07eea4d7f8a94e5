"""The arrays of a program: read by cvxpy's own map, they are what cvxpy gives, number by number."""

import dataclasses

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from paperdesk.tools.optimizer.form import AffineMap, Form, FormReader
from paperdesk.tools.optimizer.program import Program, shape_of

from .drawn import drawn


def same(one: Form, other: Form) -> bool:
    fields = [field.name for field in dataclasses.fields(Form) if field.name not in ("names", "exposures", "matrix")]
    return (one.matrix != other.matrix).nnz == 0 and all(
        np.array_equal(getattr(one, name), getattr(other, name)) for name in fields
    )


@settings(max_examples=40)
@given(seed=st.integers(0, 10_000), scale=st.sampled_from([0.25, 3.0]))
def test_the_map_gives_what_cvxpy_gives(seed: int, scale: float) -> None:
    first, second = drawn(seed), drawn(seed, scale)
    program = Program(shape_of(first))
    assert shape_of(second) == shape_of(first)
    program.load(first, 1.0)
    reader = FormReader(program)
    reader.read()
    assert reader.is_mapped
    program.load(second, 1.0)
    assert same(reader.read(), FormReader(program).read())


def test_a_map_that_is_laid_out_otherwise_is_not_used(monkeypatch: pytest.MonkeyPatch) -> None:
    program = Program(shape_of(drawn(3)))
    program.load(drawn(3), 1.0)
    expected = FormReader(program).read()

    def wrong(self: AffineMap) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        return np.zeros(1), np.zeros(1), np.zeros(1)

    monkeypatch.setattr(AffineMap, "figures", wrong)
    reader = FormReader(program)
    assert same(reader.read(), expected)
    assert not reader.is_mapped
    assert same(reader.read(), expected)
