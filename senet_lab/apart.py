"""Calls in other processes: they may crash, or leave a GPU's memory in disorder, without harm to this one; or they take
their time while this one goes on."""

import contextlib
import os
import signal
import threading
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Future, ProcessPoolExecutor
from functools import partial
from importlib import import_module
from multiprocessing import Pipe, get_context, parent_process, resource_tracker
from multiprocessing.connection import Connection
from multiprocessing.context import SpawnProcess
from multiprocessing.synchronize import Barrier
from queue import SimpleQueue
from typing import Any, TypeVar

Made = TypeVar("Made")
Ask = Callable[..., Callable[[], Any]]
"""`ask(call, *given)` is told early what will be wanted; what it returns is called for the answer, `call(*given)`."""
MEET_SECONDS = 60.0
here: Ask = partial
"""Of who has no help: the call is made in this process, when its answer is wanted."""


def apart(call: Callable[..., Made], *given: object) -> Made:
    """What `call(*given)` returns there; raises what it raises, and BrokenProcessPool if the process dies."""
    with ProcessPoolExecutor(1, mp_context=get_context("spawn"), initializer=_end_with_parent) as child:
        return child.submit(call, *given).result()


def at_once(count: int, switches: Mapping[str, str], call: Callable[..., Made], *given: object) -> list[Made]:
    """What `call(*given)` returns in each of so many processes that begin it at one moment, all imports done.

    `switches`: environment variables that they start with. Raises what one of them raises, OSError where they cannot
    be started, and BrokenProcessPool if one dies.
    """
    context = get_context("spawn")
    ready = (context.Barrier(count), call.__module__)
    with ProcessPoolExecutor(count, context, _ready, ready) as children:
        with _inherited(switches):
            begun = [children.submit(call, *given) for _ in range(count)]  # each starts a process
        return [task.result() for task in begun]


def _ready(all_there: Barrier, module: str) -> None:
    _end_with_parent()
    import_module(module)
    with contextlib.suppress(threading.BrokenBarrierError):  # the others take their time, or have died
        all_there.wait(MEET_SECONDS)


@contextlib.contextmanager
def _inherited(switches: Mapping[str, str]) -> Iterator[None]:
    """Processes that are started inside have these environment variables, and leave Ctrl-C to this one."""
    before = {name: os.environ.get(name) for name in switches}
    with _deaf():
        os.environ.update(switches)
        try:
            yield
        finally:
            for name, value in before.items():
                os.environ.pop(name) if value is None else os.environ.update({name: value})


@contextlib.contextmanager
def _deaf() -> Iterator[None]:
    """What is started inside never hears of Ctrl-C; this process does afterwards."""
    resource_tracker.ensure_running()  # or a start does that, and lets in what is blocked here
    before = signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGINT])
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


class Helpers:
    """Processes that work ahead until `end`; what none of them has begun when it is wanted is made here.

    One call at a time goes to each, once it has imported what it needs, so that this process can take the others from
    them. A helper that dies or finds no memory costs its time and no answer.
    """

    def __init__(self, count: int, module: str) -> None:
        """Start them; in the background they import `module`. Raises OSError or RuntimeError where they cannot."""
        self._waiting: SimpleQueue[tuple[Future[Any], Callable[..., Any], tuple[object, ...]] | None] = SimpleQueue()
        self._started: list[SpawnProcess] = []
        with _deaf():
            try:
                for _ in range(count):
                    self._start(module)
            except BaseException:
                self.end()
                raise

    def ask(self, call: Callable[..., Made], *given: object) -> Callable[[], Made]:
        """An `Ask`."""
        future: Future[Made] = Future()
        self._waiting.put((future, call, given))

        def answer() -> Made:
            if future.cancel():
                return call(*given)
            try:
                return future.result()
            except (_Lost, MemoryError, OSError):
                return call(*given)

        return answer

    def end(self) -> None:
        """Let them go at once."""
        for process in self._started:
            process.kill()
            self._waiting.put(None)

    def _start(self, module: str) -> None:
        ours, theirs = Pipe()
        process = get_context("spawn").Process(target=_serve, args=(theirs, module), daemon=True)
        process.start()
        theirs.close()
        self._started.append(process)
        threading.Thread(target=self._hand_out, args=(ours,), daemon=True).start()

    def _hand_out(self, line: "Connection[Any, Any]") -> None:
        with line, contextlib.suppress(EOFError, OSError):
            line.recv()  # it is ready
            while (task := self._waiting.get()) is not None:
                future, call, given = task
                if not future.set_running_or_notify_cancel():
                    continue
                try:
                    line.send((call, given))
                    error, made = line.recv()
                except Exception:  # it died, or nothing of the kind can be sent
                    future.set_exception(_Lost())
                    return
                if error is None:
                    future.set_result(made)
                else:
                    future.set_exception(error)


class _Lost(Exception):
    """There is no answer."""


def _serve(line: "Connection[Any, Any]", module: str) -> None:
    """What a helper does, until nobody is at the other end."""
    _end_with_parent()
    import_module(module)
    with contextlib.suppress(EOFError, OSError):
        line.send("ready")
        while True:
            call, given = line.recv()
            line.send(_made(call, given))


def _made(call: Callable[..., Any], given: tuple[object, ...]) -> tuple[Exception | None, Any]:
    try:
        return None, call(*given)
    except Exception as error:
        return error, None


def _end_with_parent() -> None:
    """Let this process die with the one that asks: a pool's worker holds both ends of its queue, and hears nothing."""
    threading.Thread(target=_watch, daemon=True).start()


def _watch() -> None:
    parent = parent_process()
    assert parent is not None
    parent.join()
    os._exit(1)
