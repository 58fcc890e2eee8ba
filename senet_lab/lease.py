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
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path

from senet_lab import files
from senet_lab.errors import StoreError
from senet_lab.files import Place

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
def _beating(path: Place, tell: Callable[[str], object]) -> Iterator[None]:
    known = files.read(path)
    if known is not None:
        tell(f"{path.parent}: another command was here; waiting {SILENT_SECONDS:.0f} s to see whether it still runs")
        _wait_for_silence(path, known)
    mine = uuid.uuid4().hex
    stop = threading.Event()
    _beat(path, mine, 0)
    stop.wait(SETTLE_SECONDS)  # of two that begin at once, the later write stands
    if _holder(files.read(path)).get("holder") != mine:
        raise _busy(path.parent, "from another machine or terminal")
    thread = threading.Thread(target=_beat_on, args=(path, mine, stop, tell), name="lease", daemon=True)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()
        with contextlib.suppress(StoreError):
            if _holder(files.read(path)).get("holder") == mine:
                files.remove(path)


def _wait_for_silence(path: Place, known: bytes) -> None:
    """Return once the holder's file is gone or has not changed for long enough."""
    pause = threading.Event()
    for _ in range(round(SILENT_SECONDS)):
        pause.wait(1.0)
        now = files.read(path)
        if now is None:
            return
        if now != known:
            found = _holder(now)
            raise _busy(path.parent, f"on {found.get('host', '?')}, process {found.get('process', '?')}")


def _beat_on(path: Place, mine: str, stop: threading.Event, tell: Callable[[str], object]) -> None:
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
            _beat(path, mine, beat)


def _beat(path: Place, mine: str, beat: int) -> None:
    said = {"holder": mine, "host": platform.node(), "process": os.getpid(), "beat": beat}
    files.write(path, json.dumps(said).encode())


def _holder(content: bytes | None) -> dict[str, object]:
    with contextlib.suppress(ValueError):
        found = json.loads(content or b"")
        if isinstance(found, dict):
            return found
    return {}


def _busy(folder: Place, where: str) -> StoreError:
    return StoreError(f"{folder}: another command is running this sweep {where}; wait for it, or stop it with Ctrl-C")
