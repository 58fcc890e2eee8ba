"""Which rows are the best, against scipy and statsmodels."""

import itertools

import numpy as np
import pandas as pd
import pytest
from scipy import stats as scipy_stats
from statsmodels.stats.multitest import multipletests

from senet_lab.results.best import best

NAN = float("nan")


NONE = pd.DataFrame({"variant": [], "baseline": [], "verdict": []})


def told(make, rows, comparison=NONE):
    frame = best(*make.frames(rows), comparison).set_index("variant")
    return frame["best"].to_dict(), frame["p"].to_dict()


def test_all_pairs_are_the_family(make):
    errors = np.random.default_rng(4).normal([[0.030], [0.031], [0.036], [0.033]], 0.002, (4, 8))
    rows = dict(zip("abcd", errors, strict=True))
    claims, p = told(make, rows)
    pairs = list(itertools.combinations("abcd", 2))
    raw = [scipy_stats.ttest_rel(rows[a], rows[b]).pvalue for a, b in pairs]
    expected = dict(zip(pairs, multipletests(raw, method="holm")[1], strict=True))
    assert min(rows, key=lambda label: rows[label].mean()) == "a"
    assert [p[label] for label in "bcd"] == pytest.approx([expected["a", label] for label in "bcd"])
    assert claims == {"a": True, "b": expected["a", "b"] >= 0.05, "c": False, "d": expected["a", "d"] >= 0.05}
    assert np.isnan(p["a"])


def test_seeds_that_both_rows_have_are_compared_whatever_their_order(make):
    errors = {"a": [0.030, 0.031, NAN, 0.033, 0.035], "b": [0.031, NAN, 0.030, 0.036, 0.037]}
    trials, rows = make.frames(errors)
    both = [0, 3, 4]
    expected = scipy_stats.ttest_rel([errors["b"][s] for s in both], [errors["a"][s] for s in both]).pvalue
    for own in (trials, trials[::-1], trials.sample(frac=1, random_state=1)):
        assert best(own, rows, NONE)["p"].tolist() == [pytest.approx(NAN, nan_ok=True), pytest.approx(expected)]


def test_a_look_is_as_strict_as_what_it_spends(make):
    errors = np.random.default_rng(4).normal([[0.030], [0.034]], 0.002, (2, 8))
    frames = make.frames(dict(zip("ab", errors, strict=True)))
    p = best(*frames, NONE)["p"][1]
    assert best(*frames, NONE, 1.01 * p)["best"].tolist() == [True, False]
    assert best(*frames, NONE, 0.99 * p)["best"].tolist() == [True, True]


def test_rows_without_trials_are_not_the_best_but_count_in_the_family(make):
    noise = np.array([1, -1, 2, -2, 1, -1]) / 1000
    rows = {"a": 0.030 + noise, "b": 0.0315 - noise[::-1] / 2}
    _, alone = told(make, rows)
    claims, with_others = told(make, rows | {"c": [], "d": []})
    assert (claims["c"], claims["d"]) == (False, False)
    assert with_others["b"] == pytest.approx(min(1, 6 * alone["b"]))


def test_what_cannot_be_tested_is_not_told_apart(make):
    claims, _ = told(make, {"a": [0.03, 0.031, 0.03], "once": [0.05], "elsewhere": [NAN, NAN, NAN, 0.05, 0.06]})
    assert claims == {"a": True, "once": True, "elsewhere": True}


def test_equal_means_share_the_place_and_nothing_has_none(make):
    assert told(make, {"a": [0.03, 0.04], "b": [0.04, 0.03]})[0] == {"a": True, "b": True}
    assert told(make, {"a": [], "b": []})[0] == {"a": False, "b": False}


def test_a_row_that_is_better_where_both_ran_is_not_told_apart(make):
    """The lowest mean comes of an easy seed that the other row does not have."""
    both = np.array([30, 31, 30, 32, 31, 30]) / 900
    lucky, other = np.append(both + 5 / 900 + np.array([1, 0, 0, 1, 0, 1]) / 9000, 0.0), both
    claims, p = told(make, {"lucky": lucky, "other": other})
    assert lucky.mean() < other.mean() and p["other"] < 0.05
    assert claims == {"lucky": True, "other": True}


def test_what_the_sweep_calls_worse_than_the_lowest_is_not_the_best(make):
    """The sweep's own family is smaller than all pairs, so its verdict may tell more."""
    rows = {"base": [0.03, 0.032, 0.031], "a": [0.032, 0.033, 0.035], "b": [0.031, 0.034, 0.033]}
    verdicts = pd.DataFrame({"variant": ["a", "b"], "baseline": "base", "verdict": ["worse", "undecided"]})
    assert told(make, rows)[0] == {"base": True, "a": True, "b": True}
    assert told(make, rows, verdicts)[0] == {"base": True, "a": False, "b": True}
    turned = pd.DataFrame({"variant": ["base"], "baseline": ["a"], "verdict": ["better"]})
    assert told(make, rows, turned)[0] == {"base": True, "a": False, "b": True}
