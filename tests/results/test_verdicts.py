"""Known worlds through the code that makes reports; benchmarks/verdicts.py is the longer run, with its numbers.

Every bound leaves three Monte Carlo standard errors. Student's t replaced by the normal, Holm or Bonferroni left
out, or a plan by the spread as seen, all break one of them.
"""

import math

import numpy as np
import pytest

from benchmarks import verdicts


def draw(seed: int = 0) -> np.random.Generator:
    return np.random.default_rng([7, seed])


def noise(share: float, draws: int) -> float:
    return 3 * math.sqrt(share * (1 - share) / draws)


@pytest.mark.parametrize(("n", "images"), [(3, 0), (8, 0), (3, 891)])
def test_intervals_cover(n, images):
    (case,) = verdicts.coverage(draw(), 600, n, images)
    assert case["share"] == pytest.approx(0.95, abs=noise(0.95, 600))


def test_a_family_of_ten_equals_is_rarely_told_apart():
    false, joint = verdicts.families(draw(), 100, n=5, images=0)
    assert false["share"] <= 0.05 + noise(0.05, 100)
    assert joint["share"] >= 0.95 - noise(0.95, 100)


def test_a_family_of_ten_at_the_margin_is_rarely_equivalent():
    (false,) = verdicts.at_margin(draw(), 80, n=8, images=0)
    assert false["share"] <= 0.05 + noise(0.05, 80)


@pytest.mark.parametrize(("n", "effect", "sd"), [(3, 0.004, 0.002), (8, 0.002, 0.005)])
def test_power_is_what_is_promised(n, effect, sd):
    for case in verdicts.powers(draw(), 500, n, effect, sd):
        assert case["share"] == pytest.approx(case["promised"], abs=noise(case["promised"], 500))


def test_plans_are_large_enough_and_reach_their_power():
    (reached,) = verdicts.further(draw(), 500, n=5, effect=0.004, sd=0.003)
    assert reached["share"] >= 0.8 - noise(0.8, 500)
    by_limit, as_seen, _ = verdicts.plans(draw(), 60, n=5, effect=0.004, sd=0.008)
    assert by_limit["share"] >= 0.8 - noise(0.8, 60)
    assert as_seen["share"] < 0.7
