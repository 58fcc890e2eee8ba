"""Ctrl-C that cannot get lost, and that comes at a time that can bear it."""

import contextlib
import queue
import signal
import sys
import threading
from collections.abc import Callable, Iterator
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


@contextlib.contextmanager
def gently(stop: Callable[[], bool], say: Callable[[], None]) -> Iterator[None]:
    """Give the first Ctrl-C meanwhile to `stop`, and if that answers yes, let another thread `say` what it means.

    A later one, and one that `stop` does not take, does what it did before. Nothing may be printed where a signal is
    handled: whatever it interrupts may be printing.
    """
    before = signal.getsignal(signal.SIGINT)
    if threading.current_thread() is not threading.main_thread() or not callable(before):
        yield
        return
    taken: queue.SimpleQueue[bool] = queue.SimpleQueue()  # a lock could be held by what is interrupted

    def speak() -> None:
        if taken.get():
            say()

    def first(number: int, frame: FrameType | None) -> None:
        if stop():
            signal.signal(signal.SIGINT, before)
            taken.put(True)
        else:
            before(number, frame)

    speaker = threading.Thread(target=speak, daemon=True)
    speaker.start()
    signal.signal(signal.SIGINT, first)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)
        taken.put(False)


@contextlib.contextmanager
def remembered() -> Iterator[Callable[[], None]]:
    """Note every Ctrl-C meanwhile, which raises as ever; the call that is given raises again if there was one.

    Python drops an exception in a weakref callback or a `__del__` ("Exception ignored in"), also the KeyboardInterrupt
    of a Ctrl-C that arrives just then; Ray's driver has many of both.

    Who is called at all after a Ctrl-C was not stopped by it. Nothing is changed in another thread than the main one,
    or where SIGINT does something else already: it is ignored by what a shell runs in the background.
    """
    pressed = threading.Event()

    def note(number: int, frame: FrameType | None) -> None:
        pressed.set()
        signal.default_int_handler(number, frame)

    def check() -> None:
        if pressed.is_set():
            raise KeyboardInterrupt

    ours = threading.current_thread() is threading.main_thread()
    if not ours or signal.getsignal(signal.SIGINT) is not signal.default_int_handler:
        yield check
        return
    unraisable = sys.unraisablehook

    def quiet(dropped: "sys.UnraisableHookArgs") -> None:
        """Say nothing of a Ctrl-C that `check` raises again."""
        if not issubclass(dropped.exc_type, KeyboardInterrupt):
            unraisable(dropped)

    signal.signal(signal.SIGINT, note)
    sys.unraisablehook = quiet
    try:
        yield check
    finally:
        sys.unraisablehook = unraisable
        signal.signal(signal.SIGINT, signal.default_int_handler)
