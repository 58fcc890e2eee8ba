"""`senet-lab sweep`: run what is missing."""

import time

from senet_lab.options import (
    DATA,
    REPORTS,
    RUNS,
    Address,
    CpusPerTrial,
    DataFolder,
    Download,
    Engine,
    Executor,
    GpusPerTrial,
    Loaders,
    MaxHours,
    OptunaStorage,
    Recipe,
    Reports,
    Reruns,
    Seeds,
    Settings,
    StoreFolder,
    Together,
    Tracking,
    UntilDecided,
    Which,
    Workers,
    settings,
)


def sweep(
    sweep: Which,
    store: StoreFolder = RUNS,
    data_dir: DataFolder = DATA,
    download: Download = False,
    set_: Settings = None,
    seeds: Seeds = None,
    recipe: Recipe = None,
    until_decided: UntilDecided = False,
    max_hours: MaxHours = None,
    rerun: Reruns = None,
    executor: Executor = Engine.auto,
    workers: Workers = None,
    address: Address = None,
    cpus_per_trial: CpusPerTrial = 1,
    gpus_per_trial: GpusPerTrial = None,
    together: Together = None,
    loaders: Loaders = None,
    optuna_storage: OptunaStorage = None,
    to: Reports = REPORTS,
    tracking_uri: Tracking = None,
) -> None:
    """Run exactly the trials that are missing, live, then report. After anything at all: type it again."""
    began = time.monotonic()
    from senet_lab import commands
    from senet_lab.balance import Limit
    from senet_lab.commands.running import How
    from senet_lab.commands.sweep import run_sweep

    where = commands.Where(store, data_dir, download)
    found = commands.inventory(sweep, where, settings(set_ or []), seeds, recipe)
    how = How(
        executor=executor.value,
        address=address,
        workers=workers,
        cpus_per_trial=cpus_per_trial,
        gpus_per_trial=gpus_per_trial,
        loaders=loaders,
        together=together,
        storage=optuna_storage,
        rerun=tuple(r.value for r in rerun or ()),
        tracking_uri=tracking_uri,
        reports=to,
        limit=Limit(max_hours, began),
    )
    run_sweep(found, how, until_decided)
