"""Ways to run jobs. Every executor answers to the same two calls and gives the same records."""

from collections.abc import Callable, Sequence
from typing import Protocol

from senet_lab.jobs import Group, Job, Step

Listener = Callable[[Step], None]
Wanted = Callable[[Job], bool]


def everything(job: Job) -> bool:
    """Every job is wanted."""
    return True


class Executor(Protocol):
    """Runs trials.

    The listener hears of each job a step without epochs when it begins, then its epochs, then a
    step with its record: exactly one a job that began by the time `run` returns.
    """

    def start(self) -> None:
        """Begin to get ready in the background; calling it is optional and returns at once."""

    def run(self, groups: Sequence[Group], listener: Listener, wanted: Wanted = everything) -> None:
        """Run all jobs of `groups`, telling `listener` every step, in this thread. KeyboardInterrupt passes through.

        `wanted` is asked in this thread, at least once before a group begins: one of which no job is wanted is not
        begun, now or later.
        """

    def stop(self) -> None:
        """End what `start` began where `run` has not; calling it at other times does nothing."""
