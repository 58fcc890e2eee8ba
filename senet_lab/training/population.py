"""Many trials of one shape trained as one tensor program (see `models.fold`), each with its own record.

Equal to training them alone but for rounding; shared with `train`: streams, schedules, what an epoch's numbers mean.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from senet_lab.data.split import Parts
from senet_lab.errors import Diverged
from senet_lab.records import EpochMetrics
from senet_lab.spec import Trial
from senet_lab.training.train import Learner

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
    Diverged, and the others go on. Without an arrangement: all in one program, on CUDA as a graph.
    """
    raise NotImplementedError
