"""The first main job: run what a question is missing. The other, reporting, is `results.report`."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import torch

from senet_lab import data, models
from senet_lab.environment import collect
from senet_lab.errors import Interrupted
from senet_lab.executors import Executor, Listener, Wanted, everything
from senet_lab.inventory import Inventory, keep_labels
from senet_lab.jobs import Group, Job
from senet_lab.models.cost import count
from senet_lab.plan import PlannedTrial, State
from senet_lab.records import Cost
from senet_lab.shapes import groups
from senet_lab.signals import deferred
from senet_lab.spec import Trial


@dataclass(frozen=True)
class Ways:
    """How to run trials; nothing of it changes what is asked."""

    loaders: int | None = None
    """Processes a trial that decode images of large data sets; None leaves it to the trial."""
    size: Callable[[str], int] = lambda shape: 1
    """How many trials of a shape are trained together, at most."""
    wanted: Callable[[Sequence[Group]], Wanted] = lambda groups: everything
    """Of the groups that are to run, what says whether a job is still to begin."""
    sitting: int | None = None
    """Its number, where it is known already."""


def run(
    inventory: Inventory,
    executor: Executor,
    listener: Listener,
    rerun: Iterable[State] = (),
    ways: Ways | None = None,
) -> None:
    """Run the missing and interrupted trials, and those in a state of `rerun`; tell `listener` every step.

    Raises Interrupted after Ctrl-C, with the sentence that says how to go on; all that has ended is
    in the store by then, and what was running goes on from its last epoch.
    """
    ways = ways or Ways()
    missing = inventory.plan.to_run(rerun)
    if not missing:
        keep_labels(inventory)  # stores of older versions have none
        return
    executor.start()
    try:
        with deferred():  # the first network that is counted imports half of torch
            grouped = _grouped(inventory, missing, ways)
        executor.run(grouped, listener, ways.wanted(grouped))
    except KeyboardInterrupt:
        raise Interrupted from None


def _grouped(inventory: Inventory, missing: Sequence[PlannedTrial], ways: Ways) -> list[Group]:
    """The jobs of `missing`, in groups; with it the store has all that workers look for in it."""
    for trial in {t.trial.model: t.trial for t in missing if t.trial.model.weights}.values():
        _check_weights(trial, inventory.data_dir)
    store = inventory.store
    environment = store.save_environment(collect())
    keep_labels(inventory)
    job = partial(
        Job,
        sweep=store.sweep,
        store=store.root if isinstance(store.root, Path) else str(store.root),
        environment=environment,
        sitting=ways.sitting or inventory.next_sitting,
        data_dir=inventory.data_dir.absolute(),
        loaders=ways.loaders,
        own=inventory.question.own,
    )
    names = store.names(missing)
    jobs = [job(t, cost=cost(t.trial, inventory.data_dir), folder=names[t.id]) for t in missing]
    return [[jobs[i] for i in group] for group in groups([job.planned.trial for job in jobs], ways.size)]


def cost(trial: Trial, data_dir: Path = data.DATA_DIR) -> Cost:
    """Parameters and multiply-adds of a trial's network on its data."""
    facts = data.facts(trial.data, data_dir)
    return count(trial.model, channels=facts.channels, size=facts.size, classes=facts.classes)


def _check_weights(trial: Trial, data_dir: Path) -> None:
    """Raises SpecError if the file that `trial` starts from does not fit, before any trial finds out by itself."""
    facts = data.facts(trial.data, data_dir)
    cpu = torch.device("cpu")
    models.build(trial.model, channels=facts.channels, classes=facts.classes, seed=0, device=cpu)
