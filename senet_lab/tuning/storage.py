"""Studies in an Optuna storage, for `optuna-dashboard`: a projection of the store, as MLflow is."""

import warnings
from collections.abc import Iterable, Sequence

import optuna

from senet_lab.candidates import Trials
from senet_lab.credentials import without_credentials
from senet_lab.tuning.frozen import frozen


def project(studies: Iterable[Trials], names: Sequence[str], url: str) -> str:
    """Bring the studies called `names` in the Optuna storage at `url` up to date; why not, where that cannot be.

    What is there of another sampler or space under the same name is replaced.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # names of objectives are experimental
            _project(studies, names, url)
    except Exception as error:  # whatever a database may say: nothing depends on it
        return without_credentials(f"{url}: {type(error).__name__}: {error}".splitlines()[0])
    return ""


def _project(studies: Iterable[Trials], names: Sequence[str], url: str) -> None:
    storage = optuna.storages.RDBStorage(url)
    for trials, name in zip(studies, names, strict=True):
        ended = [frozen(trials, c) for c in trials.candidates if c.outcome != "not yet"]
        there = {s.study_name for s in optuna.get_all_study_summaries(storage)}
        if name in there:
            kept = optuna.load_study(study_name=name, storage=storage).get_trials(deepcopy=False)
            if [t.user_attrs.get("trial") for t in kept] == [t.user_attrs["trial"] for t in ended[: len(kept)]]:
                optuna.load_study(study_name=name, storage=storage).add_trials(ended[len(kept) :])
                continue
            optuna.delete_study(study_name=name, storage=storage)
        study = optuna.create_study(study_name=name, storage=storage, directions=["minimize"] * len(trials.objectives))
        study.set_metric_names(list(trials.objectives))
        study.set_user_attr("senet_lab.row", trials.row.label)
        study.add_trials(ended)
