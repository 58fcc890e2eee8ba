"""Calls in other processes: they may crash, or leave a GPU's memory in disorder, without harm to this one; or take
their time while this one goes on."""

import contextlib
import os
import signal
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from multiprocessing import forkserver, get_context, parent_process
from typing import Any, TypeVar

Made = TypeVar("Made")
Submit = Callable[..., "Future[Any]"]
"""`submit(call, *given)` has `call(*given)` made by somebody; the answer is the future's result."""


def apart(call: Callable[..., Made], *given: object) -> Made:
    """What `call(*given)` returns there; raises what it raises, and BrokenProcessPool if the process dies."""
    with ProcessPoolExecutor(1, mp_context=get_context("spawn"), initializer=_end_with_parent) as child:
        return child.submit(call, *given).result()


def here(call: Callable[..., Made], *given: object) -> "Future[Made]":
    """The `Submit` of who has nobody: `call(*given)` in this process and at once; raises what it raises."""
    future: Future[Made] = Future()
    future.set_result(call(*given))
    return future


def prepare(module: str) -> None:
    """Begin to import `module`, in the background and for all that a later `crew` starts."""
    get_context("forkserver").set_forkserver_preload([module])
    forkserver.ensure_running()


@contextlib.contextmanager
def crew(count: int) -> Iterator[Submit]:
    """Up to `count` processes, each a copy of one that has imported what `prepare` was told of.

    A result raises BrokenProcessPool if one of them dies. What has not begun is not waited for where this ends early.
    """
    pool = ProcessPoolExecutor(count, mp_context=get_context("forkserver"), initializer=_deaf_to_interrupts)
    try:
        yield pool.submit
    finally:
        pool.shutdown(cancel_futures=True)


def _deaf_to_interrupts() -> None:
    """Ctrl-C is the parent's to answer: here it would only print a traceback."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    _end_with_parent()


def _end_with_parent() -> None:
    """Let this process die with the one that asks: a pool's worker holds both ends of its queue, and hears nothing."""
    threading.Thread(target=_watch, daemon=True).start()


def _watch() -> None:
    parent = parent_process()
    assert parent is not None
    parent.join()
    os._exit(1)
