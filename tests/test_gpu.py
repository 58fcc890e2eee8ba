"""What only a CUDA device can show. Nothing here promises equal bits; that is the CPU's."""

from collections.abc import Callable

import pytest
import torch

from senet_lab import sweep
from senet_lab.inventory import Inventory
from senet_lab.jobs import Step
from senet_lab.spec import ASHA

pytestmark = [
    pytest.mark.gpu,
    pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device"),
]


def test_trials_share_the_gpu_and_say_so(ask: Callable[..., Inventory]) -> None:
    from senet_lab.executors.ray_tune import RayTune

    steps: list[Step] = []
    sweep.run(ask(), RayTune(), steps.append)
    records = [s.record for s in steps if s.record is not None]
    assert [(r.status, r.device) for r in records] == [("done", "cuda")] * 4
    assert all(0 < (r.peak_memory_bytes or 0) < 10**9 for r in records)


def test_a_trial_learns_as_well_as_on_the_cpu(ask: Callable[..., Inventory]) -> None:
    """Same streams, other arithmetic: after a few epochs the errors are near, not equal."""
    from senet_lab.executors.local import Local
    from senet_lab.executors.ray_tune import RayTune

    found = ask(seeds=1)
    errors = []
    for executor in (Local(), RayTune()):
        steps: list[Step] = []
        sweep.run(found, executor, steps.append, rerun=["done"])
        errors.append({s.planned.id: s.record.test.error for s in steps if s.record and s.record.test})
    assert errors[0].keys() == errors[1].keys()
    assert all(abs(errors[0][id] - errors[1][id]) < 0.15 for id in errors[0])


def test_trials_together_learn_as_well_as_alone_and_share_the_time(ask: Callable[..., Inventory]) -> None:
    from senet_lab.executors.ray_tune import RayTune

    found = ask(seeds=4)
    runs = []
    for size in (1, 8):
        steps: list[Step] = []
        sweep.run(found, RayTune(), steps.append, ["done"], sweep.Ways(size=lambda kind, size=size: size))  # type: ignore[misc]
        runs.append({s.planned.id: s.record for s in steps if s.record})
    alone, together = runs
    assert {r.together for r in alone.values()} == {1} and {r.together for r in together.values()} == {8}
    for id, record in together.items():
        assert record.status == "done" and record.device == "cuda", record.traceback
        errors = [r.test.error for r in (record, alone[id]) if r.test]
        assert abs(errors[0] - errors[1]) < 0.15


def test_trials_that_a_rule_ends_early_leave_the_gpu_to_the_next(ask: Callable[..., Inventory]) -> None:
    from senet_lab.executors.ray_tune import RayTune
    from senet_lab.executors.slot import Slot
    from tests.executors.test_judge import curve

    executor = RayTune(Slot(at_once=1), 1.0)
    executor.watch(ASHA(), [curve(0.0, 0.0)])
    steps: list[Step] = []
    sweep.run(ask(seeds=4), executor, steps.append)
    records = [s.record for s in steps if s.record is not None]
    assert [(r.status, len(r.epochs), r.device) for r in records] == [("stopped", 1, "cuda")] * 8


def test_the_best_size_is_measured_without_a_cuda_context_here() -> None:
    from pathlib import Path

    from senet_lab import sizes
    from tests.conftest import TINY

    (size,) = sizes.measured([TINY], "cuda", Path("data"))
    assert isinstance(size, int) and size > 1, size
