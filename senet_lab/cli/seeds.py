"""`senet-lab seeds`: how many seeds a difference needs."""

from senet_lab.options import (
    DATA,
    RUNS,
    DataFolder,
    Detect,
    Json,
    Probe,
    Recipe,
    Seeds,
    Settings,
    Spread,
    StoreFolder,
    Which,
    settings,
    typed,
)


def seeds(
    sweep: Which,
    store: StoreFolder = RUNS,
    data_dir: DataFolder = DATA,
    set_: Settings = None,
    seeds: Seeds = None,
    recipe: Recipe = None,
    detect: Detect = None,
    spread: Spread = None,
    probe: Probe = 4.0,
    json_: Json = False,
) -> None:
    """What the seeds so far can find, and how many seeds and hours a difference of --detect points needs."""
    from senet_lab import commands

    found = commands.answers(sweep, commands.Where(store, data_dir), settings(set_ or []), seeds, recipe)
    again = typed("sweep", sweep, {"--store": store, "--data-dir": data_dir, "--recipe": recipe}, set_)
    with commands.waiting(commands.foreseeing(found, probe)):
        from senet_lab.commands import seeds as planning  # torch: a mistake above needs no seconds for it

        needs = planning.look(found, again, detect, spread, probe)
    planning.show(needs, json_)
