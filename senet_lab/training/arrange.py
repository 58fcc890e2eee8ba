"""How many trials of one shape to train together on a device, and how: measured there, not guessed."""

import gc
import time
from collections.abc import Iterable, Sequence
from pathlib import Path

import torch

from senet_lab import data
from senet_lab.data.split import Parts
from senet_lab.spec import Trial
from senet_lab.training.begin import begin
from senet_lab.training.graphs import Steps, stepper
from senet_lab.training.learner import Learner
from senet_lab.training.population import Arrangement, programs_of

GAIN = 1.05
"""More trials together have to make each faster by this much, or they are not worth their memory."""
SECONDS = 0.2
"""About what one of the timings of an arrangement takes."""
LONG_STEP = 0.3
"""Seconds: a step of one trial that takes longer on a CPU is made of arithmetic, which folding leaves as it is."""
ROOM = 0.9
"""Of the GPU memory that is free or ours, what may be used."""


def arrange_anew(trials: Sequence[Trial], device: torch.device, data_dir: Path) -> Arrangement:
    """`arrange` for trials that have not begun here; in a process of its own it disturbs nobody's memory."""
    begun = [begin(trial, device, data_dir) for trial in trials]
    return arrange(trials, [learner for learner, _ in begun], [parts for _, parts in begun])


def arrange(trials: Sequence[Trial], learners: Sequence[Learner], parts: Sequence[Parts]) -> Arrangement:
    """The fastest way to train these together on the device they are on: a few steps of each are timed.

    From one program of all to as many programs as trials, halving; on CUDA as graphs, and one program
    without. One that fails, as the memory is too small for it, is left out. No learner is changed.
    """
    sizes = [len(trials)]
    while sizes[-1] > 1:
        sizes.append((sizes[-1] + 1) // 2)
    on_gpu = parts[0].train.y_N.is_cuda
    ways = [(size, on_gpu) for size in sizes] + [(len(trials), False)] * on_gpu
    return _fastest(trials, learners, parts, ways)


def best_size(trial: Trial, device: torch.device, data_dir: Path = data.DATA_DIR, most: int = 64) -> int:
    """How many trials of the shape of `trial` should be trained together here, in one process.

    1, 2, 4, ... `most`, as long as more of them make each faster by 5 % and the memory lasts; one doubling
    without a gain is forgiven. Times a few steps of copies of `trial`, and keeps nothing.
    """
    learner, parts = begin(trial, device, data_dir)
    best, size = measured([trial], [learner], [parts], 1, device.type == "cuda"), 1
    if device.type == "cpu" and best.steps_per_second < 1 / LONG_STEP:
        return 1
    best_of, tried = 1, best
    while 2 * size <= most and size < 4 * best_of and _fits(2 * tried.peak_memory_bytes, device):
        size *= 2
        ways = [(size, True), (1, True)] if device.type == "cuda" else [(size, False)]
        try:
            tried = _fastest([trial] * size, [learner] * size, [parts] * size, ways)
        except RuntimeError:  # no memory
            break
        if tried.steps_per_second > GAIN * best.steps_per_second:
            best, best_of = tried, size
    return best_of


def measured(
    trials: Sequence[Trial], learners: Sequence[Learner], parts: Sequence[Parts], members: int, graph: bool
) -> Arrangement:
    """Programs of `members` trials each, with their rate and their memory. No learner is changed."""
    device = parts[0].train.y_N.device
    if device.type == "cuda":
        gc.collect()  # the last arrangement may be a cycle
        torch.cuda.empty_cache()
        torch.cuda.reset_peak_memory_stats(device)
    programs = programs_of(trials, learners, parts, members)
    steps = stepper(programs, graph)
    for program in programs:
        program.begin(1)
    _seconds(steps, 1, device)
    count = max(1, round(SECONDS / _seconds(steps, 1, device)))
    seconds = min(_seconds(steps, count, device) for _ in range(3))
    memory = torch.cuda.max_memory_allocated(device) if device.type == "cuda" else 0
    return Arrangement(len(programs), members, graph, len(trials) * count / seconds, memory)


def _fastest(
    trials: Sequence[Trial], learners: Sequence[Learner], parts: Sequence[Parts], ways: Iterable[tuple[int, bool]]
) -> Arrangement:
    found, failed = list[Arrangement](), RuntimeError("no way to train")
    for members, graph in ways:
        try:
            found.append(measured(trials, learners, parts, members, graph))
        except RuntimeError as error:  # no memory; in a capture it has no class of its own
            failed = error.with_traceback(None)  # which would keep all that it failed with
            failed.__context__ = None
    if not found:
        raise failed
    return max(found, key=lambda arrangement: arrangement.steps_per_second)


def _seconds(steps: Steps, count: int, device: torch.device) -> float:
    since = time.perf_counter()
    steps(count)
    if device.type == "cuda":
        torch.cuda.synchronize(device)
    return time.perf_counter() - since


def _fits(wanted_bytes: int, device: torch.device) -> bool:
    if device.type != "cuda":
        return True
    free_bytes, _ = torch.cuda.mem_get_info(device)
    return wanted_bytes < ROOM * (free_bytes + torch.cuda.memory_reserved(device))
