"""The truth: nothing is expected where nothing is planted, and what is planted is in the returns, to the last bit."""

from typing import get_args

import numpy as np
import pytest

from paperdesk.tools.market.laboratory import EDGES, EdgeName, Laboratory, LaboratoryPlan, World, build_world
from paperdesk.tools.market.laboratory.detect import seen
from paperdesk.tools.market.laboratory.world import SCORE_LIMIT, VALUE_MIDDLE, VALUE_UNIT

PLAN = LaboratoryPlan(companies=12, years=4, seed=5, late_listings=0.2, delistings=0.05)
NAMES: tuple[EdgeName, ...] = get_args(EdgeName)


@pytest.fixture(scope="module")
def bare() -> World:
    return build_world(PLAN)


def _planted(bare: World, **edges: float) -> World:
    return build_world(PLAN.model_copy(update={"edges": edges}), bare)


def test_without_an_edge_nothing_is_expected_beyond_the_factors(bare: World) -> None:
    assert set(bare.planted) == set(NAMES) == set(EDGES)
    assert all((part == 0).all() for part in bare.planted.values())
    common = bare.cast.beta * bare.factors.market[:, None] + bare.factors.sectors[:, bare.cast.sector]
    own = bare.specific.returns + bare.specific.reaction
    assert np.array_equal(bare.returns, common + own)


def test_what_companies_earn_by_themselves_has_the_mean_nought(plain: World) -> None:
    own = np.expm1(plain.specific.returns + plain.specific.reaction)
    error = np.sqrt((own**2).sum()) / own.size
    assert abs(own.mean()) < 3 * error
    reacted = plain.specific.reaction != 0
    jumps = np.expm1(plain.specific.reaction[reacted])
    assert reacted.sum() > 3000
    assert abs(jumps.mean()) < 3 * jumps.std() / np.sqrt(len(jumps))


@pytest.mark.parametrize("name", NAMES)
def test_an_edge_adds_what_the_truth_says_and_nothing_else(bare: World, name: EdgeName) -> None:
    planted = _planted(bare, **{name: 1.5})
    expected = planted.planted[name][:-1]
    assert np.abs(expected).max() > 0
    assert np.abs(planted.returns - bare.returns - expected).max() < 1e-15
    assert all((planted.planted[other] == 0).all() for other in NAMES if other != name)


@pytest.mark.parametrize("name", ["post_earnings_drift", "tone_drift"])
def test_twice_the_strength_is_twice_the_drift(bare: World, name: EdgeName) -> None:
    one, two = (_planted(bare, **{name: strength}).planted[name] for strength in (1.0, 2.0))
    assert two == pytest.approx(2 * one)


def test_edges_add_up(busy: Laboratory, world: World) -> None:
    truth = busy.truth
    total = sum(truth.parts[name] for name in NAMES)
    assert np.array_equal(truth.expected, total)
    common = world.cast.beta * world.factors.market[:, None] + world.factors.sectors[:, world.cast.sector]
    rest = world.returns - common - world.specific.returns - world.specific.reaction
    assert rest[1:] == pytest.approx(truth.expected[:-1], abs=1e-15)


def test_a_drift_is_its_size_in_all_and_ends(bare: World) -> None:
    world = _planted(bare, post_earnings_drift=1.0)
    edge, drift = EDGES["post_earnings_drift"], world.planted["post_earnings_drift"]
    checked = 0
    for quarter, number in zip(*np.nonzero(world.table.reacts < world.table.count - 60), strict=True):
        start = int(world.table.reacts[quarter, number]) + 1
        if start + edge.horizon_sessions > world.table.last[number]:
            continue
        window = drift[start : start + edge.horizon_sessions, number]
        assert window.sum() == pytest.approx(edge.size * world.business.surprise[quarter, number])
        # known only after the session that reacts
        assert drift[start - 1, number] == 0
        assert drift[start + edge.horizon_sessions, number] == 0
        checked += 1
    assert checked > 100


def test_momentum_is_expected_from_what_was_known(bare: World) -> None:
    world = _planted(bare, momentum=1.0)
    own = world.returns - world.cast.beta * world.factors.market[:, None] - world.factors.sectors[:, world.cast.sector]
    edge, part = EDGES["momentum"], world.planted["momentum"]
    assert (part[:253] == 0).all()
    for t in (253, 400, 800, 1007):
        gained = own[t - 252 : t - 21].sum(axis=0)
        usual = 1.3 * world.cast.risk * np.sqrt(231)
        score = np.clip(gained / usual, -SCORE_LIMIT, SCORE_LIMIT)
        there = (world.table.listed + 252 < t) & (world.table.last >= min(t, world.table.count - 1))
        assert part[t] == pytest.approx(np.where(there, edge.size / edge.horizon_sessions * score, 0.0), abs=1e-12)


def test_value_is_expected_from_filings_and_prices_that_were_known(bare: World) -> None:
    world = _planted(bare, value=1.0)
    edge, part, market = EDGES["value"], world.planted["value"], seen(world)
    for t in (1, 100, 500, 900):
        score = np.clip((market.earnings_yield[t - 1] - VALUE_MIDDLE) / VALUE_UNIT, -SCORE_LIMIT, SCORE_LIMIT)
        there = np.isfinite(score) & (world.table.last >= t)
        expected = np.where(there, edge.size / edge.horizon_sessions * score, 0.0)
        assert part[t] == pytest.approx(expected, abs=2e-6)
        assert there.sum() > 5


def test_returns_follow_the_expectation_one_for_one() -> None:
    world = build_world(LaboratoryPlan(edges=dict.fromkeys(NAMES, 3.0)))
    expected = np.sum(list(world.planted.values()), axis=0)[:-1][world.traded]
    common = world.cast.beta * world.factors.market[:, None] + world.factors.sectors[:, world.cast.sector]
    realised = np.expm1(world.returns - common)[world.traded]
    size = (expected**2).sum()
    slope = (expected * realised).sum() / size
    error = np.sqrt((expected**2 * realised**2).sum()) / size
    assert error < 0.1
    assert abs(slope - 1) < 3 * error


def test_surprises_are_standard_and_do_not_foretell_each_other(plain: World) -> None:
    surprise = plain.business.surprise
    assert surprise.mean() == pytest.approx(0, abs=0.04)
    assert surprise.std() == pytest.approx(1, abs=0.03)
    assert np.corrcoef(surprise[1:].ravel(), surprise[:-1].ravel())[0, 1] == pytest.approx(0, abs=0.04)


def test_guidance_is_not_biased(plain: World) -> None:
    business = plain.business
    error = np.log(business.first_revenue / business.guided_revenue) / plain.cast.revenue_risk
    assert error.mean() == pytest.approx(0, abs=0.04)
    assert error.std() == pytest.approx(1, abs=0.03)
    margin = business.operating_income / business.first_revenue - business.guided_margin
    assert np.mean(margin / plain.cast.margin_risk) == pytest.approx(0, abs=0.04)


def test_prices_and_earnings_stay_together() -> None:
    for seed in (1, 2):
        world = build_world(LaboratoryPlan(years=20, seed=seed))
        years = world.business.net_income[16:].reshape(-1, 4, 100).sum(axis=1)
        value = world.price[world.table.quarter_ends[19::4]] * world.cast.shares
        yields = np.median(years / value, axis=1)
        assert 0.02 < yields.min() < yields.max() < 0.15


def test_the_truth_of_releases_is_that_of_the_world(world: World, busy: Laboratory) -> None:
    releases = busy.truth.releases
    assert len(releases) == (world.table.announced < 1 << 30).sum()
    tickers = [identity.ticker for identity in world.cast.identities]
    ends = [end for _, end in world.table.quarters]
    for _, row in releases.iterrows():
        at = ends.index(row["period_end"].date()), tickers.index(row["ticker"])
        assert row["surprise"] == world.business.surprise[at]
        assert row["outlook_mood"] == world.outlook_mood[at]
        assert row["reacts"].date() == world.table.day(int(world.table.reacts[at]))
    assert releases["published_at"].is_monotonic_increasing
