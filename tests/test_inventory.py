"""A question against a store: what counts, and reading it anew."""

from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from senet_lab import data, files, inventory, sweep
from senet_lab.errors import DataError, SpecError, StoreError
from senet_lab.executors import Listener, Wanted, everything
from senet_lab.executors.local import Local
from senet_lab.inventory import Inventory
from senet_lab.jobs import Group, Job
from senet_lab.spec import apply
from tests.conftest import TINY, question
from tests.data.pictures import write_parquet

Ask = Callable[..., Inventory]


def test_what_counts_is_what_is_asked_for(ask: Ask) -> None:
    sweep.run(ask(), Local(), lambda step: None)
    fewer = ask(seeds=1)
    assert len(fewer.records) == 4 and len(fewer.counting) == 2
    assert {r.id for r in fewer.counting} == {t.id for t in fewer.planned}


def test_again_sees_what_has_happened_since(ask: Ask) -> None:
    before = ask(seeds=1)
    sweep.run(before, Local(), lambda step: None)
    assert before.counting == () and len(before.again().counting) == 2


def test_a_removed_row_is_hidden_and_kept(ask: Ask) -> None:
    sweep.run(ask(seeds=1), Local(), lambda step: None)
    other = ask(seeds=1, grid={"model.se.reduction": [4]})
    assert other.plan.counts() == {"missing": 1, "done": 1}
    assert ask(seeds=1).plan.counts() == {"done": 2}


def test_data_that_cannot_serve_a_row_is_refused_before_the_store_is_touched(tmp_path: Path) -> None:
    with pytest.raises(SpecError, match=r"tiny\.py: .*data\.validation: found 5000"):
        inventory.take(question(variants=[{"data.validation": 5000}]), tmp_path / "runs")
    assert not (tmp_path / "runs").exists()


def test_data_are_those_of_the_data_folder_every_time_it_is_taken(tmp_path: Path) -> None:
    asked = question(base=apply(TINY, {"data": {"source": "parquet:mine", "validation": 4}, "train.batch_size": 8}))
    with pytest.raises(DataError, match=r"no folder .*mine; put the images there"):
        inventory.take(asked, tmp_path / "runs", tmp_path / "store")
    write_parquet(tmp_path / "store" / "mine" / "train.parquet", list(range(20)), [0, 1] * 10)
    write_parquet(tmp_path / "store" / "mine" / "test.parquet", [30, 31, 32], [0, 1, 0])
    found = inventory.take(asked, tmp_path / "runs", tmp_path / "store")
    assert found.again().data_dir == tmp_path / "store"
    jobs: list[Job] = []

    class Collect(Local):
        def run(self, groups: Sequence[Group], listener: Listener, wanted: Wanted = everything) -> None:
            jobs.extend(job for group in groups for job in group)

    sweep.run(found, Collect(), lambda step: None, ways=sweep.Ways(loaders=3))
    assert {(job.data_dir, job.loaders) for job in jobs} == {(tmp_path / "store", 3)} and len(jobs) == 4
    assert jobs[0].cost == sweep.cost(jobs[0].planned.trial, tmp_path / "store")


def test_a_store_that_is_a_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "runs").write_text("")
    with pytest.raises(StoreError, match="this is a file; name a folder"):
        inventory.take(question(), tmp_path / "runs")


def test_the_test_labels_are_kept_once_and_by_content(ask: Ask) -> None:
    found = ask()
    digest = found.planned[0].data
    assert found.store.labels(digest) is None
    inventory.keep_labels(found)
    kept = found.store.labels(digest)
    images = data.load(found.planned[0].trial.data)
    assert kept is not None and (kept[0] == images.test_labels).all() and kept[1] == tuple("0123456789")
    (file,) = files.matching(found.store.path, "labels/*")
    before = file.stat().st_mtime_ns
    inventory.keep_labels(ask())
    assert file.stat().st_mtime_ns == before and file.name == f"{digest}.parquet"


def test_labels_that_cannot_be_kept_stop_no_command(ask: Ask, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> None:
        raise StoreError("no room")

    monkeypatch.setattr(files, "write", full)
    inventory.keep_labels(ask())
    assert ask().store.labels(ask().planned[0].data) is None


def test_a_sweep_with_nothing_to_run_keeps_the_labels_that_an_older_one_did_not(ask: Ask) -> None:
    found = ask(seeds=1)
    sweep.run(found, Local(), lambda step: None)
    (file,) = files.matching(found.store.path, "labels/*")
    files.remove(file)
    sweep.run(found.again(), Local(), lambda step: pytest.fail("nothing is to be run"))
    assert found.store.labels(found.planned[0].data) is not None
