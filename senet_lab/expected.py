"""The time that trials will take: by those that are done, or else by a probe."""

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

import torch

from senet_lab import checkpoints, data, pace
from senet_lab.environment import cores
from senet_lab.forecast import Forecast, Need, Timing, drift, forecast
from senet_lab.inventory import Inventory
from senet_lab.plan import PlannedTrial
from senet_lab.records import TrialRecord
from senet_lab.spec import Trial
from senet_lab.sweep import cost

DRIFT = {"done trials": 0.05, "probe": 0.1}
"""By how much a machine is faster or slower as a whole than when the times were taken, at least (relative
standard deviation). An assumption: on a quiet machine, equal sweeps differed by some per cent, and trials on all
cores took 10 % longer than a probe's single process. Where sittings of a store differ more, that is taken."""
PAUSE_SECONDS = 30.0
"""Without any trial: then the next sitting begins."""
LEAST_SHARE = 0.01
"""Of an interrupted trial that has had its last epoch: the test and the record are left."""


@dataclass(frozen=True)
class Expected:
    """A forecast, and what it goes by."""

    forecast: Forecast
    source: Literal["done trials", "probe"]
    basis: int
    """How many trials or networks."""
    of: int
    """Of how many networks, where it is a probe."""

    def each(self, trial: Trial) -> float | None:
        """Seconds of a whole trial of that configuration, where some are due."""
        return self.forecast.each.get(pace.key(trial))

    @property
    def sentence(self) -> str:
        from senet_lab.results.stats import duration

        f = self.forecast
        if self.source == "probe":
            by = f"by a probe of {self.basis if self.basis < self.of else 'all'} of {self.of} networks"
            by = by.replace("all of 1 networks", "the network").replace("all of", "all")
        else:
            by = "by the one trial that is done" if self.basis == 1 else f"by {self.basis} trials that are done"
        doubt = "; so few tell no spread, a factor of 2 either way is assumed" if f.assumed else ""
        return (
            f"about {duration(f.seconds)} ({duration(f.low)} to {duration(f.high)}: 95 %, if the machine is as busy as "
            f"then) on {f.slots} slot{'s' * (f.slots > 1)}, {by}{doubt}; to start and to report take some seconds more"
        )


def slots(workers: int | None, gpu_share: float | None = None, cpus: int = 1) -> int:
    """Trials at once on this machine: as many as `executors.ray_tune` gives it."""
    places = workers or max(1, cores() // cpus)
    gpus = torch.cuda.device_count()
    if not gpus or gpu_share == 0:
        return places
    from senet_lab.executors.ray_tune import DEFAULT_GPU_SHARE

    return max(1, min(places, int(gpus / (gpu_share or DEFAULT_GPU_SHARE))))


def by_done_trials(
    found: Inventory, due: Sequence[PlannedTrial], places: int, grouped: Callable[[Trial], bool] | None = None
) -> Expected | None:
    """The time of `due` by trials that this sweep's store holds, also of settings that are not asked for.

    `grouped`: which of them will be trained together: of each row, those count that ran so, where there are some.
    """
    device = "cuda" if torch.cuda.is_available() else "cpu"
    sources = {row.trial.data.source for row in found.question.rows}  # those whose images are at hand
    of: dict[str, list[TrialRecord]] = {}
    for r in found.records:
        if r.status == "done" and r.macs and r.device == device and r.trial.data.source in sources:
            of.setdefault(pace.key(r.trial), []).append(r)
    if grouped is not None:
        of = {key: [r for r in done if (r.together > 1) == grouped(r.trial)] or done for key, done in of.items()}
    timings = [
        Timing(
            (key,),
            work(done[0].trial, max(r.macs or 0 for r in done), found),
            tuple(r.seconds for r in done),
        )
        for key, done in of.items()
    ]
    drifting = drift(_sittings(of.values()), DRIFT["done trials"])
    expected = forecast(_needs(found, due), timings, places, drifting)
    return None if expected is None else Expected(expected, "done trials", sum(map(len, of.values())), 0)


def _sittings(configurations: Iterable[Sequence[TrialRecord]]) -> list[list[float]]:
    """Of each sitting the seconds of its trials, divided by the mean of their configuration."""
    timed = []
    for done in configurations:
        mean = sum(r.seconds for r in done) / len(done)
        timed += [(r.started_at, r.ended_at, r.seconds / mean) for r in done if len(done) > 1 and mean > 0]
    sittings: list[list[float]] = []
    until = -math.inf
    for start, end, relative in sorted(timed):
        if start - until > PAUSE_SECONDS:
            sittings.append([])
        sittings[-1].append(relative)
        until = max(until, end)
    return sittings


def work(trial: Trial, macs: int, found: Inventory) -> float:
    """Multiply-adds of a whole trial: backward is twice forward; testing is forward only."""
    images = data.facts(trial.data, found.data_dir)
    held_out = trial.data.validation
    return float(macs) * (trial.train.epochs * (3 * (images.pool - held_out) + held_out) + images.test)


def by_probe(found: Inventory, due: Sequence[PlannedTrial], places: int, seconds: float) -> Expected | None:
    """The time of `due` by `seconds` of training."""
    rows = {pace.key(t.variant.trial): t.variant.trial for t in due}
    works = {key: _work(trial, found) for key, trial in rows.items()}
    timings = pace.measure(rows, works, seconds, found.data_dir)
    expected = forecast(_needs(found, due), timings, places, DRIFT["probe"])
    return None if expected is None else Expected(expected, "probe", len(timings), len(rows))


def _needs(found: Inventory, due: Iterable[PlannedTrial]) -> list[Need]:
    states = {t.id: state for t, state in found.plan.trials}
    keys = {id(t.variant): pace.key(t.variant.trial) for t in due}
    works = {keys[id(t.variant)]: t.variant.trial for t in due}
    costs = {key: _work(trial, found) for key, trial in works.items()}

    def share(planned: PlannedTrial) -> float:
        if states.get(planned.id) not in ("interrupted", "stopped"):
            return 1.0
        kept = len(checkpoints.epochs(found.store.folder(planned)))
        return max(LEAST_SHARE, 1 - kept / planned.trial.train.epochs)

    return [Need(keys[id(t.variant)], costs[keys[id(t.variant)]], share(t)) for t in due]


def _work(trial: Trial, found: Inventory) -> float:
    return work(trial, cost(trial, found.data_dir).macs, found)
