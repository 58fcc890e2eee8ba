"""What seeds and test images contribute: a known model, statsmodels' analysis of variance, and by hand."""

import math

import numpy as np
import pandas as pd
import pytest
from scipy.stats import multivariate_normal, norm
from statsmodels.formula.api import ols
from statsmodels.stats.anova import anova_lm

from senet_lab.results import load, parts, stats


def answers(correct, seeds=None, images=None):
    correct = np.array(correct, dtype=bool)
    return load.Answers(tuple(seeds or range(len(correct))), correct, images or ("data", correct.shape[1]))


@pytest.mark.parametrize("low", [0, -1])
def test_mean_squares_are_those_of_statsmodels(low):
    y = np.random.default_rng(3).integers(low, 2, (4, 7)).astype(np.int8)
    y[:, :3] = np.maximum(y[:, :3], y[0, :3])
    seed, image = np.indices(y.shape).reshape(2, -1)
    table = anova_lm(ols("y ~ C(seed) + C(image)", pd.DataFrame({"y": y.ravel(), "seed": seed, "image": image})).fit())
    squares = table["mean_sq"]
    assert squares["C(image)"] > squares["Residual"]
    expected = math.sqrt(squares["C(seed)"] / 28), math.sqrt((squares["C(image)"] - squares["Residual"]) / 28)
    assert parts.split(y) == pytest.approx(expected)


def test_by_hand():
    """Two seeds, four images; one image is always wrong, one once: mean squares 1/8, 11/24 and 1/8."""
    found = parts.split(np.array([[1, 1, 0, 0], [1, 0, 0, 0]], dtype=np.int8))
    assert found == pytest.approx((math.sqrt(1 / 64), math.sqrt((11 / 24 - 1 / 8) / 8)))


def test_known_variances_are_found():
    """Thresholds of a normal sum: the variances of the 0/1 outcomes' parts follow from orthant probabilities."""
    generator, seeds, images = np.random.default_rng(1), 12, 900
    found = []
    for _ in range(60):
        sums = generator.normal(0, 1, (images,)) + generator.normal(0, 0.3, (seeds, 1))
        found.append(parts.split((sums + generator.normal(0, 1, (seeds, images)) > 1.5).astype(np.int8)))
    total = 1 + 0.3**2 + 1
    p = norm.sf(1.5 / math.sqrt(total))
    image, seed = _covariance(1 / total, p), _covariance(0.3**2 / total, p)
    rest = p * (1 - p) - image - seed
    variances = np.square(found).mean(axis=0)
    assert variances[1] == pytest.approx(image / images, rel=0.05)
    assert variances[0] == pytest.approx((seed + rest / images) / seeds, rel=0.25)


def _covariance(correlation, p):
    """Of two indicators that a standard normal pair exceeds the same threshold, each with probability p."""
    at = norm.ppf(p)
    return multivariate_normal([0, 0], [[1, correlation], [correlation, 1]]).cdf([at, at]) - p * p


def test_seeds_contribute_what_the_interval_knows():
    correct = np.random.default_rng(2).random((6, 50)) < 0.8
    errors = 1 - correct.mean(axis=1)
    assert parts.of_row(answers(correct)).seeds == pytest.approx(errors.std(ddof=1) / math.sqrt(6))


def test_without_a_trace_of_the_images_they_add_nothing():
    assert parts.split(np.array([[1, 0], [0, 1]], dtype=np.int8)).test == 0.0


def test_differences_are_paired_by_seed_and_image():
    ours = answers([[1, 1, 0, 1], [1, 1, 1, 1], [0, 0, 0, 0]], seeds=(0, 2, 5))
    base = answers([[0, 0, 0, 0], [1, 0, 0, 1], [1, 0, 1, 1]], seeds=(0, 2, 3))
    expected = np.array([[-1, -1, 0, -1], [0, -1, -1, 0]], dtype=np.int8)  # wrong - wrong; seeds 0 and 2
    assert parts.of_difference(ours, base) == pytest.approx(parts.split(expected))


@pytest.mark.parametrize(
    "other",
    [None, answers([[1, 0], [0, 1]]), answers([[1, 0, 1, 1]] * 2, images=("other data", 4)), answers([[1, 1, 0, 0]])],
)
def test_what_was_not_tested_alike_has_no_parts(other):
    assert np.isnan(parts.of_difference(answers([[1, 0, 1, 1], [1, 1, 1, 0]]), other)).all()


def test_both_frames_gain_columns(make):
    trials, rows = make.frames({"a": [0.25, 0.5], "b": [0.5, 0.25], "c": [0.3]})
    summary, comparison = stats.summarise(trials, rows), stats.compare(trials, rows, {"a": "b", "c": "b"}, 0.01)
    marks = {"a": answers([[1, 1, 0, 1], [0, 1, 0, 1]]), "b": answers([[0, 1, 0, 1], [0, 1, 1, 1]])}
    more, compared = parts.added(summary, comparison, marks)
    assert more["images"].tolist() == [4, 4, pd.NA]
    assert more["se_test"].isna().tolist() == [False, False, True]
    assert compared["delta_se_test"].isna().tolist() == [False, True]
    assert compared["delta_se_seeds"][0] == pytest.approx(0.25)  # differences -1/4 and 1/4
    nothing = parts.added(summary, comparison.iloc[:0], {})
    assert nothing[1].empty and nothing[0]["se_seeds"].isna().all()
