"""Files that are cut, flipped, empty or of something else: never a result, never a crash, mended by a command."""

import json
import random
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from benchmarks import kill
from senet_lab import catalog, inventory, store, sweep
from senet_lab.cli import app
from senet_lab.executors.local import Local
from senet_lab.inventory import Inventory
from senet_lab.jobs import Job
from senet_lab.records import Environment, TrialRecord
from senet_lab.trial import run_trial

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("undrawn")]
Damage = Callable[[bytes], bytes]


def flipped(at: float, bit: int = 1) -> Damage:
    """A bit of the byte at this part of the file, turned."""

    def damage(whole: bytes) -> bytes:
        place = int(at * (len(whole) - 1))
        return whole[:place] + bytes([whole[place] ^ bit]) + whole[place + 1 :]

    return damage


DAMAGE: dict[str, Damage] = {
    "empty": lambda whole: b"",
    "first byte": lambda whole: whole[:1],
    "cut in the middle": lambda whole: whole[: len(whole) // 2],
    "last byte lost": lambda whole: whole[:-1],
    "zeros after a power cut": lambda whole: bytes(len(whole)),
    "second half zeros": lambda whole: whole[: len(whole) // 2] + bytes(len(whole) - len(whole) // 2),
    "rubbish": lambda whole: random.Random(0).randbytes(len(whole)),
    "brackets": lambda whole: b"[" * 200_000,
    "flipped early": flipped(0.02),
    "flipped in the middle": flipped(0.5),
    "flipped late": flipped(0.97, 0x10),
}
RECORD_DAMAGE: dict[str, Damage] = DAMAGE | {
    "a digit of the test error": lambda whole: whole.replace(b'"error": 0.', b'"error": 0.1', 1),
    "another status": lambda whole: whole.replace(b'"done"', b'"failed"'),
    "the digest's name": lambda whole: whole.replace(b'"sha256"', b'"sha257"').replace(b'"error": 0.', b'"error": 0.1'),
    "no digest's value": lambda whole: whole.replace(b'"sha256": "', b'"sha256": null, "x": "'),
}


def ask(folder: Path, seeds: int = 2) -> Inventory:
    kill.write(folder, epochs=2)
    question = catalog.derive(catalog.read(folder / "sweeps" / "small.py"), {}, seeds=seeds)
    return inventory.take(question, folder / "runs")


def run(folder: Path, seeds: int = 2) -> None:
    found = ask(folder, seeds)
    with found.store.locked():
        sweep.run(found, Local(), lambda step: None)


def typed(monkeypatch: pytest.MonkeyPatch, folder: Path, *arguments: str) -> Result:
    monkeypatch.chdir(folder)
    return CliRunner().invoke(app, [*arguments], catch_exceptions=False)


def job(found: Inventory, number: int = 0) -> Job:
    planned = found.planned[number]
    return Job(planned, found.store.sweep, str(found.store.root), "e", sweep.cost(planned.trial))


def begun(found: Inventory, number: int = 0) -> Path:
    """The run folder of a trial that was cut off after its first epoch."""
    trial = run_trial(job(found, number))
    next(iter(trial))
    folder = found.store.folder(found.planned[number])
    assert isinstance(folder, Path) and store.load_state(folder)
    return folder


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A sweep that nothing happened to."""
    folder = tmp_path_factory.mktemp("whole")
    run(folder)
    return folder


@pytest.fixture
def here(whole: Path, tmp_path: Path) -> Path:
    """A copy of it."""
    shutil.copytree(whole, tmp_path, dirs_exist_ok=True)
    return tmp_path


@pytest.mark.parametrize("damage", RECORD_DAMAGE)
def test_a_damaged_record_is_no_result_and_is_made_again(
    here: Path, whole: Path, damage: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = sorted(here.glob("runs/small/*seed-1*/record.json"))[0]
    path.write_bytes(RECORD_DAMAGE[damage](path.read_bytes()))
    assert ask(here).plan.counts() == {"done": 3, "interrupted": 1}
    done = typed(monkeypatch, here, "report", "small", "--seeds", "2")
    assert done.exit_code == 0, done.output
    table = (here / "reports" / "small+seeds-2" / "trials.csv").read_text().splitlines()
    assert len(table) == 1 + 3, "what is damaged enters no mean"
    run(here)
    assert kill.results(here) == kill.results(whole)


def test_every_command_reads_past_what_is_damaged(here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for number, path in enumerate(sorted(here.glob("runs/small/**/*.json"))):
        path.write_bytes([*DAMAGE.values()][number](path.read_bytes()))
    whole = sorted(here.glob("runs/small/*/record.json"))[0]
    run(here)
    whole.write_bytes(b"")
    for command in (["plan", "small", "--seeds", "2"], ["report", "small", "--seeds", "2"], ["list"]):
        done = typed(monkeypatch, here, *command)
        assert done.exit_code == 0, done.output


def test_no_flipped_bit_of_a_record_changes_a_result(here: Path) -> None:
    """Either the file says what it said, or it says nothing."""
    path = sorted(here.glob("runs/small/*seed-1*/record.json"))[0]
    content, chance = path.read_bytes(), random.Random(1)
    known = {r.id: r for r in ask(here).records}
    tried = ask(here).store
    for place in range(0, len(content), 11):
        path.write_bytes(content[:place] + bytes([content[place] ^ 1 << chance.randrange(8)]) + content[place + 1 :])
        for record in tried.contents()[0]:
            assert record == known[record.id], place


@pytest.mark.parametrize("damage", DAMAGE)
def test_a_damaged_checkpoint_is_passed_over(tmp_path: Path, whole: Path, damage: str) -> None:
    folder = begun(ask(tmp_path))
    path = folder / "state.bin"
    path.write_bytes(DAMAGE[damage](path.read_bytes()))
    run(tmp_path)
    assert kill.results(tmp_path) == kill.results(whole)
    assert {p.name for p in folder.iterdir()} == {"trial.json", "gates.parquet", "record.json"}


@pytest.mark.parametrize("damage", DAMAGE)
def test_damaged_gates_are_none_and_their_trial_is_done(
    here: Path, damage: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = sorted(here.glob("runs/small/*/gates.parquet"))[0]
    content = path.read_bytes()
    record = next(r for r in ask(here).records if path.parent.name.endswith(r.id))
    assert store.load_gates(path.parent, record) == content
    path.write_bytes(DAMAGE[damage](content))
    assert store.load_gates(path.parent, record) is None
    assert ask(here).plan.counts() == {"done": 4}
    assert typed(monkeypatch, here, "report", "small", "--seeds", "2").exit_code == 0


@pytest.mark.parametrize("damage", DAMAGE)
def test_damaged_labels_are_none_and_written_anew(here: Path, damage: str) -> None:
    """A bit that is turned where no label is may change nothing."""
    (path,) = (here / "runs" / "small" / "labels").iterdir()
    content, known = path.read_bytes(), ask(here).store.labels(path.stem)
    assert known is not None
    path.write_bytes(DAMAGE[damage](content))
    found = ask(here).store.labels(path.stem)
    assert found is None or (found[0].tolist(), found[1]) == (known[0].tolist(), known[1])
    assert found is None or damage.startswith("flipped")
    inventory.keep_labels(ask(here))
    assert found is not None or path.read_bytes() == content


@pytest.mark.parametrize("other", [1, 2], ids=["another network", "another seed of the same network"])
def test_a_whole_checkpoint_of_another_trial_is_passed_over(tmp_path: Path, whole: Path, other: int) -> None:
    found = ask(tmp_path)
    mine, strange = begun(found), begun(found, other)
    assert found.planned[2].trial.model == found.planned[0].trial.model
    shutil.copy(strange / "state.bin", mine / "state.bin")
    run(tmp_path)
    assert kill.results(tmp_path) == kill.results(whole)


def test_a_whole_record_of_another_trial_stands_for_no_other(here: Path, whole: Path) -> None:
    one, two = sorted(here.glob("runs/small/*/record.json"))[:2]
    shutil.copy(one, two)
    assert ask(here).plan.counts() == {"done": 3, "missing": 1}
    run(here)
    assert kill.results(here) == kill.results(whole)


@pytest.mark.parametrize("damage", [*DAMAGE, "another id", "another key"])
def test_a_damaged_trial_json_is_written_anew(
    tmp_path: Path, whole: Path, damage: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = begun(ask(tmp_path)) / "trial.json"
    content = path.read_bytes()
    more: dict[str, Damage] = {
        "another id": lambda b: b.replace(b'"id":', b'"id": "0" , "x":'),
        "another key": lambda b: b.replace(b"fingerprint", b"fingerprinu"),
    }
    path.write_bytes((DAMAGE | more)[damage](content))
    assert ask(tmp_path).plan.counts().total() == 4
    assert typed(monkeypatch, tmp_path, "plan", "small", "--seeds", "2", "--probe", "0").exit_code == 0
    run(tmp_path)
    assert path.read_bytes() == content
    assert kill.results(tmp_path) == kill.results(whole)


@pytest.mark.parametrize("damage", DAMAGE)
def test_a_damaged_environment_file_counts_as_not_there(
    here: Path, damage: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    (path,) = (here / "runs" / "small" / "environments").iterdir()
    content = path.read_bytes()
    path.write_bytes(DAMAGE[damage](content))
    assert ask(here).store.environment(path.stem) is None
    assert typed(monkeypatch, here, "report", "small", "--seeds", "2").exit_code == 0
    ask(here).store.save_environment(Environment.model_validate_json(content))
    assert path.read_bytes() == content


def test_what_killed_processes_left_is_taken_away(here: Path) -> None:
    """Half-written files, a checkpoint beside a result, a lock of a process that is no more."""
    folder = sorted(here.glob("runs/small/*seed-0*"))[0]
    before = {p.name for p in folder.iterdir()}
    for name in (".state.bin.0123abcd", ".record.json.0123abcd", "state.bin"):
        (folder / name).write_bytes(b"half")
    (here / "runs" / "small" / "environments" / ".e.json.0123abcd").write_bytes(b"half")
    (here / "runs" / "small" / ".lock").write_text("4711")
    with ask(here).store.locked():
        assert {p.name for p in folder.iterdir()} == before
    assert [p.name for p in (here / "runs").rglob(".*")] == [".lock"]


def test_a_file_that_is_taken_away_while_it_is_written_is_written_again(tmp_path: Path) -> None:
    """A process that outlives its command may meet the next one, which tidies up."""
    from senet_lab import files

    replace, stolen = Path.replace, []

    def robbed(self: Path, target: Path) -> Path:
        if not stolen:
            stolen.append(self)
            self.unlink()
        return replace(self, target)

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(Path, "replace", robbed)
        files.write(tmp_path / "folder" / "state.bin", b"whole")
    assert stolen and (tmp_path / "folder" / "state.bin").read_bytes() == b"whole"


@pytest.mark.parametrize("order", ["abbabaabab", "aaababbbba", "abaaaabbbb", "bababbbaaa"])
def test_two_processes_with_one_trial_make_one_result(tmp_path: Path, whole: Path, order: str) -> None:
    """A worker that outlives its command, and the next command's: an older checkpoint over a newer one, a checkpoint
    beside a result, a result over a result."""
    found = ask(tmp_path)
    both = {name: run_trial(job(found)) for name in "ab"}
    for name in order:
        next(both[name], None)
    run(tmp_path)
    assert kill.results(tmp_path) == kill.results(whole)
    assert {p.name for p in tmp_path.glob("runs/small/*seed*/*")} == {"trial.json", "gates.parquet", "record.json"}
    assert kill.gates(tmp_path) == kill.gates(whole)


def test_a_failure_that_comes_late_replaces_no_result(here: Path) -> None:
    path = sorted(here.glob("runs/small/*/record.json"))[0]
    content = path.read_bytes()
    facts = {k: v for k, v in json.loads(content).items() if k != "sha256"} | {"status": "failed", "test": None}
    store.finish(path.parent, TrialRecord.model_validate(facts))
    assert path.read_bytes() == content
