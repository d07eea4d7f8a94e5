"""One plan, one market; and a switch moves nothing that it does not concern."""

import subprocess
import sys

import numpy as np
import pytest
from pydantic import ValidationError

from paperdesk.tools.errors import InputError
from paperdesk.tools.market.laboratory import INDEX_TICKER, Laboratory, LaboratoryPlan, World, build_world, make, render
from paperdesk.tools.sentiment.lexicon import count

SMALL = LaboratoryPlan(companies=6, years=2, seed=3)


def test_one_plan_gives_one_market_in_every_process() -> None:
    fingerprint = make(SMALL).dataset.fingerprint
    assert make(SMALL).dataset.fingerprint == fingerprint
    assert make(SMALL.model_copy(update={"seed": 4})).dataset.fingerprint != fingerprint
    program = (
        "from paperdesk.tools.market.laboratory import LaboratoryPlan, make; import sys;"
        "sys.stdout.write(make(LaboratoryPlan(companies=6, years=2, seed=3)).dataset.fingerprint)"
    )
    environment = {"PYTHONHASHSEED": "99", "PYTHONPATH": ".typing"}
    other = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, env=environment, check=True)
    assert other.stdout == fingerprint


def test_further_companies_leave_the_ones_before_as_they_are() -> None:
    few = make(SMALL.model_copy(update={"hostile": 0.1})).dataset
    many = make(SMALL.model_copy(update={"hostile": 0.1, "companies": 11})).dataset
    assert set(few.companies) < set(many.companies)
    for ticker, company in few.companies.items():
        assert many.companies[ticker] == company
        a, b = few.bars.column(ticker), many.bars.column(ticker)
        for name in ("open", "high", "low", "close", "volume", "dividend", "split"):
            assert np.array_equal(getattr(few.bars, name)[:, a], getattr(many.bars, name)[:, b], equal_nan=True)
        facts = [data.facts[data.facts["ticker"] == ticker].reset_index(drop=True) for data in (few, many)]
        assert facts[0].equals(facts[1])
        texts = [[row for row in data.documents if row.ticker == ticker] for data in (few, many)]
        assert texts[0] == texts[1]
        assert len(texts[0]) > 10


def test_switches_of_texts_leave_prices_and_figures_as_they_are() -> None:
    plain = make(SMALL).dataset
    busy = make(SMALL.model_copy(update={"hostile": 0.5, "distractors": 20.0, "late_copies": 0.5})).dataset
    assert np.array_equal(plain.bars.close, busy.bars.close, equal_nan=True)
    assert plain.facts.equals(busy.facts)
    assert len(busy.documents) > len(plain.documents) * 1.5


def test_edges_leave_risk_and_surprises_as_they_are() -> None:
    plain, planted = (build_world(SMALL.model_copy(update={"edges": edges})) for edges in ({}, {"momentum": 3.0}))
    assert np.array_equal(plain.specific.returns, planted.specific.returns)
    assert np.array_equal(plain.business.surprise, planted.business.surprise)
    assert not np.array_equal(plain.returns, planted.returns)


def test_a_twin_is_the_same_world_made_faster(world: World) -> None:
    plan = world.plan.model_copy(update={"edges": {"value": 1.0}})
    twin, alone = build_world(plan, world), build_world(plan)
    assert np.array_equal(twin.price, alone.price)
    assert np.array_equal(twin.business.revenue, alone.business.revenue)
    with pytest.raises(InputError, match="differs in more than its edges"):
        build_world(plan.model_copy(update={"seed": 12}), world)


def test_rendering_does_not_change_what_happened(world: World, busy: Laboratory) -> None:
    before = world.price.copy(), world.business.revenue.copy()
    again = render(world)
    assert again.dataset.fingerprint == busy.dataset.fingerprint
    assert np.array_equal(before[0], world.price)
    assert np.array_equal(before[1], world.business.revenue)


def test_names_are_unique_and_say_nothing_about_how_business_goes() -> None:
    cast = build_world(LaboratoryPlan(companies=500, years=2)).cast
    names = [identity.name for identity in cast.identities]
    tickers = [identity.ticker for identity in cast.identities]
    assert len(set(names)) == len({name.split()[0] for name in names}) == 500
    assert len({*tickers, INDEX_TICKER}) == 501
    assert all(len(ticker) == 4 and ticker.isalpha() and ticker.isupper() for ticker in tickers)
    for identity in cast.identities:
        words = (identity.name, identity.city, identity.chief, identity.product, identity.market_served)
        assert sum(count(". ".join(words))) == 0, identity


def test_sectors_are_dealt_out_in_turn_with_an_industry_each(busy: Laboratory) -> None:
    sectors = [company.sector for company in busy.dataset.companies.values()]
    assert len(set(sectors)) == 10
    assert max(sectors.count(name) for name in sectors) == 2
    assert all(company.industry for company in busy.dataset.companies.values())


@pytest.mark.parametrize(
    "values",
    [
        {"companies": 1},
        {"companies": 501},
        {"sectors": 12},
        {"edges": {"luck": 1.0}},
        {"edges": {"value": -1.0}},
        {"hostile": 1.5},
        {"seed": -1},
        {"hostil": 0.1},
        {"delistings": float("nan")},
    ],
)
def test_a_plan_that_cannot_be_is_refused(values: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        LaboratoryPlan.model_validate(values)


@pytest.mark.parametrize("seed", range(6))
def test_small_odd_plans_can_be_made(seed: int) -> None:
    plan = LaboratoryPlan(
        companies=2, years=2, seed=seed, sectors=1, distractors=0.0, late_listings=1.0, delistings=1.0, hostile=1.0
    )
    laboratory = make(plan)
    assert len(laboratory.dataset.companies) == 2
    assert set(laboratory.truth.hostile) == {document.id for document in laboratory.dataset.documents}
