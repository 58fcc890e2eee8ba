"""The probe: real training of a few images, scaled."""

import tempfile
from pathlib import Path

import pytest

from senet_lab import pace
from senet_lab.data import DATA_DIR
from senet_lab.forecast import Timing
from senet_lab.pace import Probe
from senet_lab.spec import Trial, apply
from tests.conftest import TINY

pytestmark = pytest.mark.slow


def rows(**settings: dict[str, object]) -> dict[str, Trial]:
    return {label: apply(TINY, changes) for label, changes in settings.items()}


def test_every_network_is_timed_in_rounds_and_equal_ones_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    asked = rows(a={}, b={"train.learning_rate": 0.2}, c={"model.depth": 10})
    found = pace.measure(Probe(asked, {"a": 1.0, "b": 1.0, "c": 3.0}, 2.0, DATA_DIR))
    assert [(t.rows, t.work) for t in found] == [(("a", "b"), 1.0), (("c",), 3.0)]
    assert all(1 <= len(t.seconds) <= pace.ROUNDS and min(t.seconds) > 0 for t in found)
    assert list(tmp_path.iterdir()) == [], "nothing is left behind"


def test_a_network_that_diverges_tells_no_time() -> None:
    asked = rows(good={}, wild={"model.depth": 10, "train.learning_rate": 99.0, "train.weight_decay": 0.9})
    found = pace.measure(Probe(asked, {"good": 1.0, "wild": 2.0}, 1.0, DATA_DIR))
    assert ("good",) in [t.rows for t in found]


def test_the_time_that_is_given_is_kept_about() -> None:
    """With no time at all one network is timed, in one round."""
    asked = rows(a={}, c={"model.depth": 10})
    found = pace.measure(Probe(asked, {"a": 1.0, "c": 3.0}, 1e-9, DATA_DIR))
    assert [(t.rows, len(t.seconds)) for t in found] == [(("a",), 1)]


def test_more_epochs_take_more_time() -> None:
    few, many = (
        pace.measure(Probe(rows(a={"train.epochs": epochs}), {"a": 1.0}, 0.5, DATA_DIR))[0].mean for epochs in (2, 200)
    )
    assert many > 10 * few


def test_groups_come_from_both_ends() -> None:
    assert pace._from_both_ends([["1"], ["2"], ["3"], ["4"], ["5"]]) == [["1"], ["5"], ["2"], ["4"], ["3"]]
    assert pace._from_both_ends([["1"], ["2"]]) == [["1"], ["2"]] and pace._from_both_ends([["1"]]) == [["1"]]


def test_as_many_at_once_as_trials_all_set_up_as_theirs() -> None:
    probe = Probe(rows(a={}, c={"model.depth": 10}), {"a": 1.0, "c": 3.0}, 1.0, DATA_DIR)
    alone, both = (pace.measure_at_once(probe, count, {"SENET_LAB_PROBE": "1"}) for count in (1, 2))
    assert [(t.rows, t.work) for t in both] == [(t.rows, t.work) for t in alone] == [(("a",), 1.0), (("c",), 3.0)]
    assert all(len(t.seconds) > 1 and min(t.seconds) > 0 for t in both)


def test_where_no_process_can_be_had_it_is_timed_here(monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*given: object) -> list[list[Timing]]:
        raise OSError("no memory")

    monkeypatch.setattr(pace, "at_once", full)
    assert len(pace.measure_at_once(Probe(rows(a={}), {"a": 1.0}, 0.1, DATA_DIR), 2, {})) == 1
