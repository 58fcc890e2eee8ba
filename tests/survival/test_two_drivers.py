"""Two commands on one store: one runs, the other says so; a stopped one still has it."""

import os
import signal
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from benchmarks import kill
from senet_lab import files, lease
from tests.typed import typed

BUSY = "another command is running this sweep here; wait for it, or stop it with Ctrl-C"


def start(folder: Path, seeds: int) -> "subprocess.Popen[str]":
    return subprocess.Popen(
        [*kill.COMMAND, *kill.arguments(seeds, "local")],
        cwd=folder,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def wait_until(true: Callable[[], bool]) -> None:
    until = time.monotonic() + 120
    while not true():
        assert time.monotonic() < until, "it did not come about in two minutes"
        time.sleep(0.02)


@pytest.mark.long
@pytest.mark.slow
@pytest.mark.usefixtures("undrawn")
def test_of_two_that_start_at_once_one_runs(tmp_path: Path) -> None:
    kill.write(tmp_path, epochs=20)
    for seeds in (1, 2):  # in a folder where nothing is yet, and in one of a sweep that ended
        both = [start(tmp_path, seeds) for _ in range(2)]
        said = [one.communicate(timeout=180)[0] for one in both]
        codes = [one.returncode for one in both]
        assert sorted(codes) == [0, 2], said
        assert BUSY in said[codes.index(2)] and "Traceback" not in "".join(said)
        assert len(kill.results(tmp_path)) == 2 * seeds


@pytest.mark.long
@pytest.mark.slow
@pytest.mark.usefixtures("undrawn")
def test_a_stopped_command_keeps_its_store(tmp_path: Path) -> None:
    kill.write(tmp_path, epochs=20)
    first = start(tmp_path, 1)
    try:
        wait_until(lambda: any(tmp_path.glob("runs/small/*/state.bin")))
        os.kill(first.pid, signal.SIGSTOP)
        second = typed(tmp_path, *kill.arguments(1, "local"))
        assert second.code == 2 and BUSY in second.err, second
        assert typed(tmp_path, "plan", "small", "--probe", "0").code == 0
    finally:
        os.kill(first.pid, signal.SIGCONT)
    said, _ = first.communicate(timeout=120)
    assert first.returncode == 0, said
    assert len(kill.results(tmp_path)) == 2


@pytest.mark.long
def test_behind_an_address_a_command_that_stood_still_too_long_stops(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing but a file says there who has the sweep: the one that took it over goes on."""
    monkeypatch.setattr(lease, "BEAT_SECONDS", 0.05)
    monkeypatch.setattr(lease, "SETTLE_SECONDS", 0.05)
    folder, said = files.place("memory://stood-still/small"), list[str]()
    with pytest.raises(KeyboardInterrupt), lease.held(folder, said.append):
        files.write(folder / ".lock", b'{"holder": "another"}')
        time.sleep(30)
    assert "another took the sweep over" in said[-1]
    assert files.read(folder / ".lock") == b'{"holder": "another"}', "and keeps it"
