"""Many trials of one shape trained as one tensor program (see `models.fold`), each with its own record.

Equal to training them alone but for rounding; shared with `train`: streams, schedules, what an epoch's numbers mean.
"""

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from senet_lab.data.split import Parts
from senet_lab.errors import Diverged
from senet_lab.records import EpochMetrics
from senet_lab.spec import Trial
from senet_lab.training.graphs import stepper
from senet_lab.training.learner import Learner
from senet_lab.training.program import Program
from senet_lab.training.train import finite

Outcome = EpochMetrics | Diverged
"""Of one member's epoch."""


@dataclass(frozen=True)
class Arrangement:
    """How K trials share a device: `programs` side by side, each of at most `members` trials folded together."""

    programs: int
    members: int
    graph: bool
    """Whether a step of all programs is one CUDA graph; on the CPU never."""
    steps_per_second: float = 0.0
    """Of single trials, all together, where it was measured."""
    peak_memory_bytes: int = 0
    """Of the device's allocator, where it was measured."""


def train_together(
    trials: Sequence[Trial],
    learners: Sequence[Learner],
    parts: Sequence[Parts],
    arrangement: Arrangement | None = None,
) -> Iterator[tuple[Outcome, ...]]:
    """Train all from the epoch they have reached to their last, yielding after each what became of every member.

    The trials have one `shapes.shape`, the learners as many epochs. When it yields, the learners are up to
    date: network, optimizer, `epochs`. `EpochMetrics.seconds` is a member's share, the wall time over their
    number. A member whose loss is not finite stays as it was before that epoch; from then on its entry is that
    Diverged, and the others go on, until there is none. Without an arrangement: one program, on CUDA as a graph.
    """
    if arrangement is None:
        arrangement = Arrangement(1, len(trials), graph=parts[0].train.y_N.is_cuda)
    epochs = range(len(learners[0].epochs) + 1, trials[0].train.epochs + 1)
    if not epochs:
        return
    programs = programs_of(trials, learners, parts, arrangement.members)
    seats = [(program, k) for program in programs for k in range(program.replicas)]
    steps = stepper(programs, arrangement.graph)
    lost: dict[int, Diverged] = {}
    for epoch in epochs:
        start = time.perf_counter()
        for program in programs:
            program.begin(epoch)
        steps(programs[0].feed.steps)
        found = [numbers for program in programs for numbers in program.end()]
        seconds = (time.perf_counter() - start) / len(trials)
        for member, ((program, k), numbers) in enumerate(zip(seats, found, strict=True)):
            if member in lost:
                continue
            try:
                metrics = finite(EpochMetrics(epoch=epoch, seconds=seconds, **numbers._asdict()))
            except Diverged as error:
                lost[member] = error.with_traceback(None)  # which would keep the programs
                program.rest(k)
            else:
                program.store(k)
                learners[member].epochs = (*learners[member].epochs, metrics)
        yield tuple(lost.get(member) or learner.epochs[-1] for member, learner in enumerate(learners))
        if len(lost) == len(trials):
            return


def programs_of(
    trials: Sequence[Trial], learners: Sequence[Learner], parts: Sequence[Parts], members: int
) -> list[Program]:
    """Programs of at most `members` trials each, in the trials' order."""
    starts = range(0, len(trials), members)
    shares = [slice(i, i + members) for i in starts]
    return [Program(trials[share], learners[share], parts[share]) for share in shares]
