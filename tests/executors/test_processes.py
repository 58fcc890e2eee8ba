"""Processes of our own: what a death costs, on either side."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from multiprocessing import Pipe
from pathlib import Path

import pytest

from senet_lab import catalog, inventory, sweep
from senet_lab.errors import Interrupted, UserError
from senet_lab.executors import processes
from senet_lab.executors.local import Local
from senet_lab.executors.processes import Processes
from senet_lab.inventory import Inventory
from senet_lab.jobs import Step

SWEEP = '''"""Does it survive?"""
import os
from pathlib import Path
from senet_lab import Data, Model, Sweep, Train, Trial, gate
from torch import nn

class Deadly(nn.Module):
    def forward(self, x):
        if self.training and not Path("spared").exists():
            {death}
        return x.sigmoid()

@gate("deadly")
def deadly():
    return Deadly()

SWEEP = Sweep(
    base=Trial(
        model=Model(depth=4, widths=(4,)),
        data=Data(source="digits", validation=100),
        train=Train(epochs=2, batch_size=64, learning_rate=0.1),
    ),
    grid={{"model.se.gate": ["deadly", "sigmoid"]}},
    baseline={{"model.se.gate": "sigmoid"}},
    seeds=2,
    margin=0.01,
)
'''
ONCE = 'Path("spared").touch(); os._exit(9)'
ALWAYS = 'print("out of luck", file=__import__("sys").stderr, flush=True); os._exit(9)'


def asked(folder: Path, death: str) -> Inventory:
    (folder / "deadly.py").write_text(SWEEP.format(death=death))
    return inventory.take(catalog.read(folder / "deadly.py"), folder / "runs")


def run(found: Inventory) -> list[Step]:
    steps: list[Step] = []
    sweep.run(found, Processes(2), steps.append)
    return steps


def test_a_worker_that_dies_is_replaced_and_costs_no_trial(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    found = asked(tmp_path, ONCE)
    steps = run(found)
    begun = [step.planned.id for step in steps if not step.epochs and step.record is None]
    records = {step.record.id: step.record for step in steps if step.record is not None}
    assert len(records) == 4 and {r.status for r in records.values()} == {"done"}
    assert len(begun) in (5, 6), "the dead one began twice; both may have died in one moment"
    undisturbed = inventory.take(found.question, tmp_path / "quiet")
    sweep.run(undisturbed, Local(), lambda step: None)
    assert {r.id: r.test for r in undisturbed.again().records} == {id: r.test for id, r in records.items()}


@pytest.mark.long
def test_a_trial_whose_worker_always_dies_fails_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    steps = run(asked(tmp_path, ALWAYS))
    records = [step.record for step in steps if step.record is not None]
    assert sorted(r.status for r in records) == ["done", "done", "failed", "failed"]
    for record in records:
        if record.status == "failed":
            assert record.variant == "gate=deadly" and record.attempts == 3
            assert "the worker process died 3 times (out of luck)" in (record.traceback or "")


def test_workers_that_cannot_begin_are_told(ask: Callable[..., Inventory], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(processes.SWITCHES, "PYTHONHOME", "/nowhere")  # no Python starts there
    with pytest.raises(UserError, match=r"died before they could begin \(.+\); .*--workers 1"):
        sweep.run(ask(), Processes(2), lambda step: None)


def test_no_worker_is_left_after_ctrl_c(
    tmp_path: Path, ask: Callable[..., Inventory], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)

    def stop(step: Step) -> None:
        raise KeyboardInterrupt

    with pytest.raises(Interrupted):
        sweep.run(ask(), Processes(2), stop)
    assert list(working_in(tmp_path)) == [os.getpid()]


def test_no_worker_outlives_a_driver_that_is_killed(tmp_path: Path) -> None:
    code = f"""
import sys; sys.path = {sys.path!r}
from pathlib import Path
from senet_lab import inventory, sweep
from senet_lab.executors.processes import Processes
from tests.conftest import TINY, question
long = TINY.model_copy(update={{"train": TINY.train.model_copy(update={{"epochs": 9999}})}})
sweep.run(inventory.take(question(base=long), Path("runs")), Processes(2), lambda step: print("step", flush=True))
"""
    driver = subprocess.Popen([sys.executable, "-c", code], cwd=tmp_path, stdout=subprocess.PIPE)
    assert driver.stdout is not None and driver.stdout.readline() == b"step\n"
    assert len(list(working_in(tmp_path))) == 3
    driver.kill()
    driver.wait()
    driver.stdout.close()
    until = time.monotonic() + 30
    while list(working_in(tmp_path)):
        assert time.monotonic() < until
        time.sleep(0.05)


def working_in(folder: Path) -> Iterator[int]:
    for place in Path("/proc").glob("[0-9]*"):
        try:
            if (place / "cwd").readlink() == folder:
                yield int(place.name)
        except OSError:
            continue


def test_workers_that_were_started_for_nothing_end() -> None:
    executor = Processes(1)
    executor.start()
    assert executor._crew is not None
    process = executor._crew._started[0]
    executor.stop()
    assert process.poll() is not None
    executor.stop()


SERVING = """
import os, signal, sys, types
sys.path = {path!r}

def steps(group):
    if os.fork() == 0:  # as a DataLoader does
        signal.pause()
    os._exit(9)

sys.modules["senet_lab.together"] = types.SimpleNamespace(steps=steps)
from multiprocessing.connection import Connection
from senet_lab.executors.worker import _serve
_serve(Connection({line}))
"""


def test_a_death_is_heard_of_though_a_process_of_the_workers_own_lives() -> None:
    ours, its = Pipe()
    code = SERVING.format(path=sys.path, line=its.fileno())
    process = subprocess.Popen([sys.executable, "-c", code], pass_fds=[its.fileno()], start_new_session=True)
    its.close()
    try:
        assert ours.recv() == ()
        ours.send("a group")
        assert ours.poll(60)
        with pytest.raises(EOFError):
            ours.recv()
    finally:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        ours.close()


def test_processes_that_have_ended_may_not_be_there_to_kill(monkeypatch: pytest.MonkeyPatch) -> None:
    """As macOS says it of those that nobody has waited for."""

    def refuse(*_: int) -> None:
        raise PermissionError

    crew = processes._Crew()
    crew._started.append(subprocess.Popen([sys.executable, "-c", ""]))
    monkeypatch.setattr(os, "killpg", refuse)
    crew.end()
    assert crew._started[0].returncode == 0
