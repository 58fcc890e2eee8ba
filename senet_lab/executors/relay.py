"""From Ray Tune's loop to the listener: steps, records that no worker writes, and when a round is to end."""

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import ray
from ray import tune
from ray.tune.experiment import Trial
from ray.tune.progress_reporter import TrialProgressCallback
from ray.tune.schedulers import FIFOScheduler

from senet_lab.errors import ClusterLost, Crowded
from senet_lab.executors import Listener, Wanted, everything
from senet_lab.executors.deaths import lost
from senet_lab.executors.judge import Judge, stopped
from senet_lab.jobs import Group, Job, Step


class Relay(tune.Callback):  # type: ignore[misc]
    """Hands steps to the listener, and makes a record of a trial whose worker died, or that was ended early."""

    def __init__(
        self,
        groups: Sequence[Group],
        listener: Listener,
        judge: Judge | None = None,
        wanted: Wanted = everything,
    ) -> None:
        self.groups, self.listener, self.judge, self._wanted = groups, listener, judge, wanted
        if judge is not None:
            judge.groups = groups
        self.left = {job.planned.id for group in groups for job in group}
        """Ids of the trials that have not ended."""
        self.crowded: tuple[int, Crowded] | None = None
        """Index of the group whose GPU had not enough memory for it and its neighbours, and what it said."""
        self.bereft: set[str] = set()
        """Ids of trials whose worker died with several of them, so that any one may be the cause."""
        self.error: Exception | None = None
        """What went wrong in here; Tune would let out a TuneError with its traceback as text."""

    def __getstate__(self) -> dict[str, Any]:
        """Nothing: Tune pickles its callbacks in order to restore them, which is never done."""
        return {}

    def on_trial_start(self, iteration: int, trials: Any, trial: Any, **info: Any) -> None:
        self._tell(trial, tuple(Step(job.planned, ()) for job in self._unended(trial)))

    def on_trial_result(self, iteration: int, trials: Any, trial: Any, result: Any, **info: Any) -> None:
        self._tell(trial, result.pop("steps"))  # Tune keeps every trial's last result to the end
        if self.judge is not None:  # which Tune has asked before this
            self._tell(trial, self._stopped(trial, self.judge))

    def on_trial_error(self, iteration: int, trials: Any, trial: Any, **info: Any) -> None:
        self._tell(trial, None)

    def wants(self, trial: Any) -> bool:
        """Whether a Tune trial is still to begin."""
        return any(map(self._wanted, self._unended(trial)))

    def _unended(self, trial: Any) -> list[Job]:
        return [job for job in self.groups[trial.config["group"]] if job.planned.id in self.left]

    def _stopped(self, trial: Any, judge: Judge) -> Iterator[Step]:
        """The end of a trial that has just been ended early."""
        for job in self._unended(trial):
            if job.planned.id in judge.ended:
                yield stopped(job, judge.ended[job.planned.id], trial.run_metadata.start_time)

    def _tell(self, trial: Any, news: Iterable[Step] | Exception | None) -> None:
        """Pass on steps; raise an error of the store; make steps of trials whose worker died."""
        try:
            if isinstance(news, Crowded):
                self.crowded = trial.config["group"], news
                return
            if isinstance(news, Exception):
                raise news
            for step in self._after_death(trial) if news is None else news:
                if step.planned.id not in self.left:  # a process that died had told of its end
                    continue
                if step.record is not None:
                    self.left.remove(step.planned.id)
                self.listener(step)
        except Exception as error:
            self.error = error
            raise

    def _after_death(self, trial: Any) -> list[Step]:
        """The end of a trial that was alone when its worker died too often; several are to go on one by one.

        Raises ClusterLost if there is nothing left that could run a worker, which is no trial's fault.
        """
        unended = self._unended(trial)
        if unended and not any(node["Alive"] and node["Resources"].get("CPU") for node in ray.nodes()):
            raise ClusterLost("Ray, which has no node any more,")
        if len(unended) > 1:
            self.bereft |= {job.planned.id for job in unended}
            note = f"the worker of {unended[0].planned.name} and {len(unended) - 1} others died; next one by one"
            return [Step(unended[0].planned, (), note=note)]
        said = trial.get_pickled_error() or trial.get_error() or "it left no word"
        return [lost(job, str(said), trial.run_metadata.start_time) for job in unended]


class WhileWanted(FIFOScheduler):  # type: ignore[misc]
    """Begins trials in their order, and none that is not wanted any more; which end early the judge says."""

    def __init__(self, relay: Relay) -> None:
        super().__init__()
        self.relay = relay

    def choose_trial_to_run(self, tune_controller: Any) -> Any:
        for trial in list(tune_controller.get_trials()):
            if trial.status == Trial.PENDING and not self.relay.wants(trial):
                trial.init_local_path()  # Tune asks for it at its end
                tune_controller.stop_trial(trial)
        return super().choose_trial_to_run(tune_controller)

    def on_trial_result(self, tune_controller: Any, trial: Any, result: dict[str, Any]) -> str:
        if self.relay.judge is None:
            return str(super().on_trial_result(tune_controller, trial, result))
        return self.relay.judge.on_trial_result(tune_controller, trial, result)

    def on_trial_complete(self, tune_controller: Any, trial: Any, result: dict[str, Any]) -> None:
        if self.relay.judge is not None:
            self.relay.judge.on_trial_complete(trial)


class Silence(TrialProgressCallback):  # type: ignore[misc]
    """Takes the place of Tune's own, which prints a line of every trial that ends without a result."""

    def on_trial_result(self, *_: Any, **info: Any) -> None: ...

    def on_trial_error(self, *_: Any, **info: Any) -> None: ...

    def on_trial_complete(self, *_: Any, **info: Any) -> None: ...


class WhenCrowded(tune.Stopper):  # type: ignore[misc]
    """Ends a round in which a GPU was too small for its trials; those that run go on from their last epoch."""

    def __init__(self, relay: Relay) -> None:
        self.relay = relay

    def __call__(self, trial_id: str, result: dict[str, Any]) -> bool:
        return False

    def stop_all(self) -> bool:
        return self.relay.crowded is not None
