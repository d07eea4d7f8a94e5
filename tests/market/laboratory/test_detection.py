"""Simple rules find what is planted and nothing else; the full study is benchmarks/laboratory.py."""

import numpy as np
import pytest
from scipy import stats

from paperdesk.tools.market.laboratory import LaboratoryPlan, World, build_world, render
from paperdesk.tools.market.laboratory.detect import RULES, coefficient, find, outcome, seen
from paperdesk.tools.market.laboratory.reading import read_market

LEVEL = 0.05


def test_rules_see_in_the_arrays_what_they_would_read_in_the_market(world: World) -> None:
    calm = build_world(world.plan.model_copy(update={"hostile": 0.0}))
    read, arrays = read_market(render(calm).dataset), seen(calm)
    order = np.argsort([identity.ticker for identity in calm.cast.identities])
    assert read.event_dates == arrays.event_dates
    assert len(read.event_dates) == 16
    for name in ("wealth", "surprise", "tone"):
        assert np.array_equal(getattr(read, name), getattr(arrays, name)[:, order], equal_nan=True), name
        assert np.isfinite(getattr(read, name)).sum() > 1000
    assert np.allclose(read.earnings_yield, arrays.earnings_yield[:, order], rtol=1e-12, equal_nan=True)
    for rule in RULES:
        assert find(read, rule).t == pytest.approx(find(arrays, rule).t)


def test_a_date_counts_only_what_was_known_and_what_followed(plain: World) -> None:
    wealth = seen(plain).wealth
    t, horizon = 700, 21
    whole = outcome(wealth, t, horizon)
    changed = wealth.copy()
    changed[: t - 252] *= 3.0
    changed[t + 1 : t + horizon] *= 2.0
    changed[t + horizon + 1 :] *= 5.0
    assert np.array_equal(outcome(changed, t, horizon), whole, equal_nan=True)
    assert np.nanstd(whole) == pytest.approx(1, abs=0.35)


def test_the_coefficient_of_a_perfect_signal_is_positive_and_turns_with_it() -> None:
    rng = np.random.default_rng(1)
    follows = rng.standard_normal(50)
    value = coefficient(follows, follows)
    assert value is not None
    assert 0.9 < value / follows.std() < 1
    assert coefficient(-follows, follows) == pytest.approx(-value)
    assert coefficient(np.full(50, 2.0), follows) is None
    assert coefficient(np.where(np.arange(50) < 7, follows, np.nan), follows) is None


@pytest.mark.slow
def test_rules_find_their_edge_and_nothing_where_there_is_none() -> None:
    seeds, planted_seeds = range(1, 41), range(1, 13)
    false_alarms, hits = dict.fromkeys(RULES, 0), dict.fromkeys(RULES, 0)
    for seed in seeds:
        world = build_world(LaboratoryPlan(seed=seed))
        market = seen(world)
        for rule in RULES:
            false_alarms[rule] += find(market, rule).p < LEVEL
            if seed in planted_seeds:
                twin = build_world(LaboratoryPlan(seed=seed, edges={rule: 1.0}), world)
                hits[rule] += find(seen(twin), rule).p < LEVEL
    # bounds that a test of the right size passes in all but one case of a thousand
    most = int(stats.binom.ppf(0.99975, len(seeds), LEVEL))
    assert max(false_alarms.values()) <= most, false_alarms
    assert sum(false_alarms.values()) >= 1, false_alarms
    assert min(hits.values()) > 0.8 * len(planted_seeds), hits
