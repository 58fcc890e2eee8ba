"""Calls in other processes: they may crash, or leave a GPU's memory in disorder, without harm to this one; or they take
their time while this one goes on."""

import os
import signal
import threading
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from functools import partial
from importlib import import_module
from multiprocessing import get_context, parent_process, resource_tracker
from typing import Any, TypeVar

Made = TypeVar("Made")
Ask = Callable[..., Callable[[], Any]]
"""`ask(call, *given)` is told early what will be wanted; what it returns is called for the answer, `call(*given)`."""
here: Ask = partial
"""Of who has no help: the call is made in this process, when its answer is wanted."""


def apart(call: Callable[..., Made], *given: object) -> Made:
    """What `call(*given)` returns there; raises what it raises, and BrokenProcessPool if the process dies."""
    with ProcessPoolExecutor(1, mp_context=get_context("spawn"), initializer=_end_with_parent) as child:
        return child.submit(call, *given).result()


class Helpers:
    """Processes that work ahead until this one ends; what none of them has begun when it is wanted is made here."""

    def __init__(self, count: int, module: str) -> None:
        """Start them; in the background they import `module`. Raises OSError where there can be none."""
        self._pool = ProcessPoolExecutor(count, mp_context=get_context("spawn"), initializer=_end_with_parent)
        for _ in range(count):
            self.ask(import_module, module)

    def ask(self, call: Callable[..., Made], *given: object) -> Callable[[], Made]:
        """An `Ask`."""
        resource_tracker.ensure_running()  # or the pool starts it, which unblocks what is blocked here
        before = signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGINT])  # inherited: Ctrl-C is this process's
        try:
            future = self._pool.submit(call, *given)
        except (BrokenProcessPool, OSError):
            return partial(call, *given)
        finally:
            signal.pthread_sigmask(signal.SIG_SETMASK, before)

        def answer() -> Made:
            if future.cancel():
                return call(*given)
            try:
                return future.result()
            except BrokenProcessPool:  # most often the machine's memory ran out
                return call(*given)

        return answer


def _end_with_parent() -> None:
    """Let this process die with the one that asks: a pool's worker holds both ends of its queue, and hears nothing."""
    threading.Thread(target=_watch, daemon=True).start()


def _watch() -> None:
    parent = parent_process()
    assert parent is not None
    parent.join()
    os._exit(1)
