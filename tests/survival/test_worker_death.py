"""A worker that is killed while it trains: its trial goes on from its last checkpoint, as if nothing had been."""

import os
import signal
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from benchmarks import kill
from senet_lab import catalog, inventory, sweep
from senet_lab.executors.local import Local
from senet_lab.executors.ray_tune import RayTune
from senet_lab.executors.slot import Slot
from senet_lab.jobs import Step

pytestmark = pytest.mark.slow
EPOCHS = 100


def worker_of(folder: Path) -> int:
    """A process that trains in `folder` and has a checkpoint there."""
    until = time.monotonic() + 90
    while time.monotonic() < until:
        time.sleep(0.05)
        if not any(folder.glob("runs/small/*/state.bin")):
            continue
        for place in Path("/proc").glob("[0-9]*"):
            try:
                if (place / "cwd").readlink() == folder and b"Trainable" in (place / "cmdline").read_bytes():
                    return int(place.name)
            except OSError:
                continue
    raise AssertionError("no worker trains")


@pytest.mark.long
def test_a_killed_worker_is_nothing_to_its_trial(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    kill.write(tmp_path, epochs=EPOCHS)
    question = catalog.read(tmp_path / "sweeps" / "small.py")
    with ThreadPoolExecutor(1) as murderer:
        murder = murderer.submit(lambda: os.kill(worker_of(tmp_path), signal.SIGKILL))
        heard: dict[str, list[Step]] = {}
        sweep.run(
            inventory.take(question, tmp_path / "runs"),
            RayTune(Slot(at_once=1)),
            lambda step: heard.setdefault(step.planned.id, []).append(step),
        )
        murder.result()
    sweep.run(inventory.take(question, tmp_path / "quiet"), Local(), lambda step: None)

    ours, theirs = (inventory.take(question, tmp_path / name) for name in ("runs", "quiet"))
    assert ours.plan.counts() == {"done": 2}
    for mine, other in zip(ours.records, theirs.records, strict=True):
        steps = heard[mine.id]
        assert steps[0].epochs == () and steps[0].record is None, "a start comes first"
        assert [s.record is not None for s in steps] == [False] * (len(steps) - 1) + [True], "a record comes last, once"
        told = [m.epoch for s in steps for m in s.epochs]
        assert told == sorted(set(told)), "no epoch twice, none out of order"
        assert [m.epoch for m in mine.epochs] == list(range(1, EPOCHS + 1))
        assert mine.test == other.test and mine.attempts == 1 and mine.status == "done"
        assert [m.model_dump(exclude={"seconds"}) for m in mine.epochs] == [
            m.model_dump(exclude={"seconds"}) for m in other.epochs
        ]
    starts = [sum(not s.epochs and s.record is None for s in steps) for steps in heard.values()]
    assert sorted(starts) == [1, 2], "the killed one began twice"
