"""A disk with no room: one sentence, nothing half-written, and after room was made the same command ends it.

The disk is a real one of two megabytes. Where none may be mounted, files may not grow beyond two kilobytes instead.
"""

import os
import resource
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from benchmarks import kill
from senet_lab import catalog, inventory, store
from senet_lab.errors import StoreError
from senet_lab.jobs import Job
from senet_lab.records import Cost, EpochMetrics, TrialRecord
from senet_lab.trial import run_trial
from tests.typed import typed

LIMIT = 2048
LIMITED = f"""
import resource

said = open("/proc/self/cmdline", "rb").read()
if b"default_worker" in said or b"--executor\\0local" in said:
    resource.setrlimit(resource.RLIMIT_FSIZE, ({LIMIT}, resource.RLIM_INFINITY))
"""


class Disk:
    """A folder in which there is sometimes no room."""

    def __init__(self, folder: Path, mounted: bool) -> None:
        self.folder, self.mounted = folder, mounted
        self.environment = dict(os.environ)

    def fill(self, leave: int = 0) -> None:
        """Leave so many bytes; without a mount, for this process if none is left and else for commands."""
        if not self.mounted and not leave:
            resource.setrlimit(resource.RLIMIT_FSIZE, (LIMIT, resource.RLIM_INFINITY))
        elif not self.mounted:
            (self.folder / "sitecustomize.py").write_text(LIMITED)
            path = f"{self.folder}{os.pathsep}{os.environ.get('PYTHONPATH', '')}"
            self.environment["PYTHONPATH"] = path
        else:
            free = os.statvfs(self.folder)
            (self.folder / "filler").write_bytes(bytes(max(0, free.f_bavail * free.f_frsize - leave)))

    def make_room(self) -> None:
        if not self.mounted:
            resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
            self.environment = dict(os.environ)
            return
        (self.folder / "filler").unlink()


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Disk]:
    folder = tmp_path / "disk"
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=2m", "senet-lab", str(folder)]
    try:
        mounted = subprocess.run(mount, capture_output=True).returncode == 0
    except OSError:
        mounted = False
    yield (made := Disk(folder, mounted))
    if mounted:
        subprocess.run(["umount", "-l", str(folder)], check=True)
    else:
        made.make_room()


def job(folder: Path, root: Path) -> Job:
    kill.write(folder, epochs=3)
    found = inventory.take(catalog.read(folder / "sweeps" / "small.py"), root)
    return Job(found.planned[0], "small", root, "e", Cost(params=1, params_and_statistics=1, macs=1))


def facts(record: EpochMetrics | TrialRecord) -> object:
    assert isinstance(record, TrialRecord)
    return record.status, record.test, [m.model_dump(exclude={"seconds"}) for m in record.epochs]


@pytest.mark.parametrize("epochs", [1, 3], ids=["state.bin", "gates.parquet"])
def test_a_trial_whose_disk_is_full_keeps_what_it_had(tmp_path: Path, disk: Disk, epochs: int) -> None:
    """After one epoch the next checkpoint finds no room, after the last one the gates: what follows is the record."""
    mine = job(tmp_path, disk.folder)
    expected = facts(list(run_trial(job(tmp_path, tmp_path / "elsewhere")))[-1])
    trial = run_trial(mine)
    for _ in range(epochs):
        next(trial)
    folder = store.Store(disk.folder, "small").folder(mine.planned)
    before = store.load_state(folder)
    disk.fill()
    name = "state" if epochs == 1 else "gates"
    with pytest.raises(StoreError, match=rf"{name}\.\w+: cannot be written \(.*\); make room or rights there"):
        next(trial)
    assert {p.name for p in folder.iterdir()} == {"trial.json", "state.bin"}, "no litter"
    assert before is not None and store.load_state(folder) == before, "the earlier checkpoint is whole"
    disk.make_room()
    *rest, record = run_trial(mine)
    assert len(rest) == 3 - epochs, "it goes on from there"
    assert facts(record) == expected


@pytest.mark.long
@pytest.mark.slow
@pytest.mark.usefixtures("undrawn")
def test_a_sweep_whose_disk_is_full_ends_in_a_sentence(tmp_path: Path, disk: Disk) -> None:
    here, quiet = tmp_path / "here", tmp_path / "quiet"
    for folder in (here, quiet):
        kill.write(folder, epochs=3)
    (here / "runs").symlink_to(disk.folder)
    assert typed(here, *kill.arguments(1, "local")).code == 0
    for seeds, executor in ((2, "ray"), (3, "local")):
        had = kill.results(here)
        disk.fill(leave=3 * 4096)
        full = sweep(here, seeds, executor, disk)
        assert full.returncode == 2, full.stdout + full.stderr
        assert full.stderr.count("\n") == 1 and "make room or rights there" in full.stderr, full.stderr
        assert kill.results(here) == had, "what had ended is kept"
        left = {p.name for p in disk.folder.glob("small/*seed*/*")}
        assert left <= {"trial.json", "record.json", "gates.parquet", "state.bin"}, left
        disk.make_room()
        done = typed(here, *kill.arguments(seeds, executor))
        assert done.code == 0, done
    assert typed(quiet, *kill.arguments(3, "local")).code == 0
    assert list(kill.faults(here, quiet)) == []


def sweep(folder: Path, seeds: int, executor: str, disk: Disk) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [*kill.COMMAND, *kill.arguments(seeds, executor)],
        cwd=folder,
        env=disk.environment,
        capture_output=True,
        text=True,
        timeout=200,
    )
