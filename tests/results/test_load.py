"""Frames from records: who counts, and which columns there are when nobody does."""

import base64

import numpy as np
import pandas as pd
import pytest

from senet_lab.records import Evaluation
from senet_lab.results import load

FIXED = ["test_error", "test_loss", "n_test", "params", "macs", "seconds", "train_seconds", "id", "stale"]


def test_one_line_per_done_trial(planned, records):
    frame = load.trials(planned, records)
    assert list(frame.columns) == ["variant", "control", "order", "model.se.reduction", "seed", *FIXED]
    assert len(frame) == 118
    first = frame[(frame["variant"] == "reduction=4") & (frame["seed"] == 0)].iloc[0]
    assert 0 < first["test_error"] * 900 == pytest.approx(round(first["test_error"] * 900))
    assert (first["order"], first["model.se.reduction"], first["n_test"], bool(first["control"])) == (1, 4, 900, False)
    assert frame.loc[frame["variant"] == "no_se", "model.se.reduction"].isna().all()
    assert frame.loc[frame["variant"] == "no_se", "control"].all()


def test_factors_hold_the_value_in_force_not_only_what_a_row_changed(make):
    design = {"one_at_a_time": {"model.se.reduction": (2, 4), "train.learning_rate": (0.05,)}}
    planned = make.plan(make.question(seeds=1, **design))
    frame = load.trials(planned, [make.record(p) for p in planned])
    assert frame["train.learning_rate"].tolist() == [0.1, 0.1, 0.05, 0.1]
    assert frame["model.se.reduction"].tolist() == [2, 4, None, None]


def test_the_reduction_in_force_of_a_stage_is_its_own_or_that_of_all(make):
    own = {f"model.se.reduction_in.stage{stage}": (2,) for stage in (2, 3)}
    design = {"one_at_a_time": {**own, "model.se.stages": ((3,),)}}
    planned = make.plan(make.question(seeds=1, **design))
    frame = load.trials(planned, [make.record(p) for p in planned])
    assert frame["model.se.reduction_in.stage2"].tolist() == [2, 16, None, None]
    assert frame["model.se.reduction_in.stage3"].tolist() == [16, 2, 16, None]


def test_other_sweeps_failed_trials_and_other_seeds_do_not_count(make):
    question = make.question(seeds=2)
    planned = make.plan(question)
    more_seeds = make.plan(make.question(seeds=3))[-1]
    stored = [
        make.record(planned[0]),
        make.record(planned[1], status="failed", test=None, traceback="..."),
        make.record(planned[2], status="stopped", test=None),
        make.record(more_seeds),
        make.record(planned[3], id="unknown", fingerprint="unknown"),
    ]
    assert load.trials(planned, stored)["id"].tolist() == [planned[0].id]
    assert set(load.epochs(planned, stored)["variant"]) == {planned[0].variant.label}


def test_rows_are_matched_by_identity_not_by_name(make):
    planned = make.plan(make.question(seeds=1))
    frame = load.trials(planned, [make.record(planned[0], variant="an old name")])
    assert frame["variant"].tolist() == ["reduction=2"]


def test_results_of_other_code_count_only_when_asked_and_never_twice(make):
    question = make.question(seeds=1)
    planned, before = make.plan(question, "code-2"), make.plan(question, "code-1")
    oldest = make.record(before[0], 10, id="older still", started_at=1.0)
    stored = [make.record(planned[1], 20), make.record(before[1], 30), make.record(before[0], 40), oldest]
    assert load.trials(planned, stored)["test_error"].tolist() == [20 / 900]
    pooled = load.trials(planned, stored, include_stale=True)
    assert pooled["test_error"].tolist() == [40 / 900, 20 / 900]  # the latest old one; the current one
    assert pooled["stale"].tolist() == [True, False]


def test_which_old_result_is_the_newest_is_told_by_commands_and_not_by_clocks(make):
    planned, before = (make.plan(make.question(seeds=1), code) for code in ("code-3", "code-1"))
    newest = make.record(before[0], 10, id="a clock set back", started_at=1.0, sitting=2)
    stored = [newest, make.record(before[0], 40, sitting=1)]
    assert load.trials(planned, stored, include_stale=True)["test_error"].tolist() == [10 / 900]


def test_curves_are_tidy(planned, records):
    frame = load.epochs(planned, records)
    assert len(frame) == 2 * 118
    assert frame.groupby("epoch")["train_loss"].first().tolist() == [1.0, 0.5]
    assert {"variant", "seed", "validation_error", "model.se.reduction"} <= set(frame.columns)


def test_rows_are_known_without_a_single_trial(planned):
    rows = load.rows(planned)
    assert rows["variant"].tolist() == [*(f"reduction={r}" for r in (2, 4, 8, 16, 32)), "no_se"]
    assert rows["wanted"].tolist() == [20] * 6
    assert rows["order"].tolist() == list(range(6))
    assert rows["params"].isna().all()


@pytest.mark.parametrize("status", ["failed", "stopped"])
def test_rows_know_the_size_of_networks_that_are_not_done(make, status):
    planned = make.plan(make.question(seeds=1))
    rows = load.rows(planned, [make.record(planned[0], status=status, test=None)])
    assert rows["params"].tolist()[:2] == [18_280, pd.NA]


@pytest.mark.parametrize("function", [load.trials, load.epochs, load.rows])
def test_column_types_do_not_depend_on_what_was_found(function, planned, records):
    pd.testing.assert_series_equal(function(planned, []).dtypes, function(planned, records).dtypes)
    assert function([], []).empty


def seen(correct, images=None):
    """An evaluation with these bits, as training writes it."""
    bits = base64.b64encode(np.packbits(np.array(correct, dtype=bool)).tobytes()).decode()
    return Evaluation(error=1 - np.mean(correct), loss=0.1, images=images or len(correct), correct=bits)


def test_answers_are_lines_of_seeds_in_order(make):
    planned = make.plan(make.question(seeds=3))
    answers = np.random.default_rng(0).random((3, 11)) < 0.7
    stored = [make.record(p, test=seen(answers[p.trial.seed])) for p in planned if p.trial.seed != 1]
    found = load.answers(planned, reversed(stored))
    assert set(found) == set(load.rows(planned)["variant"])
    assert found["no_se"].seeds == (0, 2)
    assert found["no_se"].images == ("data", 11)
    assert (found["no_se"].correct_SN == answers[[0, 2]]).all() and found["no_se"].correct_SN.nbytes == 22


@pytest.mark.parametrize(
    "other",
    [
        {"test": seen([1, 0, 1])},  # other images
        {"test": seen([1, 0, 1, 1], images=900)},  # bits of four
        {"test": Evaluation(error=0.1, loss=0.1, images=4, correct="")},
        {"test": seen([1, 0, 1, 1]), "data": "other"},
    ],
)
def test_rows_whose_answers_are_not_all_known_have_none(make, other):
    planned = make.plan(make.question(seeds=2))[::6]
    stored = [make.record(planned[0], test=seen([1, 0, 1, 1])), make.record(planned[1], **other)]
    assert load.answers(planned, stored) == {}
    assert load.answers(planned, stored[:1])["reduction=2"].seeds == (0,)


def test_answers_of_other_code_count_only_when_asked(make):
    question = make.question(seeds=1)
    older = [make.record(p, test=seen([1, 0])) for p in make.plan(question, "code-1")]
    planned = make.plan(question, "code-2")
    assert load.answers(planned, older) == {}
    assert len(load.answers(planned, older, include_stale=True)) == 6
