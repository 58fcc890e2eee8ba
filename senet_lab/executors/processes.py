"""Jobs in processes of our own, one a core, without Ray: where trials are few and short, its start is what costs.

A worker says that it is there, is sent a group, tells its steps, and is sent the next one. The worker's end of a line
is held by that worker alone, so either side hears at once of the other's death.
"""

import contextlib
import os
import signal
import subprocess
import sys
import tempfile
from collections import Counter, deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from multiprocessing import Pipe
from multiprocessing.connection import Connection, wait
from typing import Any

from senet_lab.environment import cores
from senet_lab.errors import UserError
from senet_lab.executors import Listener, Wanted, everything
from senet_lab.executors.slot import SWITCHES
from senet_lab.jobs import Group, Job, Step

WORDS = 4096
"""Bytes of what workers said that are looked at for the last words."""


class Processes:
    """Runs trials in processes of one thread each, as many as there are cores or `at_once`."""

    def __init__(self, at_once: int | None = None, stays: bool = False) -> None:
        """`stays`: whether the workers outlive a `run` that returns, for the next one; `stop` ends them."""
        self.at_once = at_once or cores()
        self.stays = stays
        self._crew: _Crew | None = None

    def start(self) -> None:
        """Start the workers that are not there; they import in the background."""
        self._crew = self._crew or _Crew()
        missing = self.at_once - len(self._crew.workers)
        # macOS's own libraries do not survive being copied with a process.
        for count in [missing] * (missing > 0) if sys.platform == "linux" else [1] * missing:
            self._crew.start(count)

    def run(self, groups: Sequence[Group], listener: Listener, wanted: Wanted = everything) -> None:
        """Run `groups`; no worker is left when it ends, unless they stay and it returns.

        Raises UserError if the workers die before they could begin.
        """
        self.start()
        assert self._crew is not None
        with contextlib.ExitStack() as at_end:
            at_end.callback(self.stop)
            for step in _steps(self._crew, deque(groups), wanted):
                listener(step)
            if self.stays:
                at_end.pop_all()

    def stop(self) -> None:
        """End the workers, if there are any."""
        crew, self._crew = self._crew, None
        if crew is not None:
            crew.end()


@dataclass(eq=False)
class _Worker:
    line: "Connection[Any, Any]"
    left: dict[str, Job] = field(default_factory=dict)
    """Of its group, the jobs that have not ended, by id."""
    there: bool = False
    """Whether it has said that it is there."""

    @property
    def idle(self) -> bool:
        """Whether it waits for a group, which it never says again."""
        return self.there and not self.left

    def begin(self, group: Group) -> bool:
        """Take a group; False if it died meanwhile, of which the line will tell."""
        try:
            self.line.send(group)
        except OSError:
            return False
        self.left = {job.planned.id: job for job in group}
        return True

    def heard(self) -> list[Step]:
        """Steps of jobs that have not ended: a process that died may have told of an end already.

        Raises EOFError or OSError if it is dead, and what it raised.
        """
        told = self.line.recv()
        if isinstance(told, Exception):
            raise told
        self.there = True
        new = [step for step in told if step.planned.id in self.left]
        for step in new:
            if step.record is not None:
                del self.left[step.planned.id]
        return new


class _Crew:
    """The workers that live."""

    def __init__(self) -> None:
        self.workers: list[_Worker] = []
        self._started: list[subprocess.Popen[bytes]] = []
        self._said = tempfile.TemporaryFile("a+b")  # noqa: SIM115 (closed in `end`)

    def start(self, count: int) -> None:
        """Start one process that becomes `count` workers."""
        lines = [Pipe() for _ in range(count)]
        theirs = [its.fileno() for _, its in lines]
        code = f"import sys; sys.path = {sys.path!r}; from senet_lab.executors.worker import main; main({theirs})"
        process = subprocess.Popen(
            [sys.executable, "-c", code],
            env=os.environ | SWITCHES,
            pass_fds=theirs,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=self._said,
            start_new_session=True,  # Ctrl-C is the driver's
        )
        for _, its in lines:
            its.close()
        self._started.append(process)
        self.workers += [_Worker(ours) for ours, _ in lines]

    def hand_out(self, waiting: "deque[Group]", wanted: Wanted = everything) -> list[Step]:
        """Give what waits and is wanted to workers that are idle; the beginnings of its jobs."""
        begun: list[Step] = []
        for worker in self.workers:
            while waiting and worker.idle and not any(map(wanted, waiting[0])):
                waiting.popleft()
            if waiting and worker.idle and worker.begin(waiting[0]):
                begun += [Step(job.planned, ()) for job in waiting.popleft()]
        return begun

    def ready(self) -> list[_Worker]:
        """Wait for workers that tell something, be it their death."""
        if not self.workers:
            raise UserError(
                f"the worker processes died before they could begin ({self.last_words()}); "
                f"most often the machine's memory ran out: --workers 1; or try --executor ray"
            )
        ready = wait([worker.line for worker in self.workers])
        return [worker for worker in self.workers if worker.line in ready]

    def bury(self, worker: _Worker) -> None:
        """Forget a dead worker."""
        self.workers.remove(worker)
        worker.line.close()

    def last_words(self) -> str:
        """The last line that a worker wrote."""
        said = self._said.fileno()
        found = os.pread(said, WORDS, max(0, os.fstat(said).st_size - WORDS)).decode(errors="replace")
        return found.strip().rpartition("\n")[2] or "it left no word"

    def end(self) -> None:
        """All that a worker has told is in the store: it needs no farewell."""
        for process in self._started:
            # macOS says PermissionError where all of them have ended and nobody has waited for them.
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()
        for worker in self.workers:  # copies of that process are nobody's to wait for; their line tells
            with contextlib.suppress(EOFError, OSError):
                while True:
                    worker.line.recv_bytes()
            worker.line.close()
        self._said.close()


def _steps(crew: _Crew, waiting: "deque[Group]", wanted: Wanted = everything) -> Iterator[Step]:
    """What the workers tell; each gets its next group before anybody looks at the end of its last one."""
    deaths: Counter[str] = Counter()
    yield from crew.hand_out(waiting, wanted)  # workers that stayed say nothing before they are asked
    while waiting or any(worker.left for worker in crew.workers):
        for worker in crew.ready():
            try:
                told = worker.heard()
            except (EOFError, OSError):
                told = _after_death(worker, crew, deaths, waiting)
            # Never only to who has just told something: it may be dead, another idle.
            told += crew.hand_out(waiting, wanted)
            yield from told


def _after_death(worker: _Worker, crew: _Crew, deaths: "Counter[str]", waiting: "deque[Group]") -> list[Step]:
    """Put a dead worker's jobs back, one by one, and another in its place if that is needed.

    Returns the end of a job that was alone with its worker's death too often; in company another may be the cause.
    """
    from senet_lab.executors.deaths import MAX_WORKER_DEATHS, lost  # with torch: not while workers start

    crew.bury(worker)
    again = list(worker.left.values())
    if len(again) == 1:
        deaths[again[0].planned.id] += 1
    ended = [lost(job, crew.last_words()) for job in again if deaths[job.planned.id] > MAX_WORKER_DEATHS]
    if not ended:
        waiting.extendleft([job] for job in reversed(again))
    # In the place of one that died before it was there, another would die, too.
    if worker.there and len(waiting) > sum(other.idle for other in crew.workers):
        crew.start(1)
    return ended
