"""One call in a process of its own: it may crash, or leave a GPU's memory in disorder, without harm to this one."""

import os
import threading
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context, parent_process
from typing import TypeVar

Made = TypeVar("Made")


def apart(call: Callable[..., Made], *given: object) -> Made:
    """What `call(*given)` returns there; raises what it raises, and BrokenProcessPool if the process dies."""
    with ProcessPoolExecutor(1, mp_context=get_context("spawn"), initializer=_end_with_parent) as child:
        return child.submit(call, *given).result()


def _end_with_parent() -> None:
    """Let this process die with the one that asks: a pool's worker holds both ends of its queue, and hears nothing."""
    threading.Thread(target=_watch, daemon=True).start()


def _watch() -> None:
    parent = parent_process()
    assert parent is not None
    parent.join()
    os._exit(1)
