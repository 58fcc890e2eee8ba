"""Wanted minus stored: what is left to run."""

import json
from collections import Counter
from dataclasses import replace
from typing import Any

import pytest

from senet_lab import plan
from senet_lab.design import Variant, variants
from senet_lab.plan import PlannedTrial, StoredTrial, reconcile
from senet_lab.spec import Data, Model, Sweep, Train, Trial

BASE = Trial(
    model=Model(depth=4, widths=(4,)),
    data=Data(source="digits", validation=100),
    train=Train(epochs=1, batch_size=256, learning_rate=0.1),
)


def two_rows() -> tuple[Variant, ...]:
    return variants(
        Sweep(base=BASE, grid={"model.se.reduction": (2,)}, controls=("no_se",), baseline="no_se", seeds=3, margin=0.01)
    )


def planned(seeds: int = 3) -> tuple[PlannedTrial, ...]:
    return plan.wanted(two_rows(), seeds, lambda _: "data")


def test_all_rows_of_a_seed_come_before_the_next_seed() -> None:
    assert [t.name for t in planned(2)] == [
        "reduction=2 seed=0", "no_se seed=0", "reduction=2 seed=1", "no_se seed=1"
    ]  # fmt: skip
    assert [t.trial.seed for t in planned(2)] == [0, 0, 1, 1]


def test_more_seeds_and_more_rows_leave_the_others_as_they_were() -> None:
    assert planned(3)[:4] == planned(2)
    assert len({t.id for t in planned(3)}) == 6


def test_an_id_names_question_and_code(monkeypatch: pytest.MonkeyPatch) -> None:
    before = planned()
    monkeypatch.setattr(plan, "code_digest", lambda trial, own: "newer")
    after = planned()
    assert [t.fingerprint for t in after] == [t.fingerprint for t in before]
    assert not {t.id for t in after} & {t.id for t in before}


def test_the_six_states() -> None:
    done, missing, interrupted, failed, stale, stopped = trials = planned(3)
    stored = [
        StoredTrial(done.id, done.fingerprint, "done"),
        StoredTrial(interrupted.id, interrupted.fingerprint, "interrupted"),
        StoredTrial(failed.id, failed.fingerprint, "failed"),
        StoredTrial(stopped.id, stopped.fingerprint, "stopped"),
        StoredTrial("of older code", stale.fingerprint, "done"),
        StoredTrial("of another question", "elsewhere", "done"),
    ]
    found = reconcile(trials, stored)
    assert [s for _, s in found.trials] == ["done", "missing", "interrupted", "failed", "stale", "stopped"]
    assert found.to_run() == (missing, interrupted)
    assert found.to_run(["failed"]) == (missing, interrupted, failed)
    assert found.to_run(["failed", "stale"]) == (missing, interrupted, failed, stale)
    assert found.to_run(["stopped"]) == (missing, interrupted, stopped)
    assert found.counts() == Counter(done=1, missing=1, interrupted=1, failed=1, stale=1, stopped=1)
    assert found.counts("no_se") == Counter(missing=1, failed=1, stopped=1)


@pytest.mark.parametrize("state", ["failed", "interrupted", "stopped"])
def test_only_a_result_of_older_code_makes_a_trial_stale(state: Any) -> None:
    trial = planned(1)[0]
    assert reconcile([trial], [StoredTrial("older", trial.fingerprint, state)]).trials == ((trial, "missing"),)


def test_a_result_of_this_code_counts_beside_one_of_older_code() -> None:
    trial = planned(1)[0]
    both = [StoredTrial(trial.id, trial.fingerprint, "done"), StoredTrial("older", trial.fingerprint, "done")]
    for stored in (both, both[::-1]):
        assert reconcile([trial], stored).trials == ((trial, "done"),)


def test_data_content_is_part_of_the_identity() -> None:
    other = plan.wanted(two_rows(), 1, lambda _: "other data")
    assert not {t.id for t in other} & {t.id for t in planned(1)}
    assert json.loads(json.dumps(other[0].data)) == "other data"


def test_candidates_of_all_rows_with_one_number_are_one_block() -> None:
    (planned, *_) = plan.wanted(two_rows(), 3, lambda data: "content")
    assert plan.block(planned) == 0
    assert plan.block(replace(planned, variant=replace(planned.variant, candidate=7))) == 7
