"""Differences of differences: against scipy, and in simulation where both tests can be wrong."""

import math

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from senet_lab.results import interaction, paired
from senet_lab.results.interaction import Paired, Setting, Welch

MARGIN = 0.005


def setting(name, effects, base=0.03, data="digits"):
    """A setting in which `row` differs from `base` by `effects`, one a seed."""
    lines = [
        {"variant": label, "seed": seed, "test_error": base + (effect if label != "base" else 0)}
        for label in ("row", "other", "base")
        for seed, effect in enumerate(effects)
    ]
    trials = pd.DataFrame(lines, columns=["variant", "seed", "test_error"])
    return Setting(name, trials, {"row": "base", "other": "base"}, frozenset([data]))


def draws(n, seed, mean=0.0):
    return np.random.default_rng(seed).normal(mean, 0.004, n)


def test_the_same_data_are_contrasted_by_seed():
    a, b = draws(8, 0), draws(8, 1, 0.003)
    found = interaction.contrasts((setting("first", a), setting("second", b)), MARGIN).iloc[0]
    oracle = stats.ttest_rel(b, a)
    assert (found["method"], found["n"], found["reference"]) == ("paired", 8, "first")
    assert found["contrast"] == pytest.approx((b - a).mean())
    assert found["p"] == pytest.approx(oracle.pvalue)
    ends = oracle.confidence_interval(1 - 0.05 / 2)  # two rows, Bonferroni
    assert (found["contrast_low"], found["contrast_high"]) == pytest.approx((ends.low, ends.high))
    assert found["correlation"] == pytest.approx(np.corrcoef(a, b)[0, 1])
    assert found["p_holm"] == pytest.approx(min(1, 2 * oracle.pvalue))


def test_different_data_are_contrasted_by_welch():
    a, b = draws(8, 0), 3 * draws(5, 1, 0.003)
    found = interaction.contrasts((setting("first", a), setting("second", b, data="cifar")), MARGIN).iloc[0]
    oracle = stats.ttest_ind(b, a, equal_var=False)
    assert (found["method"], found["n"], found["n_reference"]) == ("Welch", 5, 8)
    assert found["p"] == pytest.approx(oracle.pvalue)
    ends = oracle.confidence_interval(1 - 0.05 / 2)
    assert (found["contrast_low"], found["contrast_high"]) == pytest.approx((ends.low, ends.high))
    sides = [
        stats.ttest_ind(b + MARGIN, a, equal_var=False, alternative="greater").pvalue,
        stats.ttest_ind(b - MARGIN, a, equal_var=False, alternative="less").pvalue,
    ]
    assert found["p_tost"] == pytest.approx(max(sides))


@pytest.mark.parametrize(
    ("second", "verdict"),
    [
        (lambda a: a + 0.01 + draws(8, 5) / 9, "differs"),
        (lambda a: a + draws(8, 5) / 9, "equivalent"),
        (lambda a: 5 * draws(8, 7), "undecided"),
    ],
)
def test_verdicts(second, verdict):
    a = draws(8, 0)
    found = interaction.contrasts((setting("first", a), setting("second", second(a))), MARGIN)
    assert set(found["verdict"]) == {verdict}


def test_every_later_setting_is_set_against_the_first():
    settings = (setting("a", draws(4, 0)), setting("b", draws(4, 1)), setting("c", draws(4, 2), data="cifar"))
    found = interaction.contrasts(settings, MARGIN)
    assert found[["variant", "setting", "method"]].to_numpy().tolist() == [
        ["row", "b", "paired"], ["row", "c", "Welch"], ["other", "b", "paired"], ["other", "c", "Welch"],
    ]  # fmt: skip
    assert found["level"].unique().tolist() == [0.05 / 4]


def test_only_common_seeds_pair_and_too_few_have_no_test():
    found = interaction.contrasts((setting("a", draws(6, 0)), setting("b", draws(1, 1))), MARGIN)
    assert found["n"].tolist() == [1, 1] and found["p"].isna().all()
    assert set(found["verdict"]) == {"undecided"}
    empty = interaction.contrasts((setting("a", draws(6, 0)), setting("b", [], data="cifar")), MARGIN)
    assert empty["n"].tolist() == [0, 0] and empty["contrast"].isna().all()


def test_rows_that_one_setting_has_not_are_left_out():
    one, two = setting("a", draws(4, 0)), setting("b", draws(4, 1))
    two = Setting("b", two.trials, {"row": "base"}, two.data)
    assert interaction.contrasts((one, two), MARGIN)["variant"].tolist() == ["row"]


def test_samples_without_spread_are_judged_by_permutation():
    """Of all ways to deal 3 + 3 values, two are as extreme: p = 2 / C(6, 3) = .1."""
    a, b = np.full(3, 0.01), np.zeros(3)
    assert Welch(a, b).p() == pytest.approx(stats.permutation_test((a, b), lambda x, y: x.mean() - y.mean()).pvalue)
    assert Welch(a, a).p() == 1.0 and Welch(a, a).p_equivalence(MARGIN) == pytest.approx(1 / 20)
    assert all(math.isnan(end) for end in Welch(a, b).interval(0.05))
    five = Welch(np.full(5, 0.01), np.zeros(5))
    assert five.p() < 0.05 and all(math.isnan(end) for end in five.interval(0.05))


@pytest.mark.parametrize(("correlation", "welch_holds"), [(0.0, True), (-0.8, False)])
def test_pairing_is_right_whatever_a_seed_does_welch_is_not(correlation, welch_holds):
    """No true interaction, 3,000 times, n = 6: who rejects at .05? Seeds that go against each other fool Welch."""
    shape = [[1, correlation], [correlation, 1]]
    samples = np.random.default_rng(3).multivariate_normal([0, 0], shape, (3000, 6))
    by_pairs = np.mean([Paired(s[:, 0] - s[:, 1], math.nan).p() < 0.05 for s in samples])
    by_welch = np.mean([Welch(s[:, 0], s[:, 1]).p() < 0.05 for s in samples])
    assert by_pairs < 0.05 + 3 * math.sqrt(0.05 * 0.95 / 3000)
    assert (by_welch < 0.05 + 3 * math.sqrt(0.05 * 0.95 / 3000)) == welch_holds
    assert by_pairs > 0.03


def test_effects_are_paired_within_their_setting(make):
    trials, rows = make.frames({"row": [0.03, 0.05, float("nan")], "base": [0.02, 0.02, 0.02]})
    found = interaction.effects(Setting("a", trials, make.against(rows, "base"), frozenset()))
    assert found["row"].to_dict() == pytest.approx({0: 0.01, 1: 0.03})
    assert paired.average(found["row"].to_numpy()) == pytest.approx(0.02)
