"""A trial by whatever people have of it."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from senet_lab import lookup, store, sweep
from senet_lab.errors import StoreError, UserError
from senet_lab.executors.local import Local
from senet_lab.inventory import Inventory
from senet_lab.lookup import as_json, find

Ask = Callable[..., Inventory]


@pytest.fixture
def root(ask: Ask, tmp_path: Path) -> Path:
    """A store with reduction=2 and no_se, two seeds each."""
    sweep.run(ask(), Local(), lambda step: None)
    return tmp_path / "runs"


def test_a_trial_is_found_by_each_of_its_names(ask: Ask, root: Path) -> None:
    for planned in ask().planned:
        folder = ask().store.folder(planned)
        for words in (planned.id, planned.id[:8], folder.name, str(folder), f"{folder}/", planned.name):
            found = find(root, words)
            assert found.record is not None and found.record.id == planned.id
            assert (found.state, found.name, found.entry.folder) == ("done", planned.name, folder)
            assert found.environment is not None and len(found.epochs) == 2


def test_another_sweep_of_the_same_store_is_looked_through_too(root: Path) -> None:
    shutil.copytree(root / "tiny", root / "other")
    alike = find(root, "no_se seed=1", "other").entry
    assert alike.sweep == "other"
    for words in ("no_se seed=1", alike.id, alike.folder.name):
        with pytest.raises(UserError, match="names a trial that 2 sweeps have; give --sweep") as told:
            find(root, words)
        assert "other: no_se seed=1, done, 2 epochs" in str(told.value) and "tiny: no_se seed=1" in str(told.value)
        assert f", e.g. --sweep other, or its run folder, e.g. other/{alike.folder.name}" in str(told.value)
    for sweep_ in ("other", "tiny"):
        for words in (f"{sweep_}/{alike.folder.name}", f"{root}/{sweep_}/{alike.folder.name}/"):
            assert find(root, words).entry.sweep == sweep_
    with pytest.raises(UserError, match="names 8 trials; give one of their ids, or --sweep:"):
        find(root, "")


def test_ambiguous_and_unknown_words_are_answered_with_what_comes_near(ask: Ask, root: Path) -> None:
    with pytest.raises(UserError, match="names 4 trials"):
        find(root, "")
    with pytest.raises(UserError, match=r"names no trial of the 4 in .*near it:\n.*reduction=2 seed="):
        find(root, "reduction=2 seed=5")
    wrong = ask().planned[0].id[:-1] + "z"
    with pytest.raises(UserError, match=ask().planned[0].id):
        find(root, wrong)


@pytest.mark.parametrize("words", ["../../etc", "tiny/..", ".", "*", "[", "no_se seed=", "seed=0", "\n"])
def test_words_are_never_a_path_or_a_pattern(words: str, root: Path) -> None:
    with pytest.raises(UserError, match="names no trial"):
        find(root, words)


def test_no_store_and_no_such_sweep_are_told(root: Path, tmp_path: Path) -> None:
    with pytest.raises(UserError, match="there are no trials here"):
        find(tmp_path / "nowhere", "x")
    with pytest.raises(UserError, match=r"\(sweep tinny\): there are no trials here"):
        find(root, "x", "tinny")
    with pytest.raises(StoreError, match="cannot name a run folder"):
        find(root, "x", "../tiny")
    (tmp_path / "file").write_text("")
    with pytest.raises(StoreError, match="this is a file"):
        find(tmp_path / "file", "x")


def test_a_trial_that_did_not_end_is_interrupted(ask: Ask, root: Path) -> None:
    begun = ask(seeds=3).planned[-1]
    ask().store.open(begun)
    found = find(root, begun.id)
    assert (found.state, found.record, found.epochs, found.name) == ("interrupted", None, (), "no_se seed=2")
    assert as_json(found)["record"] is None


def test_json_is_the_record_with_its_surroundings_and_no_credentials(ask: Ask, root: Path) -> None:
    trial = ask().planned[0]
    record = next(r for r in ask().records if r.id == trial.id)
    kept = record.model_dump(mode="json")
    lost = record.model_copy(update={"traceback": "lost http://user:canary@host/x?token=canary"})
    store.finish(ask().store.folder(trial), lost)
    told = json.loads(json.dumps(as_json(find(root, trial.id)), allow_nan=False))
    assert told["record"]["traceback"] == "lost http://host/x" and "canary" not in json.dumps(told["record"])
    assert {k: v for k, v in told["record"].items() if k != "traceback"} == {
        k: v for k, v in kept.items() if k != "traceback"
    }
    assert told["environment"]["packages"]["torch"] and told["state"] == "done" and len(told["epochs"]) == 2


def test_entries_tell_row_and_seed_of_a_folder() -> None:
    entry = lookup.Entry("tiny", Path("runs/tiny/a_seed-b_seed-12_0123456789ab"))
    assert (entry.id, entry.name) == ("0123456789ab", "a_seed-b seed=12")
