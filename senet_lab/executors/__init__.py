"""Ways to run jobs. Every executor answers to the same two calls and gives the same records."""

from collections.abc import Callable, Sequence
from typing import Protocol

from senet_lab.jobs import Group, Step

Listener = Callable[[Step], None]


class Executor(Protocol):
    """Runs trials.

    The listener hears of each job a step without epochs when it begins, then its epochs, then a
    step with its record: exactly one a job by the time `run` returns.
    """

    def start(self) -> None:
        """Begin to get ready in the background; calling it is optional and returns at once."""

    def run(self, groups: Sequence[Group], listener: Listener) -> None:
        """Run all jobs of `groups`, telling `listener` every step, in this thread. KeyboardInterrupt passes through."""

    def stop(self) -> None:
        """End what `start` began where `run` has not; calling it at other times does nothing."""
