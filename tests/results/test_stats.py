"""Statements about rows, against hand-computed matrices and scipy."""

import math

import numpy as np
import pandas as pd
import pytest
from scipy import stats as scipy_stats
from statsmodels.stats.multitest import multipletests

from senet_lab.results import stats

NAN = math.nan
NOISE = np.array([1, -1, 2, -2, 1, -1, 0, 0]) / 1000
HOLM_FINDS_MORE = {"clear": 0.026 + NOISE, "close": 0.0288 + NOISE, "base": np.full(8, 0.03)}
"""p of "close" lies between .05 / 2 and .05."""


def one(make, variant, baseline, margin=0.005):
    """The comparison of two rows."""
    return stats.compare(*make.frames({"a": variant, "base": baseline}), {"a": "base"}, margin).squeeze(axis=0)


def test_summary_by_hand(make):
    summary = stats.summarise(*make.frames({"a": [0.02, 0.03, 0.04], "b": [0.05], "c": []}))
    a, b, c = (row for _, row in summary.iterrows())
    assert (a["n"], a["mean"], a["sd"]) == (3, pytest.approx(0.03), pytest.approx(0.01))
    assert a["ci_high"] - a["mean"] == pytest.approx(4.302653 * 0.01 / math.sqrt(3), rel=1e-6)  # t(.975, 2)
    assert (b["n"], b["mean"]) == (1, 0.05)
    assert np.isnan([b["sd"], b["ci_low"], c["mean"], c["sd"], c["ci_low"], c["seconds"]]).all()
    assert (c["n"], c["wanted"]) == (0, 3)


def test_comparison_is_over_common_seeds_only(make):
    row = one(make, [0.03, 0.02, NAN, 0.04, 0.03], [0.02, 0.02, 0.09, 0.02])
    assert row["n_pairs"] == 3
    assert row["delta"] == pytest.approx((0.01 + 0 + 0.02) / 3)
    assert row["p"] == pytest.approx(scipy_stats.ttest_rel([0.03, 0.02, 0.04], [0.02, 0.02, 0.02]).pvalue)
    assert math.isnan(row["p_signflip"])


def test_p_values_agree_with_scipy(make):
    a, b = np.random.default_rng(1).integers(20, 40, (2, 12)) / 900
    row, d = one(make, a, b), a - b
    test = scipy_stats.ttest_rel(a, b)
    low, high = test.confidence_interval(0.95)
    assert row[["p", "delta_low", "delta_high"]].tolist() == pytest.approx([test.pvalue, low, high])
    tost = [scipy_stats.ttest_1samp(d, s * 0.005, alternative=w).pvalue for s, w in ((1, "less"), (-1, "greater"))]
    assert row["p_tost"] == pytest.approx(max(tost))
    exact = scipy_stats.permutation_test((a, b), lambda x, y: np.mean(x - y), permutation_type="samples")
    assert row["p_signflip"] == pytest.approx(exact.pvalue)
    assert row["correlation"] == pytest.approx(scipy_stats.pearsonr(a, b).statistic)
    assert row["p_better"] == pytest.approx(
        scipy_stats.t(11, d.mean(), d.std(ddof=1) * math.sqrt(13 / 12)).cdf(0),
    )


@pytest.mark.parametrize("seed", range(20))
def test_where_an_interval_excludes_zero_holm_rejects_and_holm_decides(make, seed):
    errors = np.random.default_rng(seed).normal([[0.03], [0.028], [0.0275], [0.0285], [0.03]], 0.002, (5, 8))
    comparison = stats.compare(*make.frames(dict(zip("abcde", errors, strict=True))), dict.fromkeys("abcd", "e"), 0.005)
    excludes, rejected = (comparison["delta_low"] > 0) | (comparison["delta_high"] < 0), comparison["p_holm"] < 0.05
    assert not (excludes & ~rejected).any()
    assert (rejected == comparison["verdict"].isin(["better", "worse"])).all()


def test_corrections_cover_all_that_is_asked_for_also_rows_without_data(make):
    """A trial that fails, or code that changes, must not make the other rows' verdicts easier."""
    a, b, base = np.random.default_rng(2).integers(20, 40, (3, 9)) / 900
    rows = {"a": a, "b": b, "once": [0.03], "none": [], "base": base}
    comparison = stats.compare(*make.frames(rows), dict.fromkeys(["a", "b", "once", "none"], "base"), 0.005)
    tests = [scipy_stats.ttest_rel(row, base) for row in (a, b)]
    expected = [test.confidence_interval(1 - 0.05 / 4) for test in tests]
    assert comparison[["delta_low", "delta_high"]].to_numpy()[:2] == pytest.approx(np.array(expected))
    assert comparison["level"].tolist()[:2] == [0.0125, 0.0125]
    assert comparison["p_holm"].tolist()[:2] == pytest.approx(
        multipletests([*(test.pvalue for test in tests), 1, 1], method="holm")[1][:2]
    )
    assert comparison.loc[2:, ["level", "delta_low", "delta_high", "p", "p_holm", "p_tost_holm"]].isna().all(axis=None)
    assert comparison["family"].tolist() == [4] * 4


def test_a_look_may_be_stricter_than_the_next(make):
    """A sequential rule spends its alpha in parts: verdicts and intervals are those of the alpha of the call."""
    noise = np.array([1, -1, 2, -2, 1, -1, 0, 0]) / 1000
    frames = make.frames({"a": 0.0288 + noise, "base": np.full(8, 0.03)})
    usual, strict = (stats.compare(*frames, {"a": "base"}, 0.001, alpha).iloc[0] for alpha in (0.05, 0.001))
    assert usual["p"] == strict["p"] and 0.001 < usual["p"] < 0.05
    assert (usual["verdict"], strict["verdict"]) == ("better", "undecided")
    assert (strict["alpha"], strict["level"]) == (0.001, 0.001)
    assert strict["delta_high"] - strict["delta_low"] > usual["delta_high"] - usual["delta_low"]
    assert strict["more_seeds"] >= 1
    assert stats.interval_name(pd.DataFrame([strict])) == "99.9 %"


def test_intervals_are_called_joint_where_there_are_several(make):
    rows = {"a": [0.03, 0.02], "b": [0.02, 0.02], "base": [0.02, 0.03]}
    several, single = (
        stats.compare(*make.frames(rows), dict.fromkeys(asked, "base"), 0.005) for asked in (["a", "b"], ["a"])
    )
    assert (stats.interval_name(several), stats.interval_name(single)) == ("joint 95 %", "95 %")


def test_an_interval_of_an_error_ends_at_zero(make):
    summary = stats.summarise(*make.frames({"a": [0.0, 0.01], "b": [0.3, 0.31]}))
    assert summary["ci_low"].tolist()[0] == 0 < summary["ci_low"].tolist()[1]


def test_holm_may_find_what_the_joint_interval_does_not(make):
    found = make.frames(HOLM_FINDS_MORE)
    comparison = stats.compare(*found, {"clear": "base", "close": "base"}, 0.001)
    assert comparison["verdict"].tolist() == ["better", "better"]
    assert comparison["delta_high"][0] < 0 < comparison["delta_high"][1]


def test_the_four_verdicts(make):
    noise = np.array([1, -1, 2, -2, 1, -1, 0, 0]) / 10_000
    base = np.full(8, 0.03) + 3 * noise
    rows = {"lower": base - 0.01, "higher": base + 0.01, "same": base, "open": base + 100 * noise, "base": base}
    rows = {label: errors + (label != "base") * noise[::-1] for label, errors in rows.items()}
    comparison = stats.compare(*make.frames(rows), dict.fromkeys([*rows][:-1], "base"), 0.005)
    assert comparison["verdict"].tolist() == ["better", "worse", "equivalent", "undecided"]
    texts = [stats.verdict_text(row) for _, row in comparison.iterrows()]
    assert texts[:3] == ["better", "worse", "equivalent (within 0.5 points)"]
    assert texts[3].startswith("undecided: about ")


def test_a_difference_that_is_real_but_below_the_margin_says_both(make):
    noise = np.array([1, -1, 2, -2, 1, -1]) / 10_000
    row = one(make, 0.029 + noise, 0.03 - noise)
    assert stats.verdict_text(row) == "better (within 0.5 points)"


@pytest.mark.parametrize(
    ("variant", "baseline"),
    [([], []), ([], [0.03] * 4), ([0.03] * 4, []), ([0.03], [0.02]), ([0.03, NAN], [NAN, 0.02])],
)
def test_too_few_pairs_say_so(make, variant, baseline):
    row = one(make, variant, baseline)
    assert row["verdict"] == "undecided"
    assert stats.verdict_text(row) == "undecided: fewer than 2 common seeds"
    assert row[["delta_low", "p", "p_holm", "p_tost", "p_better", "more_seeds"]].isna().all()


def test_a_few_equal_differences_prove_nothing(make):
    row = one(make, [0.03, 0.04, 0.05], [0.02, 0.03, 0.04])
    assert (row["verdict"], row["p"]) == ("undecided", 0.25)
    assert math.isnan(row["delta_low"]) and math.isnan(row["more_seeds"])
    assert stats.verdict_text(row) == "undecided: too few seeds to say how many more"


def test_two_seeds_plan_nothing(make):
    row = one(make, [0.03, 0.04], [0.02, 0.04])
    assert stats.verdict_text(row) == "undecided: too few seeds to say how many more"
    assert math.isnan(row["more_seeds"]) and math.isnan(row["more_seconds"])


def test_many_equal_differences_do(make):
    errors = np.arange(20, 28) / 900
    tied, shifted = one(make, errors, errors), one(make, errors - 9 / 900, errors)
    assert (tied["verdict"], tied["delta"], tied["p"]) == ("equivalent", 0, 1)
    assert (shifted["verdict"], shifted["p"], shifted["delta"]) == ("better", 2**-7, pytest.approx(-0.01))
    assert all(math.isnan(row[end]) for row in (tied, shifted) for end in ("delta_low", "delta_high"))


def test_nothing_to_compare(make):
    assert stats.compare(*make.frames({"base": [0.03, 0.04]}), {}, 0.005).empty
    absent = stats.compare(*make.frames({"a": [0.03, 0.04]}), {"a": "not run"}, 0.005)
    assert absent["verdict"].tolist() == ["undecided"]


def test_each_row_is_compared_to_its_own_baseline_in_one_family(make):
    """Networks of different difficulty: no row is better than its own counterpart by what another one is better."""
    a, a_se, b, b_se = np.random.default_rng(3).normal([[0.02], [0.018], [0.2], [0.201]], 0.002, (4, 9))
    trials, rows = make.frames({"A": a, "SE-A": a_se, "B": b, "SE-B": b_se, "alone": b})
    trials.loc[trials["variant"].isin(["B", "SE-B"]), "seconds"] = 10.0
    comparison = stats.compare(trials, rows, {"SE-B": "B", "SE-A": "A"}, 0.0005)
    assert comparison[["variant", "baseline"]].to_numpy().tolist() == [["SE-A", "A"], ["SE-B", "B"]]
    expected = [scipy_stats.ttest_rel(*pair) for pair in ((a_se, a), (b_se, b))]
    assert comparison["p"].tolist() == pytest.approx([test.pvalue for test in expected])
    assert comparison["level"].tolist() == [0.025, 0.025]
    assert comparison["delta_low"].tolist() == pytest.approx([t.confidence_interval(0.975).low for t in expected])
    each = (comparison["more_seconds"] / comparison["more_seeds"]).tolist()
    assert each[1] == 20.0 and (each[0] == 4.0 or math.isnan(each[0]))


def test_a_row_may_be_baseline_and_variant(make):
    rows = {"a": [0.01, 0.02], "b": [0.02, 0.02], "c": [0.05, 0.04]}
    comparison = stats.compare(*make.frames(rows), {"a": "b", "b": "c"}, 0.005)
    assert comparison["delta"].tolist() == pytest.approx([-0.005, -0.025])


def test_cost_counts_both_rows_and_hopeless_cases_say_so(make):
    row = one(make, [0.030, 0.033, 0.030], [0.031, 0.031, 0.031], margin=0.001)
    assert row["more_seconds"] == row["more_seeds"] * 4.0
    hopeless = one(make, [0.035, 0.025, 0.035, 0.025], [0.030] * 4, margin=1e-6)
    assert stats.verdict_text(hopeless) == "undecided: more than 10,000 more seeds"


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0.2, "1 s"), (89, "89 s"), (240, "4 min"), (7200, "2 h"), (864_000, "10 days"), (NAN, "time unknown")],
)
def test_durations(seconds, text):
    assert stats.duration(seconds) == text


def test_frames_are_functions_of_their_input(frames, make):
    first, second = (stats.compare(*frames, make.against(frames[1]), 0.005) for _ in range(2))
    pd.testing.assert_frame_equal(first, second)
    assert stats.summarise(*frames)["n"].tolist() == [20, 20, 18, 20, 20, 20]
