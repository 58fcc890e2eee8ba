"""Jobs one after another in this process: for tests, debugging, and a handful of trials."""

from collections.abc import Sequence

from senet_lab.executors import Listener, Wanted, everything
from senet_lab.jobs import Group, Step
from senet_lab.together import steps


class Local:
    """Runs trials in this process and thread; an exception of a listener ends the run."""

    def start(self) -> None:
        """Nothing to get ready."""

    def run(self, groups: Sequence[Group], listener: Listener, wanted: Wanted = everything) -> None:
        """Run `groups` in order."""
        for group in groups:
            if not any(map(wanted, group)):
                continue
            for job in group:
                listener(Step(job.planned, ()))
            for told in steps(group):
                for step in told:
                    listener(step)

    def stop(self) -> None:
        """Nothing to end."""
