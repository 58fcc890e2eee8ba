"""What took long to make, kept in the data folder: decoded images, and the SHA-256 of big files.

    .decoded/<digest>/          arrays, read memory-mapped, so that all processes share one copy
        manifest.json           their lengths in bytes; what does not fit it is made again
    .decoded/hashes/<path>.json

Made aside and moved into place whole, under a lock: a process that is killed leaves nothing that
counts, and of several that start at once one works and the others wait. Where nothing can be
written, everything still works and is made anew by every process.
"""

import contextlib
import fcntl
import hashlib
import json
import os
import shutil
import tempfile
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from senet_lab.errors import SenetLabError

FOLDER = ".decoded"
LAYOUT = 1
"""One more whenever the same files are decoded to other arrays."""

Kept = tuple[dict[str, NDArray[Any]], tuple[str, ...]]
"""Arrays by name, and the names of the classes."""
Make = Callable[[Path], tuple[str, ...]]
"""Writes NAME.npy and NAME.bin (bytes end to end) into a folder and returns the names of the classes."""


def keep(folder: Path, make: Make) -> Kept:
    """What `folder` holds; made first if it does not hold all of it."""
    if found := _read(folder):
        return found
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        lock = folder.with_name(f"{folder.name}.lock").open("a")
    except OSError:  # a data folder that is only for reading
        with tempfile.TemporaryDirectory() as name:  # what is mapped stays, without a name
            return _made(Path(name), make)
    with _locked(lock):
        # Another process may have made it while this one waited for the lock.
        try:
            return _read(folder) or _put(folder, make)
        except SenetLabError:  # damaged files: whoever waits for the lock will not be able to read them either
            Path(lock.name).unlink(missing_ok=True)
            raise


@contextlib.contextmanager
def leaving_nothing(folder: Path) -> Iterator[None]:
    """Where the files that are read turn out to be damaged, a `folder` that was not there before goes again."""
    new = [p for p in (folder / "hashes", folder, folder.parent) if not p.exists()]
    try:
        yield
    except SenetLabError:
        if folder in new:
            for note in (folder / "hashes").glob("*.json"):
                note.unlink(missing_ok=True)
        for empty in new:
            with contextlib.suppress(OSError):  # another process works there
                empty.rmdir()
        raise


def sha256(file: Path, folder: Path) -> str:
    """Of the bytes of `file`; remembered in `folder` by path, length and time of change."""
    stat = file.stat()
    mark = [str(file), stat.st_size, stat.st_mtime_ns]
    note = folder / "hashes" / f"{text_digest(str(file))[:16]}.json"
    with contextlib.suppress(OSError, ValueError, KeyError, TypeError):
        known = json.loads(note.read_text(encoding="utf-8"))
        if known["file"] == mark:
            return str(known["sha256"])
    with file.open("rb") as stream:
        found = hashlib.file_digest(stream, "sha256").hexdigest()
    with contextlib.suppress(OSError):
        note.parent.mkdir(parents=True, exist_ok=True)
        aside = note.with_name(f".{uuid.uuid4().hex}")
        aside.write_text(json.dumps({"file": mark, "sha256": found}), encoding="utf-8")
        aside.replace(note)
    return found


def text_digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def _read(folder: Path) -> Kept | None:
    """What is in `folder`, if it is whole."""
    try:
        manifest = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
        if manifest["layout"] != LAYOUT:
            return None
        files = {folder / name: length for name, length in manifest["bytes"].items()}
        if any(file.stat().st_size != length for file, length in files.items()):
            return None
        return {file.stem: _mapped(file) for file in files}, tuple(manifest["classes"])
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return None


def _mapped(file: Path) -> NDArray[Any]:
    if file.suffix == ".bin":
        return np.memmap(file, np.uint8, mode="r")
    array: NDArray[Any] = np.load(file, mmap_mode="r", allow_pickle=False)
    return array


def _put(folder: Path, make: Make) -> Kept:
    """Make aside, then move into place. Needs the lock."""
    for left_over in folder.parent.glob(f".{folder.name}.*"):  # by processes that were killed
        shutil.rmtree(left_over, ignore_errors=True)
    aside = folder.with_name(f".{folder.name}.{uuid.uuid4().hex}")
    aside.mkdir()
    try:
        _made(aside, make)
        if folder.exists():  # damaged, or of another layout
            shutil.rmtree(folder)
        aside.rename(folder)
    except BaseException:
        shutil.rmtree(aside, ignore_errors=True)
        raise
    found = _read(folder)
    assert found is not None
    return found


def _made(folder: Path, make: Make) -> Kept:
    classes = make(folder)
    files = sorted(folder.iterdir())
    for file in files:
        with file.open("rb") as stream:
            os.fsync(stream.fileno())
    manifest = {"layout": LAYOUT, "bytes": {f.name: f.stat().st_size for f in files}, "classes": classes}
    (folder / "manifest.json").write_text(json.dumps(manifest), encoding="utf-8")
    found = _read(folder)
    assert found is not None
    return found


@contextlib.contextmanager
def _locked(lock: Any) -> Iterator[None]:
    """One process at a time; it is free again when that process ends, however it ends."""
    with lock:
        with contextlib.suppress(OSError):  # file systems without locks: the last one wins
            fcntl.flock(lock, fcntl.LOCK_EX)
        yield
