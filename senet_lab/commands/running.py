"""Trials that a sweep is to run: how, beside what, and for how long."""

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from senet_lab import signals
from senet_lab.balance import Course, Limit
from senet_lab.commands import console, limit
from senet_lab.commands.together import Together, rows_together
from senet_lab.inventory import Inventory
from senet_lab.plan import State

if TYPE_CHECKING:
    from senet_lab.executors import Executor, Listener
    from senet_lab.expected import Expected
    from senet_lab.jobs import Step


@dataclass(frozen=True)
class How:
    """How a sweep is to run; nothing of it changes a result."""

    executor: str
    address: str | None
    workers: int | None
    cpus_per_trial: int
    gpus_per_trial: float | None
    loaders: int | None
    rerun: tuple[State, ...]
    tracking_uri: str | None
    reports: Path
    together: str | None = None
    storage: str | None = None
    """Address of the Optuna storage that studies are shown in; None: beside the run folders."""
    limit: Limit = field(default_factory=Limit)


@dataclass(frozen=True)
class Beside:
    """What is done beside the trials."""

    listener: "Listener"
    nearly_done: Callable[[], None]
    """Called when a place has nothing to do any more."""
    course: Course


def run(found: Inventory, how: How, groups: Together, executor: "Executor", beside: Beside) -> None:
    """Start the executor first: it takes seconds to get ready, torch's import and the rest fit into them."""
    executor.start()
    try:
        _run_started(found, how, groups, executor, beside)
    except BaseException:
        executor.stop()
        raise


def _run_started(found: Inventory, how: How, groups: Together, executor: "Executor", beside: Beside) -> None:
    with signals.deferred():
        from senet_lab import logbook, sweep
        from senet_lab.progress import Progress

    due = found.plan.to_run(how.rerun)
    sizes = groups.sizes(due, partial(places_at_once, how))
    places = places_at_once(how, groups.share(sizes))
    if told := told_time(how, groups, found):
        what = "These candidates" if any(t.variant.candidate is not None for t in due) else "The trials to run"
        console.print(f"{what} will take {told.sentence}", soft_wrap=True)
    course = beside.course
    pace = limit.Pace(found, None if how.address else places, rows_together(due, sizes).__contains__)
    say = partial(limit.announce, course, pace)
    book = logbook.begin(found, len(due), None if how.address else places, told)
    with Progress(console, found, due) as progress, book, signals.gently(course.stop, say):

        def narrow() -> None:
            if course.ending:
                progress.due = course.chosen()

        def both(step: "Step") -> None:
            course.hear(step)
            narrow()
            progress(step)
            book(step)
            beside.listener(step)
            if step.record is not None and len(progress.due) - progress.ended < places:
                beside.nearly_done()

        follow = partial(course.follow, forecast=pace)
        ways = sweep.Ways(how.loaders, lambda kind: sizes.get(kind, 1), follow, book.number)
        sweep.run(found, executor, both, how.rerun, ways)
        narrow()
    console.print(progress.sentence())


def places_at_once(how: How, gpu_share: float | None) -> int:
    """Groups at once on this machine."""
    from senet_lab import expected

    if how.executor == "local":
        return 1
    return expected.slots(how.workers, gpu_share if how.executor == "ray" else 0, how.cpus_per_trial)


def told_time(how: How, groups: Together, found: Inventory) -> "Expected | None":
    """The time of what is due; None on a cluster: who knows what it has free."""
    from senet_lab import expected

    if how.address:
        return None
    due = found.plan.to_run(how.rerun)
    sizes = groups.sizes(due, partial(places_at_once, how))
    places = places_at_once(how, groups.share(sizes))
    return expected.by_done_trials(found, due, places, rows_together(due, sizes).__contains__)
