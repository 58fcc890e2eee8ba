"""What is said beside the numbers, and when it is left out."""

import re

import numpy as np
import pytest

from senet_lab.outlook import about_seeds
from senet_lab.results import captions, paired, stats

NOISE = np.array([1, -1, 2, -2, 1, -1, 0, 0]) / 1000
BASE = np.full(8, 0.03)


@pytest.fixture
def said(make):
    """The caption of rows label -> errors, the last being the baseline."""

    def caption(rows, wanted=None, margin=0.005):
        trials, frame = make.frames(rows, wanted)
        summary, comparison = (
            stats.summarise(trials, frame),
            stats.compare(trials, frame, make.against(frame, [*rows][-1]), margin),
        )
        return captions.table(summary, comparison, list(rows)[-1], margin, int(frame["wanted"].max()))

    return caption


def test_intervals_say_how_they_hold_and_verdicts_by_what_test(said):
    several = said({"a": BASE + NOISE, "b": BASE - 2 * NOISE, "base": BASE})
    assert "the 2 intervals hold jointly at 95 % (Student t, Bonferroni)" in several
    assert "Better, worse: paired t test, Holm-adjusted p < .05." in several
    single = said({"a": BASE + NOISE, "base": BASE})
    assert "paired by seed; 95 % Student-t interval. Better, worse: paired t test, p < .05." in single
    assert "Holm" not in single


def test_rows_that_holm_finds_beyond_their_interval_are_named(said):
    rows = {"clear": 0.026 + NOISE, "close": 0.0288 + NOISE, "base": BASE}  # p of "close" is .036
    assert "finds more than joint intervals do: close, though the interval includes 0." in said(rows, margin=0.001)
    assert "finds more" not in said(rows | {"close": 0.028 + NOISE})


def test_adding_seeds_is_left_to_the_command_that_keeps_the_level(said):
    rows = {"near": BASE + 0.0008 + NOISE, "far": BASE + 0.0005 + NOISE, "base": BASE}
    text = said(rows, margin=0.0006)
    assert "that row and base one after another, the latter counted in every row." in text
    assert text.endswith(stats.LOOKING_AGAIN) and "`--until-decided`" in text and "--seeds" not in text


def test_seeds_that_are_missing_already_are_not_sold_as_more(said):
    rows = {"near": BASE + 0.0008 + NOISE, "base": BASE}
    enough = 8 + int(paired.more_seeds(rows["near"] - BASE, 0.0006, 0.05))
    asked_for = said(rows, wanted=enough, margin=0.0006)
    assert "More seeds" in asked_for and "--until-decided" not in asked_for
    assert "--until-decided" in said(rows, wanted=enough - 1, margin=0.0006)


def test_nothing_is_advised_where_a_row_needs_more_seeds_than_there_may_be(said):
    hopeless = {"hopeless": BASE + 10 * NOISE[[0, 1] * 4] + 1e-6, "base": BASE}
    text = said({"near": BASE + 0.0008 + NOISE} | hopeless, margin=0.00006)
    assert "More seeds" in text and "--" not in text


def test_counterparts_have_words_and_cost_what_the_two_take(make):
    rows = {"A": BASE, "SE-A": BASE + 0.0008 + NOISE, "B": BASE, "SE-B": BASE + NOISE / 9}
    trials, frame = make.frames(rows)
    comparison = stats.compare(trials, frame, {"SE-A": "A", "SE-B": "B"}, 0.0006)
    question = make.question(
        variants={"A": {}, "SE": {"model.se.reduction": 2}}, counterpart={"model.se": None}, controls=()
    )
    words = captions.compared_to(question.sweep, {})
    text = captions.table(stats.summarise(trials, frame), comparison, words, 0.0006, 8)
    assert "difference to the same network without SE, paired by seed; the 2 intervals" in text
    assert "the time is of that row and the one that it is compared to, one after another." in text
    assert "1 point," in captions.table(stats.summarise(trials, frame), comparison, words, 0.01, 8)


def test_other_counterparts_are_named_by_their_settings(make):
    grid = {"model.se.gate": ("sigmoid", "tanh"), "model.se.reduction": (2, 4)}
    question = make.question(grid=grid, counterpart={"model.se.gate": "sigmoid"}, controls=())
    assert captions.compared_to(question.sweep, {}) == "the same row with model.se.gate=sigmoid"


def test_nothing_open_costs_nothing(said):
    assert "More seeds" not in said({"a": BASE - 0.01 + NOISE, "base": BASE})
    assert "More seeds" not in said({"a": [0.03], "base": [0.02]})  # nothing to plan with


def test_hopeless_rows_have_no_number_of_seeds(said):
    assert "--" not in said({"a": [0.035, 0.025, 0.035, 0.025], "base": [0.03] * 4}, margin=1e-6)


def test_ties_and_sign_flips_are_explained(said):
    assert "No interval: all differences of the row are equal, so there is no t; p is" in said(
        {"a": [0.03, 0.04], "base": [0.02, 0.03]}
    )
    few = said({"a": [0.03, 0.04, 0.02], "base": [0.02, 0.02, 0.02]})
    assert "With fewer than 6 common seeds only t tests can find a difference here: sign-flip tests, which" in few
    assert "less, cannot reach .05. More seeds: " in few
    assert "sign-flip" not in said({"a": BASE + NOISE, "base": BASE})


@pytest.mark.parametrize("rows", [1, 2, 5])
@pytest.mark.parametrize("seeds", [3, 6, 7, 8])
def test_the_report_names_the_seeds_that_the_plan_names(said, rows, seeds):
    """Holm's first step over five comparisons asks the sign-flip test for eight seeds, not six."""
    drawn = np.random.default_rng(0).normal(0.03, 0.002, (rows + 1, seeds))
    report = re.search(r"With fewer than (\d+) common seeds", said(dict(zip("abcdef", drawn, strict=False))))
    plan = re.search(r"below (\d+) seeds", about_seeds(seeds, rows))
    assert (report and report[1]) == (plan and plan[1])


def test_a_family_says_what_it_has_no_data_of(said):
    rows = {"a": BASE + NOISE, "b": BASE - 2 * NOISE}
    assert "Holm over" not in said(rows | {"base": BASE})
    assert "Holm over 3 comparisons, of which 1 has no data yet." in said(rows | {"c": [], "base": BASE})
    text = said(rows | {"c": [], "d": [0.03], "base": BASE})
    assert "Holm over 4 comparisons, of which 2 have too few seeds yet." in text
    assert "the 4 intervals hold jointly" in text
    assert "Holm over" not in said({"a": [], "base": BASE})


def test_plans_say_what_they_take_for_true(said):
    rows = {"near": BASE + 0.0008 + NOISE, "base": BASE}
    assert "the observed difference is the true one and the spread its upper 80 % confidence limit (Browne 1995)" in (
        said(rows, margin=0.0006)
    )
    assert "More seeds" not in said({"a": [0.03, 0.04], "base": [0.02, 0.04]})  # two seeds plan nothing


def test_what_the_intervals_leave_out(make):
    trials, frame = make.frames({"a": BASE + NOISE, "b": BASE - NOISE, "base": BASE})
    summary, comparison = (
        stats.summarise(trials, frame),
        stats.compare(trials, frame, make.against(frame, "base"), 0.01),
    )
    assert "test images" not in captions.table(summary, comparison, "base", 0.01, 8)
    summary, comparison = summary.assign(images=10_000), comparison.assign(delta_se_test=[0.0011, 0.0024])
    text = captions.table(summary, comparison, "base", 0.01, 8)
    assert "other seeds on these 10,000 test images" in text
    assert "another test set of that size would move a difference by up to about ±0.2 points more (1 SE)." in text
    little = captions.table(summary, comparison.assign(delta_se_test=0.0), "base", 0.01, 8)
    assert "another test set of that size adds less than these seeds can show." in little


def test_an_empty_table_has_a_caption(said):
    assert "of all 4 trials 4 are missing" in said({"a": [], "base": []}, wanted=2)


def test_missing_trials_are_of_all_rows(said):
    """92 missing trials of 120 must not read as 92 of the 20 seeds."""
    text = said({"a": [0.03, 0.04], "base": [0.02, 0.03, 0.04]})
    assert text.startswith("n: trials of a row, one for each of 3 seeds; of all 6 trials 1 is missing. ")
    assert "missing" not in said({"a": [0.03, 0.04], "base": [0.02, 0.03]})
