"""Tests, intervals and powers of one vector, against hand examples, scipy and simulation."""

import math

import numpy as np
import pytest
from scipy import stats as scipy_stats

from senet_lab.results import paired

NAN = math.nan


def test_sign_flips_by_hand():
    ones = np.ones(6) / 900
    assert paired.p_sign_flip(ones) == 2 / 64
    assert paired.p_sign_flip(np.array([1, 1, 1, 1, 1, -1]) / 900) == 14 / 64  # |sum| >= 4: 1 + 6, twice
    assert paired.p_sign_flip(np.zeros(6)) == 1
    assert math.isnan(paired.p_sign_flip(ones[:5]))


def test_many_pairs_are_drawn_reproducibly_and_near_the_exact_value():
    d = np.random.default_rng(2).normal(0.5, 1, 21)
    assert paired.p_sign_flip(d, seed=3) == paired.p_sign_flip(d, seed=3) != paired.p_sign_flip(d, seed=4)
    exact = scipy_stats.permutation_test(
        (d, np.zeros(21)), lambda x, y: np.sum(x - y), permutation_type="samples", n_resamples=20_000, rng=0
    )
    assert paired.p_sign_flip(d) == pytest.approx(exact.pvalue, abs=0.01)
    assert paired.p_sign_flip(np.ones(40)) == 1 / 100_000  # only the observed pattern


def test_holm_by_hand():
    p = np.array([0.01, 0.04, 0.03, 0.005, NAN])
    assert paired.holm(p)[:4] == pytest.approx([0.03, 0.06, 0.06, 0.02])
    assert math.isnan(paired.holm(p)[4])
    assert len(paired.holm(np.array([]))) == 0


def test_the_family_of_intervals_are_the_rows_with_a_p():
    assert paired.joint_level(np.array([0.01, NAN, 0.9]), 0.05) == 0.025
    assert paired.joint_level(np.array([NAN]), 0.05) == paired.joint_level(np.array([]), 0.05) == 0.05


def test_more_seeds_give_the_power_they_promise():
    d = np.random.default_rng(0).normal(0.001, 0.003, 10)
    further = int(paired.more_seeds(d, 0.0005, 0.05))
    n, mean, sd = 10 + further, d.mean(), d.std(ddof=1)
    assert paired.power_difference(mean, sd, n, 0.05) >= 0.8 > paired.power_difference(mean, sd, n - 1, 0.05)
    assert paired.power_difference(mean, sd, 7, 0.05) == pytest.approx(
        scipy_stats.nct.sf(scipy_stats.t.isf(0.025, 6), 6, math.sqrt(7) * mean / sd), abs=0.002
    )
    draws = np.random.default_rng(1).normal(mean, sd, (2000, n))
    assert (scipy_stats.ttest_1samp(draws, 0, axis=1).pvalue < 0.05).mean() == pytest.approx(0.8, abs=0.03)


def test_equivalence_power_by_simulation():
    n, mean, sd, margin = 12, 0.0005, 0.003, 0.004
    draws = np.random.default_rng(0).normal(mean, sd, (4000, n))
    below = scipy_stats.ttest_1samp(draws, margin, axis=1, alternative="less").pvalue
    above = scipy_stats.ttest_1samp(draws, -margin, axis=1, alternative="greater").pvalue
    simulated = (np.maximum(below, above) < 0.05).mean()
    assert paired.power_equivalence(mean, sd, margin, n, 0.05) == pytest.approx(simulated, abs=0.02)


@pytest.mark.parametrize("n", [3, 6, 20])
def test_t_intervals_cover(n):
    draws = np.random.default_rng(n).normal(0.03, 0.004, (600, n))
    ends = np.array([paired.interval(draw, 0.05) for draw in draws])
    covered = ((ends[:, 0] < 0.03) & (ends[:, 1] > 0.03)).mean()
    assert covered == pytest.approx(0.95, abs=0.03)


def test_family_wise_error_stays_below_five_percent():
    generator, wrong = np.random.default_rng(5), 0
    for _ in range(300):
        errors = generator.binomial(900, 0.033, (4, 8)) / 900
        d = errors[:3] - errors[3]
        wrong += (paired.holm(np.array([paired.p_difference(row) for row in d])) < 0.05).any()
    assert wrong / 300 < 0.08


def test_all_intervals_of_a_family_hold_together_with_95_percent():
    """Four real effects and one null against one baseline: intervals at the levels of Holm's steps reach 0.91."""
    generator, effects = np.random.default_rng(3), np.array([-4, -4, 4, 4, 0]) / 1000
    level, held, draws = paired.joint_level(np.full(5, 0.5), 0.05), 0, 2500
    for _ in range(draws):
        errors = generator.normal(0.03, 0.001, (6, 8))
        differences = errors[:5] - errors[5] + effects[:, None]
        ends = [paired.interval(d, level) for d in differences]
        held += all(low <= effect <= high for (low, high), effect in zip(ends, effects, strict=True))
    assert held / draws >= 0.95
