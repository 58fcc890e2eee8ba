"""The exact test by hand and against scipy, and the seeds that it needs."""

import math

import numpy as np
import pytest
from scipy import stats as scipy_stats

from senet_lab.results import signflip


def test_sign_flips_by_hand():
    ones = np.ones(6) / 900
    assert signflip.p_sign_flip(ones) == 2 / 64
    assert signflip.p_sign_flip(np.array([1, 1, 1, 1, 1, -1]) / 900) == 14 / 64  # |sum| >= 4: 1 + 6, twice
    assert signflip.p_sign_flip(np.zeros(6)) == 1
    assert math.isnan(signflip.p_sign_flip(ones[:5]))


@pytest.mark.parametrize("n", [7, 12])
def test_halves_are_matched_to_the_exact_value(n):
    """Of counts of images, so that ties abound."""
    d = np.random.default_rng(n).integers(-3, 6, n) / 900
    exact = scipy_stats.permutation_test((d, 0 * d), lambda x, y: np.sum(x - y), permutation_type="samples")
    assert signflip.p_sign_flip(d) == pytest.approx(exact.pvalue, abs=1e-12)


def test_many_pairs_are_drawn_reproducibly_and_near_the_exact_value():
    d = np.random.default_rng(2).normal(0.5, 1, 31)
    assert signflip.p_sign_flip(d, seed=3) == signflip.p_sign_flip(d, seed=3) != signflip.p_sign_flip(d, seed=4)
    exact, drawn = signflip.p_sign_flip(d[:30]), signflip.p_sign_flip(np.append(d[:30], 0.0))  # the same question
    assert drawn == pytest.approx(exact, abs=0.003)
    assert signflip.p_sign_flip(np.ones(40)) == 1 / 100_000  # only the observed pattern


@pytest.mark.parametrize(("family", "enough"), [(0, 6), (1, 6), (2, 7), (5, 8), (8, 9)])
def test_the_seeds_it_needs_are_the_fewest_that_can_reject(family, enough):
    """All differences of one sign give the smallest p there is; Holm's first step multiplies it by the family."""
    assert signflip.seeds_needed(family) == enough
    assert max(1, family) * signflip.smallest_p(enough) < 0.05 <= max(1, family) * signflip.smallest_p(enough - 1)
    assert signflip.p_sign_flip(np.arange(1.0, enough + 1)) == signflip.smallest_p(enough)
