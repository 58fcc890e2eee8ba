"""One command at a time: a live holder is respected, a dead one is found out, and nobody waits for ever."""

import errno
import fcntl
import json
import os
import signal
import subprocess
import sys
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from fsspec.implementations.memory import MemoryFileSystem
from upath import UPath

from senet_lab import files, lease
from senet_lab.errors import StoreError

BEAT, SILENT, SETTLE = 0.03, 0.7, 0.2


@pytest.fixture
def folder(monkeypatch: pytest.MonkeyPatch) -> Iterator[UPath]:
    """A sweep's folder behind an address, where a lease is a matter of tenths of seconds."""
    monkeypatch.setattr(lease, "BEAT_SECONDS", BEAT)
    monkeypatch.setattr(lease, "SILENT_SECONDS", SILENT)
    monkeypatch.setattr(lease, "SETTLE_SECONDS", SETTLE)
    yield UPath(f"memory://{uuid.uuid4().hex}/runs/tiny")
    assert not [t for t in threading.enumerate() if t.name == "lease"], "no thread stays behind"


def lock(folder: UPath) -> dict[str, object]:
    content = files.read(folder / ".lock")
    return {} if content is None else dict(json.loads(content))


def leave_behind(
    folder: UPath, content: bytes = b'{"holder": "dead", "host": "there", "process": 7, "beat": 3}'
) -> None:
    """What a holder leaves that was killed."""
    files.write(folder / ".lock", content)


def take_over(folder: UPath, holder: str) -> None:
    """What another command does to a holder that was frozen for long; a beat that is under way may come after it."""
    while lock(folder).get("holder") != holder:
        leave_behind(folder, json.dumps({"holder": holder, "host": "there", "process": 7, "beat": 0}).encode())
        time.sleep(4 * BEAT)


def wait_until(true: Callable[[], bool]) -> None:
    until = time.monotonic() + 20
    while not true():
        assert time.monotonic() < until, "it did not come about"
        time.sleep(0.005)


def test_on_a_disk_the_second_is_told_at_once_and_others_are_not_kept(tmp_path: Path) -> None:
    told: list[str] = []
    with lease.held(tmp_path / "a"):
        with pytest.raises(StoreError, match="a: another command is running this sweep here; wait for it, or stop it"):
            ExitStack().enter_context(lease.held(tmp_path / "a", told.append))
        with lease.held(tmp_path / "b"):
            pass
    with lease.held(tmp_path / "a", told.append):
        pass
    assert told == []


def test_on_a_disk_the_lock_ends_with_the_process_however_it_ends(tmp_path: Path) -> None:
    code = (
        "import sys, time; from pathlib import Path; from senet_lab import lease\n"
        "with lease.held(Path(sys.argv[1])):\n    print('held', flush=True)\n    time.sleep(120)"
    )
    holder = subprocess.Popen([sys.executable, "-c", code, str(tmp_path)], stdout=subprocess.PIPE, text=True)
    assert holder.stdout is not None and holder.stdout.readline() == "held\n"
    with pytest.raises(StoreError, match="another command"), lease.held(tmp_path):
        pass
    holder.send_signal(signal.SIGKILL)
    holder.communicate()
    with lease.held(tmp_path):
        pass


@pytest.mark.parametrize("code", [errno.ENOLCK, errno.EOPNOTSUPP])
def test_a_shared_disk_that_knows_no_locks_is_told(tmp_path: Path, code: int, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(file: object, how: int) -> None:
        raise OSError(code, os.strerror(code))

    monkeypatch.setattr(fcntl, "flock", refuse)
    with pytest.raises(StoreError, match=rf"\.lock: .*{os.strerror(code)}.*--store"), lease.held(tmp_path):
        pass


def test_a_folder_that_cannot_be_made_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(StoreError, match=r"cannot be written .*--store"), lease.held(tmp_path / "file" / "tiny"):
        pass


def test_the_lease_names_its_holder_beats_and_goes_away(folder: UPath) -> None:
    told: list[str] = []
    with lease.held(folder, told.append):
        first = lock(folder)
        assert first["process"] == os.getpid() and first["host"]
        wait_until(lambda: lock(folder)["beat"] != first["beat"])
        assert lock(folder)["holder"] == first["holder"]
    assert lock(folder) == {} and told == [], "nobody waits where nobody was"


def test_a_lease_ends_with_an_error_too(folder: UPath) -> None:
    with pytest.raises(ZeroDivisionError), lease.held(folder):
        raise ZeroDivisionError
    assert lock(folder) == {}


def test_a_live_holder_is_respected_and_named(folder: UPath) -> None:
    told: list[str] = []
    with lease.held(folder):
        mine = lock(folder)["holder"]
        with pytest.raises(StoreError, match=rf"running this sweep on .+, process {os.getpid()}; wait for it"):
            ExitStack().enter_context(lease.held(folder, told.append))
        assert lock(folder)["holder"] == mine, "it is still the first one's"
    assert len(told) == 1 and "another command was here; waiting" in told[0]


@pytest.mark.parametrize("content", [b'{"holder": "dead", "beat": 3}', b"", b"[1]", b"\xff"])
def test_a_dead_holder_is_waited_for_and_no_longer_than_that(folder: UPath, content: bytes) -> None:
    leave_behind(folder, content)
    told: list[str] = []
    began = time.monotonic()
    with lease.held(folder, told.append):
        assert time.monotonic() - began >= SILENT
        assert lock(folder)["process"] == os.getpid()
    assert len(told) == 1 and lock(folder) == {}


def test_a_holder_that_ends_meanwhile_is_followed_at_once(folder: UPath, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lease, "SILENT_SECONDS", 60.0)
    leave_behind(folder)
    with lease.held(folder, lambda _: files.remove(folder / ".lock")):
        assert lock(folder)["process"] == os.getpid()


def test_a_slow_holder_that_beats_late_is_still_seen(folder: UPath) -> None:
    leave_behind(folder)
    late = threading.Timer(SILENT * 0.6, leave_behind, [folder, b'{"host": "there", "process": 7, "beat": 4}'])
    late.start()
    with pytest.raises(StoreError, match="on there, process 7"), lease.held(folder):
        pass
    late.join()
    assert lock(folder)["beat"] == 4


def test_clocks_say_nothing(folder: UPath, monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither the machines' clocks nor the files' times are looked at."""
    with lease.held(folder), monkeypatch.context() as patched:
        patched.setattr(time, "time", lambda: 4e9)
        with pytest.raises(StoreError, match="another command"), lease.held(folder):
            pass
    leave_behind(folder)
    monkeypatch.setattr(time, "time", lambda: 0.0)
    with lease.held(folder):
        pass


def race(folder: UPath, runners: int) -> list[str]:
    """What becomes of so many that begin at once; who gets it keeps it until all have been answered."""
    outcomes: list[str] = []
    start, answered = threading.Barrier(runners), threading.Event()

    def run() -> None:
        start.wait()
        try:
            with lease.held(folder):
                outcomes.append("held")
                answered.wait(20)
        except StoreError:
            outcomes.append("busy")

    threads = [threading.Thread(target=run) for _ in range(runners)]
    for thread in threads:
        thread.start()
    wait_until(lambda: len(outcomes) == runners)
    answered.set()
    for thread in threads:
        thread.join()
    return sorted(outcomes)


@pytest.mark.parametrize("left_behind", [False, True])
def test_of_those_who_begin_at_once_exactly_one_gets_it(folder: UPath, left_behind: bool) -> None:
    if left_behind:
        leave_behind(folder)
    assert race(folder, 4) == ["busy", "busy", "busy", "held"]
    assert lock(folder) == {}


def test_a_slow_network_lets_no_second_one_in(folder: UPath, monkeypatch: pytest.MonkeyPatch) -> None:
    """It looked before the first one wrote, and its own writing arrives long after."""
    put, slow, held = MemoryFileSystem.pipe_file, threading.Event(), threading.Event()

    def late(self: MemoryFileSystem, path: str, value: bytes, **how: str) -> None:
        if threading.current_thread().name == "slow" and how:
            slow.set()
            held.wait(20)
        put(self, path, value, **how)

    monkeypatch.setattr(MemoryFileSystem, "pipe_file", late)
    outcome: list[str] = []

    def second() -> None:
        try:
            with lease.held(folder):
                outcome.append("held")
        except StoreError:
            outcome.append("busy")

    thread = threading.Thread(target=second, name="slow")
    thread.start()
    assert slow.wait(20)
    with lease.held(folder):
        held.set()
        thread.join()
    assert outcome == ["busy"]


def test_a_network_that_is_away_for_a_moment_ends_nothing(folder: UPath, monkeypatch: pytest.MonkeyPatch) -> None:
    away = threading.Event()
    read, failures = MemoryFileSystem.cat_file, []

    def cat(self: MemoryFileSystem, path: str, **how: object) -> bytes:
        if away.is_set():
            failures.append(path)
            raise ConnectionError("Could not connect")
        return bytes(read(self, path, **how))

    monkeypatch.setattr(MemoryFileSystem, "cat_file", cat)
    with lease.held(folder):
        away.set()
        wait_until(lambda: len(failures) >= 3)
        away.clear()
        before = lock(folder)["beat"]
        wait_until(lambda: lock(folder)["beat"] != before)
        away.set()  # at the end it is away again
    away.clear()
    assert lock(folder) != {}, "it could not be taken away, and is found to be silent"
    with lease.held(folder):
        pass


def test_a_network_that_is_away_at_the_start_is_told(folder: UPath, monkeypatch: pytest.MonkeyPatch) -> None:
    def away(self: MemoryFileSystem, path: str, **how: object) -> bytes:
        raise ConnectionError("Could not connect")

    monkeypatch.setattr(MemoryFileSystem, "cat_file", away)
    with pytest.raises(StoreError, match=r"\.lock: cannot be read \(Could not connect\)"), lease.held(folder):
        pass


def test_a_frozen_holder_that_wakes_up_leaves_the_lease_to_the_other(folder: UPath) -> None:
    told: list[str] = []
    with pytest.raises(KeyboardInterrupt), lease.held(folder, told.append):
        take_over(folder, "another")
        time.sleep(20)
    assert lock(folder)["holder"] == "another", "and does not take it away"
    assert len(told) == 1 and "another took the sweep over; this one stops" in told[0]


def test_an_interrupt_before_the_lease_is_sure_leaves_nothing(folder: UPath, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupt(self: threading.Event, timeout: float | None = None) -> bool:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched, pytest.raises(KeyboardInterrupt):
        patched.setattr(threading.Event, "wait", interrupt)
        ExitStack().enter_context(lease.held(folder))
    assert lock(folder) == {}
