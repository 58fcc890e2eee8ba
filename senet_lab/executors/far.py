"""Tune on the cluster itself, for a driver that reaches it by Ray's client alone (ray://).

Such a driver cannot hear Tune's callbacks, so the loop runs in a task over there and its steps come by a queue.
"""

import contextlib
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import ray
from ray.exceptions import RayTaskError
from ray.util.queue import Empty, Queue

from senet_lab.executors import Listener
from senet_lab.executors.judge import Watch
from senet_lab.executors.slot import Slot
from senet_lab.jobs import Group

WAIT_SECONDS = 0.5


def fit(groups: Sequence[Group], listener: Listener, slot: Slot, watch: Watch | None = None) -> None:
    """Run `groups` to their ends over there, telling `listener` every step in this thread."""
    queue = Queue(actor_options={"num_cpus": 0})
    task = ray.remote(num_cpus=0, max_retries=0)(_loop).remote(list(groups), queue, slot, watch)
    try:
        ended = False
        while not ended:
            ended = bool(ray.wait([task], timeout=0)[0])  # asked first, so that nothing put before is left behind
            for step in _waiting(queue):
                listener(step)
        ray.get(task)
    except RayTaskError as error:
        raise (error.cause if isinstance(error.cause, Exception) else error) from None
    finally:
        with contextlib.suppress(Exception):  # there may be nothing left over there
            ray.cancel(task, force=True)
            queue.shutdown(force=True)


def _waiting(queue: Any) -> list[Any]:
    """What came in, after a moment of waiting if there is nothing."""
    found = []
    try:
        found.append(queue.get(timeout=WAIT_SECONDS))
        found += queue.get_nowait_batch(queue.qsize())
    except Empty:
        pass
    return found


def _loop(groups: Sequence[Group], queue: Any, slot: Slot, watch: Watch | None) -> None:
    from senet_lab.executors import tune_loop

    with tempfile.TemporaryDirectory(prefix="senet-lab-tune-") as scratch:
        tune_loop.fit(groups, queue.put, slot, tune_loop.Terms(Path(scratch), watch=watch))
