"""Two rows in full, against scipy, counts by hand, and the textbook's McNemar."""

import math

import numpy as np
import pytest
from scipy import stats

from senet_lab.results import pair, report
from senet_lab.results import stats as comparisons
from senet_lab.results.load import Answers

LABELS = (np.array([0, 0, 0, 0, 1, 1, 2, 2, 2, 2]), ("cat", "dog", "eel", "no image"))


def wrong(seed: int, share: float, seeds: int = 8, images: int = 10) -> np.ndarray:
    return np.random.default_rng(seed).random((seeds, images)) < share


def test_one_seed_is_the_plain_mcnemar():
    """b = 3 images only a gets wrong, c = 1: chi2 = (b - c)^2 / (b + c) = 1, and the exact test is a coin's, 3 of 4."""
    a = np.array([[1, 1, 1, 0, 1, 0]], bool)
    b = np.array([[0, 0, 0, 1, 1, 0]], bool)
    told = pair.mcnemar(a, b)
    assert (told["only_a"], told["only_b"], told["chi2"]) == (3, 1, 1)
    assert told["p"] == pytest.approx(stats.chi2.sf(1, 1))
    assert (told["seeds"], told["seeds_below"]) == (1, 0)


def test_the_same_networks_again_are_no_more_evidence():
    """Seeds that answer alike are one answer an image: five copies of a seed say what one says."""
    a, b = wrong(1, 0.4, 1, 200), wrong(2, 0.2, 1, 200)
    once, copies = pair.mcnemar(a, b), pair.mcnemar(np.repeat(a, 5, 0), np.repeat(b, 5, 0))
    assert copies["p"] == pytest.approx(once["p"]) and once["p"] < 0.05
    assert (once["seeds_below"], copies["seeds_below"]) == (1, 5)


def test_mcnemar_keeps_its_level_on_equal_networks():
    """Each image has a difficulty that both rows share; 5 % of 800 null pairs, Monte Carlo error 0.8 %."""
    draw = np.random.default_rng(3)
    hard = draw.beta(0.3, 3, (800, 1, 300))
    p = [pair.mcnemar(*(draw.random((2, 4, 300)) < h)) for h in hard]
    assert 0.025 < np.mean([told["p"] < 0.05 for told in p]) < 0.075


def test_rows_that_agree_on_every_image():
    a = wrong(1, 0.3)
    assert (pair.mcnemar(a, a)["chi2"], pair.mcnemar(a, a)["p"]) == (0, 1)


def test_classes_by_hand():
    a, b = np.zeros((3, 10), bool), np.zeros((3, 10), bool)
    a[:, 0] = a[0, 4] = b[1, 9] = True
    found = pair.by_class(a, b, *LABELS).set_index("name")
    assert found.index.tolist() == ["cat", "dog", "eel"]
    assert found["images"].tolist() == [4, 2, 4]
    assert found["a"].tolist() == pytest.approx([1 / 4, 1 / 6, 0])
    assert found["b"].tolist() == pytest.approx([0, 0, 1 / 12])
    assert found["difference"].tolist() == pytest.approx([1 / 4, 1 / 6, -1 / 12])
    half = stats.t.isf(0.05 / 3 / 2, 2) * np.std([0, 0.25, 0], ddof=1) / math.sqrt(3)
    assert found.loc["eel", ["low", "high"]].tolist() == pytest.approx([-1 / 12 - half, -1 / 12 + half])
    # Three equal differences of "cat": the exact sign-flip test, 2 ** -2, by Holm over three classes.
    assert found.loc["cat", "p_holm"] == pytest.approx(0.75) and math.isnan(found.loc["cat", "low"])


def test_over_seeds_as_scipy_says(question, planned, records):
    found = report.analyse(question, planned, records)
    told = found.pair("reduction=2", "reduction=32")
    errors = found.trials.pivot(index="seed", columns="variant", values="test_error")
    a, b = errors["reduction=2"], errors["reduction=32"]
    test = stats.ttest_rel(a, b)
    d, interval = told.difference, test.confidence_interval(0.95)
    assert (d["n"], d["pairs"]) == (20, 15)
    assert (d["mean"], d["t"], d["p"]) == pytest.approx(((a - b).mean(), test.statistic, test.pvalue))
    assert (d["low"], d["high"]) == pytest.approx((interval.low, interval.high))
    assert d["correlation"] == pytest.approx(stats.pearsonr(a, b).statistic)
    assert told.verdict == "better" and d["p"] < d["p_all_pairs"] <= 15 * d["p"]
    assert (told.family.of, told.family.size, told.family.p) == (pair.PAIRS, 15, d["p_all_pairs"])
    back = found.pair("reduction=32", "reduction=2")
    assert back.difference["mean"] == -d["mean"] and back.verdict == "worse"
    assert told.images is None and told.classes is None, "these records kept no bits"


@pytest.mark.parametrize("draw", [1, 2])
def test_a_pair_that_the_sweep_compares_has_the_verdict_of_its_table(make, draw):
    """In either order, and whatever its own p values say: some are below .05 where Holm's are not."""
    question = make.question(seeds=8)
    planned, generator = make.plan(question), np.random.default_rng(draw)
    wrong = {row.label: 30 + i + generator.integers(0, 6, 8) for i, row in enumerate(question.rows)}
    found = report.analyse(question, planned, make.records(planned, wrong))
    own, line = found.comparison[["p", "p_tost"]] < 0.05, found.comparison["verdict"]
    assert (own.any(axis=1) & (line == "undecided")).any(), "a pair by itself would say otherwise"
    turned = {"better": "worse", "worse": "better"}
    for _, line in found.comparison.iterrows():
        there, back = found.pair(line["variant"], line["baseline"]), found.pair(line["baseline"], line["variant"])
        assert there.verdict == line["verdict"] and back.verdict == turned.get(line["verdict"], line["verdict"])
        assert there.family.of == back.family.of == pair.SWEEP and there.family.size == len(found.comparison)
        assert (there.family.p, there.family.p_tost) == (line["p_holm"], line["p_tost_holm"])


def test_other_pairs_are_judged_among_all_and_more_strictly_at_a_look(make):
    rows = {label: 0.03 + np.array(own) / 900 for label, own in (("a", [0, 1, 0, 2, 1]), ("b", [4, 6, 5, 5, 6]))}
    trials, frame = make.frames(rows | {"c": [0.03] * 5})
    nothing = comparisons.compare(trials, frame, {}, 0.01)
    plain = pair.pair(trials, pair.Asked(frame, nothing, 1e-9), ("a", "b"), None)
    assert plain.family.size == 3 and plain.verdict == "better" and plain.family.p > plain.difference["p"]
    strict = pair.pair(trials, pair.Asked(frame, nothing, 1e-9, plain.family.p), ("a", "b"), None)
    assert strict.verdict == "undecided"
    wide = pair.pair(trials, pair.Asked(frame, nothing, 0.5, plain.family.p), ("a", "b"), None)
    assert wide.verdict == "equivalent" and wide.family.p_tost == wide.difference["p_tost_all_pairs"]


def test_only_common_seeds_count(question, planned, records):
    found = report.analyse(question, planned, records)
    told = found.pair("reduction=8", "no_se")
    assert told.difference["n"] == 18 and told.seeds["seed"].tolist() == list(range(18))
    a = Answers((0, 2, 3), ~wrong(1, 0.5, 3), ("digits", 10))
    b = Answers((1, 2, 3), ~wrong(2, 0.5, 3), ("digits", 10))
    ours, theirs = pair.Images(a, b).wrong()
    assert (ours == ~a.correct_SN[1:]).all() and (theirs == ~b.correct_SN[1:]).all()
    assert pair.Images(a, Answers(b.seeds, b.correct_SN, ("other images", 10))).wrong() is None


@pytest.mark.parametrize("seeds", [0, 1])
def test_too_few_seeds_say_nothing(make, seeds):
    question = make.question(seeds=2)
    planned = make.plan(question)
    records = make.records(planned, {row.label: (30,) * seeds for row in question.rows})
    told = report.analyse(question, planned, records).pair("reduction=2", "no_se")
    assert told.verdict == "undecided" and told.difference["n"] == seeds
    assert math.isnan(told.difference["p"]) and math.isnan(told.difference["low"])
