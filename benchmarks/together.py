"""Trials trained together as one tensor program against one after another, through the real loops.

    python -m benchmarks.together --sizes 4 16 64

On a CPU: folded against eager, one after another. On CUDA also: each trial a CUDA graph, one after another; K streams
in one graph; folded with and without a graph; four processes that share the GPU. An epoch of a few steps is timed.
"""

import time
from argparse import Namespace
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from typing import Any

import torch

from benchmarks import measure
from benchmarks.cases import Case, digits, resnet20
from benchmarks.measure import CannotRun, Goal, Part, Row
from senet_lab.training.learner import Learner
from senet_lab.training.train import train

PROCESSES = 4
AHEAD_SECONDS, COUNTED_SECONDS = 40.0, 5.0
"""Until processes side by side begin to count, and for how long."""
A_TRIAL = {"digits": (20, 706), "resnet20": (164, 45_000)}
"""Epochs and images to train on, of the recipes DIGITS and CIFAR10."""
EIGHT = Goal(">=", 8.0)


def _solo(case: Case, steps: int, seed: int, device: str) -> Iterator[Any]:
    trial = case.trial(steps).model_copy(update={"seed": seed})
    return train(trial, Learner(case.ours(device), trial.train), case.parts(steps, device))


def _folded(case: Case, steps: int, count: int, device: str, arranged: tuple[int, int, bool]) -> Iterator[Any]:
    from senet_lab.training.population import Arrangement, train_together

    trials = [case.trial(steps).model_copy(update={"seed": seed}) for seed in range(count)]
    learners = [Learner(case.ours(device), trial.train) for trial in trials]
    parts = [case.parts(steps, device)] * count
    return train_together(trials, learners, parts, Arrangement(*arranged))


def _all(epochs: list[Iterator[Any]]) -> Callable[[], object]:
    return lambda: [next(one) for one in epochs]


def ways(case: Case, steps: int, count: int, device: str) -> dict[str, Callable[[], float]]:
    """What trains `count` trials for an epoch, by name; the first is the plain one."""
    found: dict[str, list[Iterator[Any]]] = {
        "one after another": [_solo(case, steps, seed, device) for seed in range(count)],
        "folded": [_folded(case, steps, count, device, (1, count, False))],
    }
    if device == "cuda":
        alone = [_folded(case, steps, 1, device, (1, 1, True)) for _ in range(count)]
        found["graph each, one after another"] = alone
        for members in [*(2**n for n in range((count - 1).bit_length())), count]:
            programs = -(-count // members)
            name = "streams in one graph" if members == 1 else f"{programs} streams of {members} folded in one graph"
            name = "folded in a graph" if programs == 1 else name
            found[name] = [_folded(case, steps, count, device, (programs, members, True))]
    return {name: measure.clocked(_all(epochs), device) for name, epochs in found.items()}


def _count(kind: str, batch: int, steps: int, at: float) -> float:
    """Steps a second of one process among several, counted from the moment `at`."""
    case = _case(kind, batch)
    epochs = _solo(case, steps, 0, "cuda")
    next(epochs)
    if time.time() > at:
        raise CannotRun("processes side by side were not ready in time")
    time.sleep(at - time.time())
    since, done = time.perf_counter(), 0
    while time.perf_counter() - since < COUNTED_SECONDS:
        next(epochs)  # reads its loss, so it has waited for the device
        done += steps
    return done / (time.perf_counter() - since)


def _case(kind: str, batch: int) -> Case:
    return digits(batch) if kind == "digits" else resnet20(16, batch)


def side_by_side(kind: str, batch: int, steps: int) -> float:
    """Steps a second of four processes on one GPU, all together."""
    at = time.time() + AHEAD_SECONDS
    with ProcessPoolExecutor(PROCESSES, mp_context=get_context("spawn")) as pool:
        counting = [pool.submit(_count, kind, batch, steps, at) for _ in range(PROCESSES)]
        return sum(one.result() for one in counting)


def fill(chosen: Namespace, part: Part) -> None:
    """A row a network, batch size, K and way."""
    try:
        import senet_lab.training.population as _  # noqa: F401
    except ImportError:
        raise CannotRun("this version has no senet_lab.training.population") from None
    torch.set_num_threads(1)
    device = "cuda" if torch.cuda.is_available() else "cpu"
    rounds = chosen.rounds or (1 if chosen.quick else 3)
    for kind, batch in (("digits", 64), ("digits", 16), ("resnet20", 128 if device == "cuda" else 16)):
        sizes = [4] if chosen.quick or (kind == "resnet20" and device == "cpu") else chosen.sizes
        steps = 1 if kind == "resnet20" and device == "cpu" else 4 if device == "cpu" else 20
        epochs, images = A_TRIAL[kind]
        whole, apart = epochs * (images // batch), None
        if device == "cuda" and not chosen.quick:
            apart = side_by_side(kind, batch, steps)
            part.raw[f"{kind} B={batch}: steps/s of {PROCESSES} processes"] = apart
        for count in sizes:
            what = f"{_case(kind, batch).name}, B={batch}, K={count}"
            try:
                seconds = measure.in_turn(ways(_case(kind, batch), steps, count, device), rounds, what)
            except RuntimeError as error:
                part.rows.append(Row(what, "", remark=f"failed: {str(error)[:150]}"))
                continue
            part.raw[what] = {"steps": steps, "seconds": seconds}
            _add(part, what, whole, seconds, steps * count, apart)


def _add(part: Part, what: str, whole: int, seconds: measure.Samples, steps: int, apart: float | None) -> None:
    def hourly(rates: list[float]) -> str:
        return measure.text([3600 * rate / whole for rate in rates], "trials/h")

    plain = seconds["one after another"]
    base = hourly([steps / s for s in plain])
    best = measure.fastest(seconds, list(seconds)[1:])
    for name, found in list(seconds.items())[1:]:
        goal = EIGHT if what.startswith("SE-ResNet-20") and name == best and torch.cuda.is_available() else None
        ours = hourly([steps / s for s in found])
        part.rows.append(Row(f"{what}: {name}", ours, base, measure.ratios(plain, found), goal))
    if apart is not None:
        side = [apart / (steps / s) for s in plain]
        part.rows.append(Row(f"{what}: {PROCESSES} processes side by side", hourly([apart]), base, side))


PART = Part(
    "Trials trained together",
    "trials an hour of the way that is named, over one after another (eager, one process)",
    ours="trials an hour",
    other="one after another",
    notes=[
        "Trials an hour: of as many steps as 20 epochs of 706 digits have, or 164 epochs of 45,000 CIFAR-10 images."
    ],
)

if __name__ == "__main__":
    parser = measure.options(__doc__)
    parser.add_argument("--sizes", type=int, nargs="+", default=[4, 16, 64])
    measure.main(parser, fill, PART)
