"""Ctrl-C at a time that can bear it."""

import contextlib
import signal
import threading
from collections.abc import Iterator
from types import FrameType


@contextlib.contextmanager
def deferred() -> Iterator[None]:
    """Let a Ctrl-C wait until this ends, and raise it then.

    For whatever imports large libraries: one that is interrupted can leave Python's import lock held for ever (seen
    with torch on 3.11), and what is imported after it, be it only to say goodbye, waits for that lock.
    """
    before = signal.getsignal(signal.SIGINT)
    if threading.current_thread() is not threading.main_thread() or not callable(before):
        yield
        return
    pressed: list[FrameType | None] = []
    signal.signal(signal.SIGINT, lambda number, frame: pressed.append(frame))
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)
        if pressed:
            before(signal.SIGINT, pressed[0])
