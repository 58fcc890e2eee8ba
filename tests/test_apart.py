"""Calls in other processes: their answers, errors and deaths, and that they outlive nobody."""

import os
import signal
import subprocess
import sys
import time
from concurrent.futures.process import BrokenProcessPool
from pathlib import Path

import pytest

from senet_lab.apart import apart, crew, here, prepare

ASKED = {
    "apart": "apart(sleep, sys.argv[1])",
    "crew": "with crew(1) as submit: submit(sleep, sys.argv[1]).result()",
}
SLEEPER = """
import sys
from senet_lab.apart import apart, crew
from tests.test_apart import sleep
if __name__ == "__main__":
    {}
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


def modules(*names: str) -> tuple[int, list[bool]]:
    return os.getpid(), [name in sys.modules for name in names]


def test_a_crew_has_imported_what_it_was_prepared_for() -> None:
    prepare("senet_lab.results.artifacts")
    with crew(2) as submit:
        found = [submit(modules, "senet_lab.results.artifacts", "seaborn", "torch") for _ in range(4)]
        pids, there = zip(*(one.result() for one in found), strict=True)
    assert os.getpid() not in pids and 1 <= len(set(pids)) <= 2
    assert list(there) == [[True, True, False]] * 4
    assert here(modules, "os").result() == (os.getpid(), [True])


def test_errors_and_deaths_in_a_crew() -> None:
    with crew(1) as submit:
        assert submit(max, 3, 5).result() == 5
        with pytest.raises(ZeroDivisionError):
            submit(divmod, 1, 0).result()
        with pytest.raises(BrokenProcessPool):
            submit(os._exit, 1).result()


def test_what_a_crew_has_not_begun_is_dropped_when_it_ends_early(tmp_path: Path) -> None:
    with pytest.raises(KeyboardInterrupt), crew(1) as submit:
        made = [submit(Path.touch, tmp_path / str(i)) for i in range(200)]
        made[0].result()
        raise KeyboardInterrupt
    assert 1 <= len(list(tmp_path.iterdir())) < 200


@pytest.mark.skipif(not Path("/proc").is_dir(), reason="needs /proc to see processes")
@pytest.mark.parametrize("way", ASKED)
def test_it_ends_with_the_one_that_asked(tmp_path: Path, way: str) -> None:
    note, script = tmp_path / "pid", tmp_path / "ask.py"
    script.write_text(SLEEPER.format(ASKED[way]))
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
