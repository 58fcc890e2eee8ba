"""Results: numbers with their n and interval, and what is made of them. Nothing here needs torch.

    load -> stats -> tables, figures, captions, aggregates -> report        frames in, frames out; files last of all
    tables -> cells -> latex                       a paper: each number under a name; manuscript -> proofreading: back

For notebooks and scripts `open_sweep`, which is `senet_lab.open`, is enough.
"""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from senet_lab.results.report import Report


def open_sweep(
    name_or_path: str,
    store: Path | str = "runs",
    *,
    settings: Mapping[str, Any] | None = None,
    recipe: str | None = None,
    seeds: int | None = None,
    data_dir: Path | str = "data",
    include_stale: bool = False,
    until_decided: bool = False,
) -> "Report":
    """What the store holds of a sweep, given by name or file, read anew at every call.

    `settings`, `recipe`, `seeds` and `data_dir` as the options --set, --recipe, --seeds and --data-dir of the
    commands. With `until_decided` it is of all looks at the store, as that option of `report`; UserError is raised
    where the first one is not complete, and where it is not known yet what a study chooses. Raises SweepFileError if
    there is no such sweep, StoreError if `store` is no folder; one without trials of this sweep gives rows with n = 0.
    """
    from senet_lab import catalog, files, inventory  # plotting and pandas take a second: only who opens a sweep pays
    from senet_lab.errors import StoreError
    from senet_lab.results import looks, provenance, report, studies

    root = files.place(store)
    if not files.is_folder(root):
        raise StoreError(f"there is no folder {root}; name that of the run folders, store=...")
    question = catalog.read(catalog.find(name_or_path))
    if settings or recipe is not None or seeds is not None:
        question = catalog.derive(question, dict(settings or {}), recipe=recipe, seeds=seeds)
    found, _ = studies.measured(inventory.take(question, root, Path(data_dir)))
    state = None
    if until_decided:
        looked = looks.complete(looks.look(found, include_stale))
        found, state = looked.used, looked.state
    return replace(report.of(found, include_stale, state), images=provenance.images(found))
