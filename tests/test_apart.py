"""Calls in other processes: their answers, errors and deaths, and that they outlive nobody."""

import os
import signal
import subprocess
import sys
import time
from concurrent.futures.process import BrokenProcessPool
from pathlib import Path

import pytest

from senet_lab.apart import Helpers, apart, at_once, here

ASKED = {
    "apart": "apart(sleep, sys.argv[1])",
    "helpers": "Helpers(1, 'json').ask(sleep, sys.argv[1]); time.sleep(60)",
}
SLEEPER = """
import sys, time
from senet_lab.apart import Helpers, apart
from tests.test_apart import sleep
if __name__ == "__main__":
    {}
"""
INTERRUPTED = """
import signal, sys, time
from pathlib import Path
from senet_lab.apart import Helpers
if __name__ == "__main__":
    folder = Path(sys.argv[1])
    signal.signal(signal.SIGINT, lambda number, frame: None)
    (folder / "begun").touch()
    helpers = Helpers(1, "pandas")
    helpers.ask(Path.touch, folder / "done")
    while not (folder / "done").exists():
        time.sleep(0.01)
    time.sleep(0.5)  # the last Ctrl-C is not to hit an interpreter that ends
    helpers.end()
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


def meet(folder: Path) -> tuple[int, int, str, bool]:
    """Its process, how many are there when it ends, its environment, and whether it is deaf to Ctrl-C."""
    (folder / str(os.getpid())).touch()
    until = time.monotonic() + 30
    while len(list(folder.iterdir())) < 2 and time.monotonic() < until:
        time.sleep(0.01)
    deaf = signal.SIGINT in signal.pthread_sigmask(signal.SIG_BLOCK, [])
    return os.getpid(), len(list(folder.iterdir())), os.environ["SAID"], deaf


def test_several_at_once_are_there_at_one_time_and_have_what_was_switched(tmp_path: Path) -> None:
    told = at_once(2, {"SAID": "yes"}, meet, tmp_path)
    assert {t[0] for t in told} == {int(p.name) for p in tmp_path.iterdir()} and len(told) == 2
    assert [t[1:] for t in told] == [(2, "yes", True)] * 2
    assert "SAID" not in os.environ and signal.SIGINT not in signal.pthread_sigmask(signal.SIG_BLOCK, [])


def test_of_several_an_error_and_a_death_are_told() -> None:
    with pytest.raises(ZeroDivisionError):
        at_once(2, {}, divmod, 1, 0)
    with pytest.raises(BrokenProcessPool):
        at_once(2, {}, os._exit, 1)


def work(folder: Path, number: int) -> tuple[int, bool]:
    time.sleep(0.1)
    (folder / str(number)).touch()
    return os.getpid(), "wave" in sys.modules


def test_helpers_have_imported_what_they_were_told_and_work_ahead(tmp_path: Path) -> None:
    helpers = Helpers(1, "wave")
    answers = [helpers.ask(work, tmp_path, number) for number in range(6)]
    until = time.monotonic() + 60
    while not (tmp_path / "1").exists() and time.monotonic() < until:
        time.sleep(0.01)
    last, first = answers[-1](), answers[0]()
    assert last[0] == os.getpid(), "nobody had begun with the last one"
    assert first[0] != os.getpid() and first[1]
    assert [answer()[0] for answer in answers[:2]] == [first[0]] * 2
    helpers.end()


def ready(folder: Path) -> Helpers:
    """One that takes calls at once."""
    helpers = Helpers(1, "json")
    helpers.ask(work, folder, 0)
    until = time.monotonic() + 60
    while not (folder / "0").exists() and time.monotonic() < until:
        time.sleep(0.01)
    time.sleep(0.2)
    return helpers


def test_errors_of_helpers_are_raised_where_the_answer_is_wanted(tmp_path: Path) -> None:
    helpers = ready(tmp_path)
    wrong = helpers.ask(divmod, 1, 0)
    time.sleep(0.2)
    with pytest.raises(ZeroDivisionError):
        wrong()
    helpers.end()


def test_what_nobody_has_begun_at_the_end_is_forgotten(tmp_path: Path) -> None:
    helpers = Helpers(1, "json")
    for number in range(50):
        helpers.ask(work, tmp_path, number)
    until = time.monotonic() + 60
    while not list(tmp_path.iterdir()) and time.monotonic() < until:
        time.sleep(0.01)
    helpers.end()
    time.sleep(1)
    assert 1 <= len(list(tmp_path.iterdir())) < 10


def home_or_no_memory(home: int) -> str:
    if os.getpid() != home:
        raise MemoryError
    return "home"


def test_a_helper_without_memory_costs_no_answer(tmp_path: Path) -> None:
    helpers = ready(tmp_path)
    answers = [helpers.ask(home_or_no_memory, os.getpid()) for _ in range(3)]
    time.sleep(0.2)
    assert [answer() for answer in answers] == ["home"] * 3
    helpers.end()


def home_or_death(home: int) -> str:
    """As where a process needs more memory than there is."""
    if os.getpid() != home:
        os._exit(9)
    return "home"


def test_a_helper_that_dies_costs_no_answer(tmp_path: Path) -> None:
    helpers = ready(tmp_path)
    answers = [helpers.ask(home_or_death, os.getpid()) for _ in range(4)]
    time.sleep(0.2)
    assert [answer() for answer in answers] == ["home"] * 4
    assert helpers.ask(home_or_death, os.getpid())() == "home", "and of those that are asked for later"


def test_without_help_the_call_is_made_when_its_answer_is_wanted(tmp_path: Path) -> None:
    answer = here(work, tmp_path, 1)
    assert not list(tmp_path.iterdir())
    assert answer()[0] == os.getpid()


def test_ctrl_c_is_the_parents_alone(tmp_path: Path) -> None:
    """A terminal sends it to all processes of a command."""
    script = tmp_path / "ask.py"
    script.write_text(INTERRUPTED)
    asking = subprocess.Popen(
        [sys.executable, script, tmp_path],
        env=os.environ | {"PYTHONPATH": str(Path(__file__).parent.parent)},
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    until = time.monotonic() + 60
    while not (tmp_path / "done").exists() and time.monotonic() < until:
        time.sleep(0.02)
        if (tmp_path / "begun").exists():  # while helpers start, import and work
            os.killpg(asking.pid, signal.SIGINT)
    _, err = asking.communicate(timeout=60)
    assert (asking.returncode, err) == (0, "")
    assert (tmp_path / "done").exists()


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
