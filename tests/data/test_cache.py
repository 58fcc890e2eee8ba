"""What is kept: whole or not at all, made once, whatever happens meanwhile."""

import json
import multiprocessing
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from senet_lab.data import cache

ARRAY = np.arange(12, dtype=np.uint8).reshape(3, 4)


class Maker:
    """Writes one array and some bytes, and counts how often."""

    def __init__(self) -> None:
        self.calls = 0

    def __call__(self, folder: Path) -> tuple[str, ...]:
        self.calls += 1
        np.save(folder / "a.npy", ARRAY)
        (folder / "b.bin").write_bytes(b"bytes")
        return ("one", "two")


def assert_whole(kept: cache.Kept) -> None:
    arrays, classes = kept
    assert set(arrays) == {"a", "b"} and classes == ("one", "two")
    assert np.array_equal(arrays["a"], ARRAY) and arrays["b"].tobytes() == b"bytes"
    assert isinstance(arrays["a"], np.memmap) and not arrays["a"].flags.writeable


def test_it_is_made_once_and_then_mapped(tmp_path: Path) -> None:
    make = Maker()
    for _ in range(3):
        assert_whole(cache.keep(tmp_path / "c" / "x", make))
    assert make.calls == 1
    assert {p.name for p in (tmp_path / "c").iterdir()} == {"x", "x.lock"}


def cut(file: Path) -> None:
    file.write_bytes(file.read_bytes()[:-3])


DAMAGES: dict[str, Callable[[Path], object]] = {
    "an array is gone": lambda folder: (folder / "a.npy").unlink(),
    "an array is cut": lambda folder: cut(folder / "a.npy"),
    "bytes are cut": lambda folder: cut(folder / "b.bin"),
    "no manifest": lambda folder: (folder / "manifest.json").unlink(),
    "a manifest of zeros": lambda folder: (folder / "manifest.json").write_bytes(b"\0" * 90),
    "another manifest": lambda folder: (folder / "manifest.json").write_text("[1]"),
    "no array at all": lambda folder: (folder / "a.npy").write_bytes(b"x" * (folder / "a.npy").stat().st_size),
    "an older layout": lambda folder: (folder / "manifest.json").write_text(
        json.dumps(json.loads((folder / "manifest.json").read_text()) | {"layout": 0})
    ),
}


@pytest.mark.parametrize("damage", DAMAGES.values(), ids=DAMAGES)
def test_what_is_damaged_is_made_again(damage: Callable[[Path], object], tmp_path: Path) -> None:
    make = Maker()
    cache.keep(tmp_path / "x", make)
    damage(tmp_path / "x")
    assert_whole(cache.keep(tmp_path / "x", make))
    assert make.calls == 2


def test_a_failure_leaves_nothing(tmp_path: Path) -> None:
    def fail(folder: Path) -> tuple[str, ...]:
        np.save(folder / "a.npy", ARRAY)
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        cache.keep(tmp_path / "x", fail)
    assert [p.name for p in tmp_path.iterdir()] == ["x.lock"]


def test_a_process_that_is_killed_leaves_nothing_that_counts(tmp_path: Path) -> None:
    code = (
        "import sys, time\nfrom pathlib import Path\nfrom senet_lab.data import cache\n"
        "def make(folder):\n    (folder / 'a.npy').write_bytes(b'half')\n    print('begun', flush=True)\n"
        "    time.sleep(60)\n"
        f"cache.keep(Path({str(tmp_path / 'x')!r}), make)"
    )
    running = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True)
    assert running.stdout is not None and running.stdout.readline() == "begun\n"
    os.kill(running.pid, signal.SIGKILL)
    running.communicate()
    assert [p.name for p in tmp_path.glob(".x.*")] != []
    make = Maker()
    assert_whole(cache.keep(tmp_path / "x", make))
    assert make.calls == 1
    assert {p.name for p in tmp_path.iterdir()} == {"x", "x.lock"}


def _slow(folder: Path) -> tuple[str, ...]:
    (folder.parent / f"made-{os.getpid()}").touch()
    time.sleep(0.3)
    return Maker()(folder)


def _open(folder: Path) -> None:
    assert_whole(cache.keep(folder, _slow))


def test_of_several_processes_one_works_and_the_others_wait(tmp_path: Path) -> None:
    fork = multiprocessing.get_context("fork")
    running = [fork.Process(target=_open, args=(tmp_path / "x",)) for _ in range(4)]
    for process in running:
        process.start()
    for process in running:
        process.join()
    assert [process.exitcode for process in running] == [0] * 4
    assert len(list(tmp_path.glob("made-*"))) == 1


def test_where_nothing_can_be_written_everything_works(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").write_text("no folder can be made in here")
    make = Maker()
    assert_whole(cache.keep(tmp_path / "file" / ".decoded" / "x", make))
    assert make.calls == 1
    (tmp_path / "raw").write_bytes(b"abc")
    assert cache.sha256(tmp_path / "raw", tmp_path / "file") == cache.text_digest("abc")


def test_a_file_is_hashed_once_until_it_changes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    raw = tmp_path / "raw"
    raw.write_bytes(b"abc")
    assert cache.sha256(raw, tmp_path / "c") == cache.text_digest("abc")
    with monkeypatch.context() as patched:
        patched.setattr(cache.hashlib, "file_digest", lambda *_: pytest.fail("read again"))
        assert cache.sha256(raw, tmp_path / "c") == cache.text_digest("abc")
    raw.write_bytes(b"abd")
    os.utime(raw, ns=(1, 1))
    assert cache.sha256(raw, tmp_path / "c") == cache.text_digest("abd")
    for note in (tmp_path / "c" / "hashes").iterdir():
        note.write_bytes(b"\0\0")
    assert cache.sha256(raw, tmp_path / "c") == cache.text_digest("abd")
