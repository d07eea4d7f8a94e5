"""Laboratories that several tests read; each is made once."""

import pytest

from paperdesk.tools.market.laboratory import Laboratory, LaboratoryPlan, World, build_world, render

BUSY = LaboratoryPlan(
    companies=14,
    years=4,
    seed=11,
    edges={"post_earnings_drift": 1.0, "momentum": 2.0, "tone_drift": 1.0, "value": 1.0},
    hostile=0.1,
    near_duplicates=0.1,
    late_copies=0.1,
    restatements=0.08,
    late_listings=0.3,
    delistings=0.1,
)
"""A little of everything."""


@pytest.fixture(scope="package")
def world() -> World:
    return build_world(BUSY)


@pytest.fixture(scope="package")
def busy(world: World) -> Laboratory:
    return render(world)


@pytest.fixture(scope="package")
def plain() -> World:
    """The default market: 100 companies, 10 years, no edge."""
    return build_world(LaboratoryPlan())
