"""One command at a time on one sweep's store.

On a disk the system's own file lock does it: it ends with the process, however that ends. Elsewhere the
holder writes a file anew every few seconds; one that stays as it is for a while was left by a dead process.
"""

import contextlib
import fcntl
import json
import os
import platform
import signal
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from senet_lab import files
from senet_lab.errors import StoreError
from senet_lab.files import Place

if TYPE_CHECKING:
    from upath import UPath

BEAT_SECONDS = 4.0
SILENT_SECONDS = 14.0
"""After so long without a beat its holder is dead. Only differences are watched, so clocks do not matter."""
SETTLE_SECONDS = 1.0


@contextlib.contextmanager
def held(folder: Place, tell: Callable[[str], object] = lambda text: None) -> Iterator[None]:
    """Keep other commands from running the sweep whose run folders are in `folder`.

    `tell` hears that it takes a while to find out whether another command still lives.
    Raises StoreError if one runs it already.
    """
    path = folder / ".lock"
    with _locked(path) if isinstance(path, Path) else _beating(path, tell):
        yield


@contextlib.contextmanager
def _locked(path: Path) -> Iterator[None]:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        file = path.open("a+")
    except OSError as error:
        raise files.unwritable(path, error) from error
    with file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise _busy(path.parent, "here") from None
        except OSError as error:  # a shared disk that knows no locks
            raise files.unwritable(path, error) from error
        yield


@contextlib.contextmanager
def _beating(path: "UPath", tell: Callable[[str], object]) -> Iterator[None]:
    known = files.read(path)
    if known is not None:
        tell(f"{path.parent}: another command was here; waiting {SILENT_SECONDS:.0f} s to see whether it still runs")
    put = files.write if known is not None and _left_behind(path, known) else files.write_new
    mine, stop = uuid.uuid4().hex, threading.Event()
    beats = threading.Thread(target=_beat_on, args=(path, mine, stop, tell), name="lease", daemon=True)
    try:
        put(path, _said(mine, 0))
        stop.wait(
            SETTLE_SECONDS
        )  # of two that begin at once, one stands: the first if the service can tell, or the last
        if _holder(files.read(path)).get("holder") != mine:
            raise _busy(path.parent, "from another machine or terminal")
        beats.start()
        yield
    finally:
        stop.set()
        if beats.ident is not None:
            beats.join()
        with contextlib.suppress(StoreError):
            if _holder(files.read(path)).get("holder") == mine:
                files.remove(path)


def _left_behind(path: Place, known: bytes) -> bool:
    """Wait; whether the file of a dead holder is still there. Raises StoreError if its holder lives."""
    until = time.monotonic() + SILENT_SECONDS
    while time.monotonic() < until:
        time.sleep(min(1.0, BEAT_SECONDS))
        now = files.read(path)  # once more after the last moment: we may have been frozen ourselves
        if now is None:
            return False
        if now != known:
            found = _holder(now)
            raise _busy(path.parent, f"on {found.get('host', '?')}, process {found.get('process', '?')}")
    return True


def _beat_on(path: "UPath", mine: str, stop: threading.Event, tell: Callable[[str], object]) -> None:
    """Show that we live. Whoever took us for dead while we stood still goes on, and we stop as if by Ctrl-C.

    What both wrote until now does no harm in the store, as equal trials write equal files; but MLflow would get
    runs twice.
    """
    beat = 0
    while not stop.wait(BEAT_SECONDS):
        beat += 1
        with contextlib.suppress(StoreError):  # a network that is away for a moment
            if _holder(files.read(path)).get("holder") not in (mine, None):
                tell(f"{path.parent}: this command stood still, and another took the sweep over; this one stops")
                signal.pthread_kill(threading.main_thread().ident or 0, signal.SIGINT)
                return
            files.write(path, _said(mine, beat))


def _said(mine: str, beat: int) -> bytes:
    return json.dumps({"holder": mine, "host": platform.node(), "process": os.getpid(), "beat": beat}).encode()


def _holder(content: bytes | None) -> dict[str, object]:
    with contextlib.suppress(ValueError):
        found = json.loads(content or b"")
        if isinstance(found, dict):
            return found
    return {}


def _busy(folder: Place, where: str) -> StoreError:
    return StoreError(f"{folder}: another command is running this sweep {where}; wait for it, or stop it with Ctrl-C")
