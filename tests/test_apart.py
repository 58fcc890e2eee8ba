"""A call in another process: its answer, its error, its death, and that it outlives nobody."""

import os
import signal
import subprocess
import sys
import time
from concurrent.futures.process import BrokenProcessPool
from pathlib import Path

import pytest

from senet_lab.apart import apart

SLEEPER = """
import sys, time
from senet_lab.apart import apart
from tests.test_apart import sleep
if __name__ == "__main__":
    apart(sleep, sys.argv[1])
"""


def sleep(note: str) -> None:
    Path(note).write_text(str(os.getpid()))
    time.sleep(60)


def test_its_answer_and_its_process() -> None:
    assert apart(max, 3, 5) == 5
    assert apart(os.getpid) != os.getpid()


def test_its_error_and_its_death() -> None:
    with pytest.raises(ZeroDivisionError):
        apart(divmod, 1, 0)
    with pytest.raises(BrokenProcessPool):
        apart(os._exit, 1)


@pytest.mark.skipif(not Path("/proc").is_dir(), reason="needs /proc to see processes")
def test_it_ends_with_the_one_that_asked(tmp_path: Path) -> None:
    note, script = tmp_path / "pid", tmp_path / "ask.py"
    script.write_text(SLEEPER)
    root = Path(__file__).parent.parent
    asking = subprocess.Popen([sys.executable, script, note], env=os.environ | {"PYTHONPATH": str(root)})
    until = time.monotonic() + 60
    while not (note.exists() and note.read_text()) and time.monotonic() < until:
        time.sleep(0.05)
    child = Path("/proc") / note.read_text()
    assert child.is_dir()
    asking.send_signal(signal.SIGKILL)
    asking.wait()
    while child.is_dir() and time.monotonic() < until:
        time.sleep(0.05)
    assert not child.is_dir()
