"""Studies in an Optuna storage, for `optuna-dashboard`: a projection of the store, as MLflow is."""

import warnings
from collections.abc import Iterable

import optuna
from optuna.trial import FrozenTrial

from senet_lab.candidates import Trials
from senet_lab.credentials import without_credentials
from senet_lab.spec import Search
from senet_lab.tuning.frozen import frozen


def name(sweep: str, trials: Trials) -> str:
    """What a study is called there: with its identity, as others may have a sweep of that name, and spaces change."""
    row = "" if isinstance(trials.study, Search) else f"/{trials.row.label}"
    return f"{sweep}{row} {trials.name.rpartition('_')[2]}"


def project(studies: Iterable[Trials], sweep: str, url: str) -> str:
    """Bring the studies of `sweep` in the Optuna storage at `url` up to date; why not, where that cannot be."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # names of objectives are experimental
            storage = optuna.storages.RDBStorage(url)
            try:
                for trials in studies:
                    _project(trials, name(sweep, trials), storage)
            finally:
                storage.remove_session()
                storage.engine.dispose()
    except Exception as error:  # whatever a database may say: nothing depends on it
        return without_credentials(f"{url}: {type(error).__name__}: {error}".splitlines()[0])
    return ""


def _project(trials: Trials, name: str, storage: optuna.storages.RDBStorage) -> None:
    ended = [frozen(trials, c) for c in trials.candidates if c.outcome != "not yet"]
    if name in {s.study_name for s in optuna.get_all_study_summaries(storage)}:
        study = optuna.load_study(study_name=name, storage=storage)
        kept = study.get_trials(deepcopy=False)
        if [*map(_mark, kept)] == [*map(_mark, ended[: len(kept)])]:
            study.add_trials(ended[len(kept) :])
            return
        optuna.delete_study(study_name=name, storage=storage)  # one before them has ended since, or gone on
    study = optuna.create_study(study_name=name, storage=storage, directions=["minimize"] * len(trials.objectives))
    study.set_metric_names(list(trials.objectives))
    study.add_trials(ended)


def _mark(trial: FrozenTrial) -> tuple[object, object]:
    return trial.user_attrs.get("trial"), trial.user_attrs.get("outcome")
