"""What works here, and what to do about the rest."""

import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Literal

from senet_lab import catalog, data, files, selection, tracking
from senet_lab.credentials import without_credentials, without_secrets
from senet_lab.environment import PACKAGES, collect
from senet_lab.errors import DataError, UserError
from senet_lab.inventory import take
from senet_lab.records import Environment

Mark = Literal["ok", "note", "wrong"]
Finding = tuple[Mark, str, str]
"""How it is, what was looked at, what was found and what to do."""

LOW_DISK_BYTES = 2_000_000_000


def examine(store: str, data_dir: Path, tracking_uri: str) -> Iterator[Finding]:
    """Look at packages, processor, GPU, store, sweeps, data and MLflow, one after another.

    Credentials in `tracking_uri` do not appear in the findings.
    """
    here = collect()
    yield _packages(here)
    yield _processor(here)
    yield _gpu(here)
    yield _try("store", lambda: _store(store))
    yield from _sweeps(store, data_dir)
    yield _mlflow(tracking_uri)


def _packages(here: Environment) -> Finding:
    found = here.packages
    missing = [name for name in PACKAGES if name not in found]
    if missing:
        return "wrong", "packages", f"{', '.join(missing)} missing; pip install -c constraints.txt -e ."
    return "ok", "packages", ", ".join(f"{name} {version}" for name, version in found.items())


def _processor(here: Environment) -> Finding:
    load = os.getloadavg()[0]
    text = f"{here.cores} cores, {here.cpu}; one trial of one thread a core"
    if load > here.cores:
        return "note", "processor", f"{text}; {load:.1f} processes compete for it now, times will be longer"
    return "ok", "processor", text


def _gpu(here: Environment) -> Finding:
    import torch

    if torch.cuda.is_available():
        names = ", ".join(torch.cuda.get_device_name(i) for i in range(torch.cuda.device_count()))
        return "ok", "GPU", f"{names}; four trials share one, --gpus-per-trial changes that"
    if here.gpus:
        build = here.packages.get("torch")
        return (
            "wrong",
            "GPU",
            f"{here.gpus[0]} is there, but torch {build} cannot use it; install its CUDA build",
        )
    return "note", "GPU", "none; trials run on the CPU"


def _store(store: str) -> Finding:
    root = files.place(store)
    if not isinstance(root, Path):
        return "ok", "store", f"{root}, {len(files.folders(root))} sweeps"
    existing = next(p for p in (root.absolute(), *root.absolute().parents) if p.exists())
    free = shutil.disk_usage(existing).free
    text = f"{root.absolute()}, {free / 1e9:.0f} GB free"
    if not os.access(existing, os.W_OK):
        return "wrong", "store", f"{text}; it cannot be written to, choose another with --store"
    return ("note", "store", f"{text}; that is little") if free < LOW_DISK_BYTES else ("ok", "store", text)


def _mlflow(uri: str) -> Finding:
    if wrong := tracking.reachable(uri):
        return "wrong", "MLflow", without_secrets(wrong, [uri])
    return "ok", "MLflow", without_credentials(uri)


def _sweeps(root: str, data_dir: Path) -> Iterator[Finding]:
    for name, path in sorted(catalog.names().items()):
        yield _try(f"sweep {name}", lambda path=path: _sweep(path, root, data_dir))  # type: ignore[misc]


def _sweep(path: Path, root: str, data_dir: Path) -> Finding:
    question = catalog.read(path)
    facts = data.facts(question.sweep.base.data, data_dir)
    found = selection.settled(take(question, root, data_dir))
    states = ", ".join(f"{n} {state}" for state, n in found.plan.counts().items())
    if selection.is_open(found):
        states += f", and {sum(one.left for one in selection.read(found))} candidates to choose by first"
    amount = f"{facts.pool} + {facts.test} images of {question.sweep.base.data.source}"
    return "ok", f"sweep {question.name}", f"{states}; {amount}"


def _try(what: str, look: Callable[[], Finding]) -> Finding:
    try:
        return look()
    except DataError as error:  # nobody needs every data set
        return "note", what, str(error)
    except UserError as error:
        return "wrong", what, str(error)
