"""Published entries beside rows: which belongs to which, and whether the signs agree."""

import math

import pandas as pd
import pytest

from senet_lab import recipes
from senet_lab.results import beside, load, published, stats
from senet_lab.spec import apply


def joined(make, question, wrong, table):
    planned = make.plan(question)
    records = make.records(planned, wrong)
    trials, rows = load.trials(planned, records), load.rows(planned, records)
    from senet_lab import design

    comparison = stats.compare(trials, rows, design.baselines(question.sweep, question.rows), 0.005)
    return beside.join(published.load(table), question.rows, comparison)


@pytest.fixture
def reduction(make, question):
    """r = 2 better, r = 4 worse, r = 8 undecided, r = 16 equivalent, r = 32 without trials."""
    noise = [0, 1, -1, 2, -2, 1, -1, 0] * 2
    wrong = {
        "reduction=2": [20 + e for e in noise],
        "reduction=4": [40 + e for e in noise],
        "reduction=8": [31 + 9 * e for e in noise],
        "reduction=16": [30 + e for e in noise[1:]],
        "no_se": [30] * 16,
    }
    return joined(make, question, wrong, "reduction_ratio").set_index(["source", "entry"])


def test_signs(reduction):
    signs = reduction["sign"]
    assert [signs["v4", r] for r in ("2", "4", "8", "16", "32")] == [
        "agrees", "opposite", "ours undecided", "ours equivalent", "ours undecided",
    ]  # fmt: skip
    assert signs["CVPR", "4"] == "opposite"
    assert signs["v4", "original"] == ""


def test_numbers_of_both_stand_side_by_side(reduction):
    line = reduction.loc["CVPR", "16"]
    assert (line["variant"], line["fits"], line["paper"]) == ("reduction=16", 1, -0.0151)
    assert line["ours_low"] < line["ours"] < line["ours_high"]
    assert math.isnan(reduction.loc[("v4", "original"), "paper"])


def test_the_papers_difference_is_that_of_the_rows_compared(make):
    """Table 12 against its sigmoid, not against ResNet-50: tanh is worse there, and better than no SE."""
    question = make.question(
        seeds=2, grid={"model.se.gate": ("relu", "tanh", "sigmoid")}, baseline={"model.se.gate": "sigmoid"}
    )
    found = joined(make, question, {}, "excitation_operator").set_index("entry")
    assert found["paper"].round(6).to_dict() == pytest.approx(
        {"relu": 0.0119, "tanh": 0.0072, "sigmoid": math.nan, "ResNet-50": 0.0102}, nan_ok=True
    )
    assert found.loc["ResNet-50", "variant"] == "no_se"


def test_an_entry_that_fits_several_rows_or_none_is_listed_and_not_joined(make):
    grid = {"model.se.reduction": (2, 4), "train.learning_rate": (0.1, 0.2)}
    found = joined(make, make.question(seeds=2, grid=grid), {}, "reduction_ratio")
    fits = found.set_index(["source", "entry"])["fits"]
    assert (fits["v4", "2"], fits["v4", "16"], fits["v4", "original"]) == (2, 0, 1)
    assert found.loc[found["fits"] != 1, "variant"].isna().all()
    assert found["paper"].isna().all()
    assert len(found) == 11


def test_what_neither_varies_of_the_block_is_a_matter_of_protocol(make):
    """Max against avg is the same comparison at r = 4 as at the paper's 16; r = 4 is not r = 16 where r is asked."""
    base = apply(recipes.DIGITS, {"model.se.reduction": 4})
    design = {"base": base, "controls": (), "published": "squeeze_operator"}
    asked = make.question(grid={"model.se.squeeze": ["max", "avg"]}, baseline={"model.se.squeeze": "avg"}, **design)
    wrong = {"squeeze=max": [31, 33, 32], "squeeze=avg": [30, 31, 32]}
    found = joined(make, asked, wrong, "squeeze_operator").set_index("entry")
    assert found["variant"].dropna().to_dict() == {"max": "squeeze=max", "avg": "squeeze=avg"}
    assert found.loc["max", "paper"] == pytest.approx(0.0029)
    both = make.question(
        base=base, grid={"model.se.squeeze": ["max", "avg"], "model.se.reduction": [2, 4]}, controls=("no_se",)
    )
    wrong = {row.label: [30, 31, 32] for row in both.rows}
    assert joined(make, both, wrong, "squeeze_operator")["variant"].dropna().tolist() == ["no_se"]


def test_a_stage_with_a_reduction_of_its_own_makes_another_row(make):
    """Of r = 16 with stage 2 at r = 8, and of gates at two such settings, nothing is published."""
    variants = {"SE": {"model.se.reduction": 16}, "SE, stage 2 wider": {"model.se.reduction_in.stage2": 8}}
    found = joined(make, make.question(seeds=2, variants=variants), {}, "reduction_ratio")
    assert found["variant"].dropna().unique().tolist() == ["SE", "no_se"]
    variants = {
        "SE": {"model.se.gate": "sigmoid"},
        "tanh": {"model.se.gate": "tanh", "model.se.reduction_in.stage2": 8},
    }
    found = joined(make, make.question(seeds=2, variants=variants), {}, "excitation_operator")
    assert found["variant"].dropna().unique().tolist() == ["SE", "no_se"]


def test_labels_do_not_matter(make):
    variants = {"narrow": {"model.se.reduction": 16}, "plain": {}}
    question = make.question(seeds=2, variants=variants, baseline="plain", controls=())
    found = joined(make, question, {}, "reduction_ratio").dropna(subset="paper")
    assert found[["source", "variant", "paper"]].to_numpy().tolist() == [
        ["v4", "narrow", -0.0102],
        ["CVPR", "narrow", -0.0151],
    ]


def test_column_types_do_not_depend_on_what_was_found(make, question, reduction):
    empty = joined(make, question, {}, "reduction_ratio").set_index(["source", "entry"])
    assert list(empty.columns) == list(reduction.columns)
    numbers = ["fits", "paper", "test_error", "delta"]
    pd.testing.assert_series_equal(empty[numbers].dtypes, reduction[numbers].dtypes)
