"""Jobs one after another in this process: for tests, debugging, and a handful of trials."""

from collections.abc import Sequence

from senet_lab.executors import Listener
from senet_lab.jobs import Job, Step
from senet_lab.trial import steps


class Local:
    """Runs trials in this process and thread; an exception of a listener ends the run."""

    def start(self) -> None:
        """Nothing to get ready."""

    def run(self, jobs: Sequence[Job], listener: Listener) -> None:
        """Run `jobs` in order."""
        for job in jobs:
            listener(Step(job.planned, ()))
            for step in steps(job):
                listener(step)
