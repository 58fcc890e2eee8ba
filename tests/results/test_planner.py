"""Seeds for a difference: against statsmodels' power, published tables and closed forms."""

import math

import numpy as np
import pandas as pd
import pytest
from scipy import stats as scipy_stats
from statsmodels.stats.power import TTestPower

from senet_lab.results import paired, planner

POWER = TTestPower()
ERRORS = np.array([30, 33, 28, 31, 35, 29, 32, 30]) / 900
SHIFTED = ERRORS + np.array([1, -2, 3, 0, 2, -1, 4, 1]) / 900


def aim(**changes):
    return planner.Aim(**({"detect": 0.002, "margin": 0.005, "assumed": 0.01} | changes))


def one(make, variant, baseline, **changes):
    """The line of a single comparison."""
    trials, rows = make.frames({"v": variant, "base": baseline})
    return planner.needs(trials, rows, {"v": "base"}, aim(**changes)).iloc[0]


@pytest.mark.parametrize(("n", "near"), [(3, 0.03), (8, 2e-3), (20, 1e-3), (150, 1e-3)])
@pytest.mark.parametrize("level", [0.05, 0.01])
def test_the_smallest_difference_is_that_of_statsmodels(n, near, level):
    """At n = 3 the power's 400 quantiles of the spread are coarse."""
    expected = POWER.solve_power(effect_size=None, nobs=n, alpha=level, power=0.8, alternative="two-sided")
    assert planner.detectable(n, level) == pytest.approx(float(expected), rel=near)


@pytest.mark.parametrize(("difference", "sd"), [(0.002, 0.006), (0.002, 0.001), (0.01, 0.01)])
@pytest.mark.parametrize("level", [0.05, 0.01])
def test_the_seeds_are_those_of_statsmodels(difference, sd, level):
    exact = POWER.solve_power(effect_size=difference / sd, nobs=None, alpha=level, power=0.8, alternative="two-sided")
    assert planner.seeds_to_detect(difference, sd, level) == math.ceil(np.asarray(exact).item())


def test_a_textbook_plan():
    """Half a standard deviation, two-sided .05, power .8: 34 pairs (Cohen 1988, n by the noncentral t)."""
    assert planner.seeds_to_detect(0.5, 1.0, 0.05) == 34


def test_seeds_and_smallest_difference_are_one_question():
    for level in (0.05, 0.005):
        n = int(planner.seeds_to_detect(0.3, 1.0, level))
        assert planner.detectable(n, level) <= 0.3 < planner.detectable(n - 1, level)


def test_equivalence_by_simulation():
    """With the seeds of the plan, two one-sided tests find equivalence in four of five data sets."""
    n = int(planner.seeds_for_equivalence(0.5, 1.0, 0.05))
    draws = np.random.default_rng(5).normal(0, 1, (4000, n))
    error = draws.std(axis=1, ddof=1) / math.sqrt(n)
    reach = scipy_stats.t.isf(0.05, n - 1) * error
    power = float(np.mean(np.abs(draws.mean(axis=1)) + reach < 0.5))
    assert 0.8 - 3 * 0.0063 < power < 0.83
    assert paired.power_equivalence(0.0, 1.0, 0.5, n - 1, 0.05) < 0.8


def test_the_interval_of_the_spread_is_the_chi_square_one(make):
    """s^2 (n - 1) / chi2: of eight differences, chi2 quantiles 1.690 and 16.013 with 7 degrees of freedom."""
    line = one(make, SHIFTED, ERRORS)
    sd = (SHIFTED - ERRORS).std(ddof=1)
    assert line["n_pairs"] == 8 and line["source"] == "seen" and line["spread"] == pytest.approx(sd)
    assert line["spread_low"] == pytest.approx(sd * math.sqrt(7 / 16.0128), rel=1e-4)
    assert line["spread_high"] == pytest.approx(sd * math.sqrt(7 / 1.68987), rel=1e-4)
    assert line["spread_safe"] == pytest.approx(sd * math.sqrt(7 / 3.82232), rel=1e-4)  # the lower fifth


def test_what_is_found_is_as_sure_as_the_spread(make):
    line = one(make, SHIFTED, ERRORS)
    for end in ("", "_low", "_high"):
        assert line[f"finds{end}"] / line[f"spread{end}"] == pytest.approx(planner.detectable(8, 0.05))
    assert line["seeds_safe"] > line["seeds"] and line["equivalent_safe"] >= line["equivalent"]


def test_the_level_is_holms_first_step_over_all_that_is_asked(make):
    trials, rows = make.frames({"a": SHIFTED, "b": [], "base": ERRORS})
    frame = planner.needs(trials, rows, {"a": "base", "b": "base"}, aim())
    assert frame["level"].tolist() == [0.025, 0.025]
    assert frame["n_pairs"].tolist() == [8, 0]
    assert frame["source"].tolist() == ["seen", "assumed"]


@pytest.mark.parametrize("differences", [[], [0.001], [0.001, 0.001, 0.001]])
def test_without_a_spread_one_is_assumed(make, differences):
    line = one(make, ERRORS[: len(differences)] + np.array(differences), ERRORS)
    assert (line["source"], line["spread"], line["spread_safe"]) == ("assumed", 0.01, 0.01)
    assert math.isnan(line["spread_low"]) and line["seeds"] == line["seeds_safe"]
    assert math.isnan(line["finds"]) == (len(differences) < 2)


def test_a_spread_that_is_given_replaces_what_is_seen(make):
    line = one(make, SHIFTED, ERRORS, spread=0.004)
    assert (line["source"], line["spread"]) == ("given", 0.004)
    assert line["seeds"] == line["seeds_safe"] == planner.seeds_to_detect(0.002, 0.004, 0.05)


def test_the_assumed_spread_is_of_two_binomial_shares():
    """By drawing the wrong images of two networks that know nothing of each other."""
    wrong = np.random.default_rng(1).binomial(900, 0.05, (2, 20_000)) / 900
    assert planner.independent_spread(900) == pytest.approx((wrong[0] - wrong[1]).std(), rel=0.02)


def test_more_than_ten_thousand_seeds_are_no_number(make):
    line = one(make, SHIFTED, ERRORS, detect=1e-6, margin=1e-6)
    assert line[["seeds", "seeds_safe", "equivalent", "equivalent_safe"]].isna().all()


def test_pairs_are_the_common_seeds_in_order():
    trials = pd.DataFrame(
        [("v", 3, 0.5), ("v", 0, 0.25), ("v", 1, 0.125), ("base", 0, 0.125), ("base", 3, 0.25), ("base", 2, 0.5)],
        columns=["variant", "seed", "test_error"],
    )
    found = planner.pairs(trials, {"v": "base", "w": "base"})
    assert found["v"].seeds.tolist() == [0, 3] and found["v"].differences.tolist() == [0.125, 0.25]
    assert len(found["w"].seeds) == 0
