"""The other end of `executors.processes`: a process that becomes several, each running one group after another."""

import contextlib
import os
import queue
import threading
from collections.abc import Sequence
from multiprocessing.connection import Connection
from typing import Any

from senet_lab.errors import StoreError
from senet_lab.jobs import Group


def main(lines: Sequence[int]) -> None:
    """Import all that trials need, become a process a line, and serve; `lines` are file descriptors of sockets.

    Ends with the driver, at once and whatever it is doing, as the line is closed then.
    """
    import torch

    import senet_lab.together  # noqa: F401  (and all that it needs, once instead of in each)

    torch.set_num_threads(1)  # no threads yet, so that copies are whole
    mine = lines[0]
    for line in lines[1:]:
        if os.fork() == 0:
            mine = line
            break
    for line in lines:
        if line != mine:
            os.close(line)  # else nobody would hear of it when its owner dies
    _serve(Connection(mine))


def _serve(line: "Connection[Any, Any]") -> None:
    """Say that this one is there, then run what comes and tell its steps; of a store's failure, the exception."""
    from senet_lab.together import steps

    os.register_at_fork(after_in_child=line.close)  # processes that decode images would keep it open after our death
    groups: queue.SimpleQueue[Group] = queue.SimpleQueue()
    threading.Thread(target=_listen, args=(line, groups), daemon=True).start()
    line.send(())
    while True:
        try:
            for told in steps(groups.get()):
                line.send(told)
        except StoreError as error:
            line.send(error)


def _listen(line: "Connection[Any, Any]", groups: "queue.SimpleQueue[Group]") -> None:
    with contextlib.suppress(EOFError, OSError):
        while True:
            groups.put(line.recv())
    os._exit(0)
