"""Which executor runs a sweep."""

from typing import TYPE_CHECKING, Protocol

from senet_lab.commands import console
from senet_lab.credentials import without_credentials
from senet_lab.environment import cores, has_gpu
from senet_lab.errors import UserError, shown

if TYPE_CHECKING:
    from senet_lab.executors import Executor

FEW = 200
"""Trials up to which `auto` does without Ray, whose start takes as long as some dozen short trials."""


class Asked(Protocol):
    """What was asked for on the command line; see `commands.sweep.How`."""

    @property
    def executor(self) -> str: ...
    @property
    def address(self) -> str | None: ...
    @property
    def workers(self) -> int | None: ...
    @property
    def cpus_per_trial(self) -> int: ...
    @property
    def gpus_per_trial(self) -> float | None: ...


def chosen(asked: Asked, due: int, watched: bool = False) -> str:
    """The executor for `due` trials: what was asked for; for `auto`, processes where nothing needs Ray.

    The results are the same; what differs is Ray's start. Ray is needed for a GPU, for a cluster, and to share a
    machine out by other than one core a trial, and where trials are `watched`, to be ended early by Tune.
    """
    if watched and asked.executor not in ("auto", "ray"):
        raise UserError(
            f"--executor {asked.executor}: trials of this search are ended early by Ray Tune; take --executor ray, or "
            f"leave stopping= out of the search"
        )
    if asked.executor != "auto":
        return asked.executor
    shared_out = asked.address is not None or asked.gpus_per_trial is not None or asked.cpus_per_trial != 1
    return "ray" if shared_out or watched or due > FEW or has_gpu() else "processes"


def executor(asked: Asked, needed: bool, stays: bool = False) -> "Executor":
    """What runs the trials; `stays`: batch after batch.

    Raises UserError for what cannot be had, before anything is written, if it is `needed`.
    """
    if asked.executor != "ray" and asked.address is not None:
        raise UserError(f"--address {shown(asked.address)}: that is for --executor ray; leave one of the two out")
    if asked.executor == "local":
        from senet_lab.executors.local import Local

        return Local()
    if asked.executor == "processes":
        from senet_lab.executors.processes import Processes

        return Processes(asked.workers or max(1, cores() // asked.cpus_per_trial), stays)
    from senet_lab.executors.ray_tune import RayTune
    from senet_lab.executors.slot import Slot

    ray = RayTune(Slot(asked.cpus_per_trial, at_once=asked.workers), asked.gpus_per_trial, asked.address, stays)
    if needed:
        ray.refuse_impossible()
    if needed and asked.address:
        where = without_credentials(asked.address)
        console.print(
            f"On the Ray cluster at {where}; should it or the connection go away, type this again", markup=False
        )
    return ray
