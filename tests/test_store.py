"""Run folders: whole or not there, and never more than bytes."""

import ast
import hashlib
import json
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
from upath import UPath

import senet_lab
from senet_lab import environment, labels, plan, store
from senet_lab import files as files_of
from senet_lab.design import Variant
from senet_lab.errors import StoreError
from senet_lab.files import Place
from senet_lab.plan import PlannedTrial, StoredTrial
from senet_lab.records import TrialRecord
from senet_lab.spec import Data, Model, Train, Trial
from senet_lab.store import Store

TRIAL = Trial(
    model=Model(depth=4, widths=(4,)),
    data=Data(source="digits", validation=100),
    train=Train(epochs=1, batch_size=256, learning_rate=0.1),
)


def planned(label: str = "row", seed: int = 0) -> PlannedTrial:
    return plan.wanted([Variant(label, {}, TRIAL)], seed + 1, lambda _: "data")[seed]


def record(of: PlannedTrial, **changes: object) -> TrialRecord:
    known = {"id": of.id, "sweep": "tiny", "variant": "row", "settings": {}, "trial": of.trial, "code": of.code}
    known |= {
        "fingerprint": of.fingerprint,
        "data": of.data,
        "status": "done",
        "started_at": 1.0,
        "ended_at": 3.0,
        "seconds": 2.0,
    }
    return TrialRecord.model_validate(known | {"environment": "e"} | changes)


@pytest.fixture
def on_disk(tmp_path: Path) -> Store:
    return Store(tmp_path / "runs", "tiny")


@pytest.fixture(params=["disk", "address"])
def tiny(request: pytest.FixtureRequest, on_disk: Store) -> Iterator[Store]:
    """An empty store on a disk, and one behind an address."""
    if request.param == "disk":
        yield on_disk
        return
    root = UPath(f"memory://{uuid.uuid4().hex}/runs")
    yield Store(str(root), "tiny")
    if root.exists():
        root.fs.rm(root.path, recursive=True)


def files(folder: Place) -> set[str]:
    return {p.name for p in folder.iterdir()}


def test_a_missing_folder_is_an_empty_store(tiny: Store) -> None:
    assert tiny.contents() == ([], [])
    assert not tiny.path.exists()


def test_a_trial_that_began_is_interrupted_until_its_record_is_there(tiny: Store) -> None:
    asked = planned()
    folder = tiny.open(asked)
    assert folder.name == f"row_seed-0_{asked.id}"
    assert tiny.contents() == ([], [StoredTrial(asked.id, asked.fingerprint, "interrupted")])
    store.save_state(folder, b"half way")
    store.finish(folder, record(asked))
    assert tiny.contents() == ([record(asked)], [])
    assert files(folder) == {"trial.json", "record.json"}


@pytest.mark.parametrize("status", ["failed", "stopped"])
def test_the_checkpoint_of_a_trial_that_is_not_done_is_kept_to_go_on_from(tiny: Store, status: str) -> None:
    folder = tiny.open(planned())
    store.save_state(folder, b"half way")
    store.finish(folder, record(planned(), status=status))
    with tiny.locked():
        assert store.load_state(folder) == b"half way"
    assert tiny.contents()[0][0].status == status


def test_opening_again_changes_nothing(on_disk: Store) -> None:
    folder = on_disk.open(planned())
    before = (folder / "trial.json").stat().st_mtime_ns
    assert on_disk.open(planned()) == folder
    assert (folder / "trial.json").stat().st_mtime_ns == before


def test_a_trial_keeps_its_folder_when_its_row_is_renamed(tiny: Store) -> None:
    folder = tiny.open(planned("old name"))
    assert tiny.open(planned("new name")) == folder
    assert len(list(tiny.path.iterdir())) == 1


def test_a_state_comes_back_byte_for_byte(tiny: Store) -> None:
    folder = tiny.open(planned())
    for payload in (b"", b"\0\1\2" * 1000, b"newer"):
        store.save_state(folder, payload)
        assert store.load_state(folder) == payload


DAMAGE: dict[str, Callable[[bytes], bytes]] = {
    "empty": lambda b: b"",
    "cut": lambda b: b[:-1],
    "cut inside the digest": lambda b: b[:10],
    "a bit flipped": lambda b: b[:-1] + bytes([b[-1] ^ 1]),
    "a bit of the digest flipped": lambda b: bytes([b[0] ^ 1]) + b[1:],
    "longer": lambda b: b + b"x",
}


@pytest.mark.parametrize("damage", DAMAGE)
def test_a_damaged_state_is_no_state(tiny: Store, damage: str) -> None:
    folder = tiny.open(planned())
    store.save_state(folder, b"half way")
    path = folder / "state.bin"
    path.write_bytes(DAMAGE[damage](path.read_bytes()))
    assert store.load_state(folder) is None


def test_no_state_is_none(tiny: Store) -> None:
    assert store.load_state(tiny.open(planned())) is None


@pytest.mark.parametrize("content", [b"", b"{", b"\xff\xfe", b'{"schema_version": 2'])
def test_a_record_that_cannot_be_read_counts_as_not_there(tiny: Store, content: bytes) -> None:
    asked = planned()
    folder = tiny.open(asked)
    (folder / "record.json").write_bytes(content)
    assert tiny.contents() == ([], [StoredTrial(asked.id, asked.fingerprint, "interrupted")])


@pytest.mark.parametrize("content", [b"{}", b"null", b'{"schema_version": 2}'])
def test_a_record_of_another_version_is_an_error_and_never_written_over(tiny: Store, content: bytes) -> None:
    (tiny.open(planned()) / "record.json").write_bytes(content)
    with pytest.raises(StoreError, match=r"record\.json: this was written by another version .* use that version"):
        tiny.contents()


def test_a_store_is_one_commands_at_a_time(on_disk: Store) -> None:
    with on_disk.locked():
        with pytest.raises(StoreError, match="another command is running this sweep here"), on_disk.locked():
            pass
        with Store(on_disk.path.parent, "another").locked():
            pass
    with on_disk.locked():
        pass


def test_a_record_cut_at_any_byte_counts_as_not_there(tiny: Store) -> None:
    asked = planned()
    folder = tiny.open(asked)
    store.finish(folder, record(asked))
    whole = (folder / "record.json").read_bytes()
    for length in range(0, len(whole) - 1, 37):
        (folder / "record.json").write_bytes(whole[:length])
        assert tiny.contents()[0] == []


def test_strangers_in_the_folder_are_passed_over(tiny: Store) -> None:
    store.finish(tiny.open(planned()), record(planned()))
    (tiny.path / "notes.txt").write_text("mine")
    (tiny.path / "empty").mkdir()
    (tiny.path / ".hidden").mkdir()
    assert len(tiny.contents()[0]) == 1 and tiny.contents()[1] == []


class PowerCut(BaseException):
    """Nothing may catch it."""


@pytest.mark.parametrize("name", ["state.bin", "record.json"])
def test_a_crash_between_writing_and_moving_leaves_the_old_file(
    on_disk: Store, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = on_disk.open(planned())

    def write(seconds: float) -> None:
        if name == "state.bin":
            store.save_state(folder, str(seconds).encode())
        else:
            store.finish(folder, record(planned(), status="failed", seconds=seconds))

    write(1.0)
    old = (folder / name).read_bytes()

    def crash(self: Path, target: Path) -> Path:
        assert b"2.0" in self.read_bytes()  # the new one is whole, and aside
        raise PowerCut

    with monkeypatch.context() as patched, pytest.raises(PowerCut):
        patched.setattr(Path, "replace", crash)
        write(2.0)
    assert (folder / name).read_bytes() == old
    assert len(on_disk.contents()[0]) == (name == "record.json")
    write(3.0)
    assert b"3.0" in (folder / name).read_bytes()


def test_a_disk_that_is_full_is_a_store_error_with_a_remedy_and_leaves_no_litter(
    on_disk: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = on_disk.open(planned())

    def full(self: Path, target: Path) -> Path:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "replace", full)
    with pytest.raises(StoreError, match=r"state\.bin: cannot be written \(No space left on device\).*--store"):
        store.save_state(folder, b"x")
    assert files(folder) == {"trial.json"}


@pytest.mark.parametrize("method", ["read_bytes", "iterdir"])
def test_a_record_that_may_not_be_read_is_an_error_and_not_a_missing_trial(
    on_disk: Store, method: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    store.finish(on_disk.open(planned()), record(planned()))

    def denied(self: Path) -> bytes:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, method, denied)
    with pytest.raises(StoreError, match=r"cannot be read \(Permission denied\)"):
        on_disk.contents()


def test_a_store_that_is_a_file_is_a_store_error(tmp_path: Path) -> None:
    (tmp_path / "runs").write_text("not a folder")
    with pytest.raises(StoreError, match="this is a file; name a folder"):
        Store(tmp_path / "runs", "tiny").open(planned())


@pytest.mark.parametrize("name", ["", ".", "..", "../up", "a/b", "a\\b", "/x", ".x", "a b", "ä", "a\n", "x" * 300])
def test_names_that_lead_elsewhere_are_refused(name: str, tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="cannot name a run folder; allowed"):
        Store(tmp_path, name)


@pytest.mark.parametrize("label", ["../../up", "a/b", "x" * 500, "..", "a\nb", "gate=tanh,stages=2+3"])
def test_whatever_a_row_is_called_its_folder_stays_inside(tiny: Store, label: str) -> None:
    folder = tiny.open(planned(label))
    assert folder.parent == tiny.path and folder.is_dir()
    assert str(folder.resolve().parent) == str(tiny.path.resolve())
    assert len(folder.name) < 200


def test_the_environment_is_kept_once_and_found_by_its_digest(tiny: Store) -> None:
    found = environment.collect()
    digest = tiny.save_environment(found)
    assert tiny.save_environment(found) == digest
    assert tiny.environment(digest) == found
    assert tiny.save_environment(found.model_copy(update={"command": "another"})) != digest
    assert tiny.environment("unknown") is None
    assert tiny.contents() == ([], [])


def test_gates_are_those_of_the_record_or_none(tiny: Store) -> None:
    folder = tiny.open(planned())
    digest = store.save_gates(folder, b"open and shut")
    assert digest == hashlib.sha256(b"open and shut").hexdigest()
    mine = record(planned(), gates=digest)
    store.finish(folder, mine)
    assert files(folder) == {"trial.json", "gates.parquet", "record.json"}
    ((kept,), begun) = tiny.contents()
    assert kept == mine and begun == [] and store.load_gates(folder, kept) == b"open and shut"
    assert store.load_gates(folder, record(planned())) is None, "an older record knows of none"
    assert store.load_gates(folder, record(planned(), gates="0" * 64)) is None
    for damage in DAMAGE.values():
        (folder / "gates.parquet").write_bytes(damage(b"open and shut"))
        assert store.load_gates(folder, kept) is None and tiny.contents() == ([kept], [])
    files_of.remove(folder / "gates.parquet")
    assert store.load_gates(folder, kept) is None and tiny.contents() == ([kept], [])


@pytest.mark.parametrize("sealed", [True, False])
def test_a_record_from_before_there_were_gates_is_whole(tiny: Store, sealed: bool) -> None:
    """Without the key, under a digest over the other keys, or as the first version wrote it."""
    folder = tiny.open(planned())
    old = {k: v for k, v in json.loads(record(planned()).model_dump_json()).items() if k != "gates"}
    digest = hashlib.sha256(json.dumps(old, sort_keys=True, separators=(",", ":")).encode()).hexdigest()
    payload = {"sha256": digest, **old} if sealed else old
    (folder / "record.json").write_bytes(json.dumps(payload, indent=1).encode())
    assert tiny.contents() == ([record(planned())], [])


def test_labels_are_found_by_the_digest_of_their_data(tiny: Store) -> None:
    assert tiny.labels("d1") is None
    tiny.save_labels("d1", labels.to_bytes(np.array([1, 0, 1]), ("a", "b")))
    found = tiny.labels("d1")
    assert found is not None and (found[0].tolist(), found[1]) == ([1, 0, 1], ("a", "b"))
    assert tiny.labels("d2") is None and tiny.contents() == ([], []), "its folder is no trial's"
    (tiny.path / "labels" / "d1.parquet").write_bytes(b"rubbish")
    assert tiny.labels("d1") is None


@pytest.mark.parametrize("name", ["../d1", "a/b", "", ".."])
def test_no_record_leads_labels_elsewhere(tiny: Store, name: str) -> None:
    assert tiny.labels(name) is None


def test_what_is_written_is_plain_json(tiny: Store) -> None:
    folder = tiny.open(planned())
    store.finish(folder, record(planned()))
    assert json.loads((folder / "record.json").read_text())["status"] == "done"
    assert json.loads((folder / "trial.json").read_text())["id"] == planned().id


def test_nothing_in_the_package_unpickles() -> None:
    """But for the official CIFAR archives, which are pickles: their reader calls nothing that a pickle asks for."""
    loads = []
    for path in Path(senet_lab.__file__).parent.rglob("*.py"):
        tree = ast.parse(path.read_text(encoding="utf-8"))
        for node in ast.walk(tree):
            if isinstance(node, ast.Import | ast.ImportFrom) and path.name != "unpickle.py":
                names = {alias.name for alias in node.names} | {getattr(node, "module", None)}
                assert not names & {"pickle", "cloudpickle", "dill", "joblib", "shelve", "marshal"}, path
            if isinstance(node, ast.Call) and ast.unparse(node.func) in {"torch.load", "np.load", "numpy.load"}:
                loads.append((ast.unparse(node.func), {k.arg: ast.unparse(k.value) for k in node.keywords}))
    of_torch = [keywords for name, keywords in loads if name == "torch.load"]
    assert of_torch and all(keywords.get("weights_only") == "True" for keywords in of_torch)
    assert all(keywords.get("allow_pickle", "False") == "False" for _, keywords in loads)
