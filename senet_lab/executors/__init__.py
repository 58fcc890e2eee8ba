"""Ways to run jobs. Every executor answers to the same two calls and gives the same records."""

from collections.abc import Callable, Sequence
from typing import Protocol

from senet_lab.trial import Job, Step

Listener = Callable[[Step], None]


class Executor(Protocol):
    """Runs trials; when `run` returns, each job has given the listener exactly one record."""

    def start(self) -> None:
        """Begin to get ready in the background; calling it is optional and returns at once."""

    def run(self, jobs: Sequence[Job], listener: Listener) -> None:
        """Run `jobs`, telling `listener` every step, in this thread. KeyboardInterrupt passes through."""
