"""Synthetic gates: single images' numbers, and the files and stores that come of them."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from senet_lab import gates, plan
from senet_lab.catalog import Question
from senet_lab.results import kept, load
from senet_lab.results.kept import Gates, Kept
from senet_lab.store import Store, finish, save_gates

Reals = npt.NDArray[np.float64]
CLASSES, EACH = 10, 6
LABELS = np.repeat(np.arange(CLASSES), EACH)
NAMES = tuple(str(n) for n in range(CLASSES))


def payload(images: Mapping[str, Reals], labels: npt.NDArray[np.int64] = LABELS, names: Sequence[str] = NAMES) -> bytes:
    """A trial's file from block -> gates of each image (images, channels)."""
    choice = gates.Choice(tuple(names), labels)
    return gates.to_bytes([_block(name, x_NC, choice) for name, x_NC in images.items()], choice)


def _block(name: str, x_NC: Reals, choice: gates.Choice) -> gates.Block:
    parts = [x_NC[choice.labels == k][:, :: choice.stride(x_NC.shape[1])] for k in choice.classes]
    by_class = gates.Moments(
        np.array([len(part) for part in parts]),
        np.array([part.mean(0) for part in parts]),
        np.array([part.std(0) for part in parts]),
    )
    every = gates.Moments(np.array([len(x_NC)]), x_NC.mean(0)[None], x_NC.std(0)[None])
    return gates.Block(name, every, by_class, x_NC[choice.probe][:, :: gates.grid_stride(x_NC.shape[1])])


def frame(images: Mapping[str, Reals], labels: npt.NDArray[np.int64] = LABELS) -> pd.DataFrame:
    """The same, as it is read."""
    return kept.read(payload(images, labels, [str(n) for n in range(labels.max() + 1)])).frame


def read(names: Sequence[str], channels: int = 4) -> Gates:
    """A trial with one block on classes of these names, an image each."""
    labels = np.arange(len(names))
    return kept.read(payload({"SE_2_1": np.full((len(names), channels), 0.5)}, labels, names))


def network(seed: int, blocks: Sequence[str] = ("SE_2_1", "SE_3_1", "SE_4_1"), channels: int = 8) -> dict[str, Reals]:
    """Gates that tell classes apart the better the deeper the block, channels in an order of the seed."""
    generator = np.random.default_rng(seed)
    found = {}
    for depth, name in enumerate(blocks, 1):
        of_class = generator.uniform(-0.1, 0.1, (CLASSES, channels)) * depth
        noise = generator.normal(0, 0.01 * depth, (len(LABELS), channels))
        found[name] = np.clip(np.linspace(0.3, 0.7, channels) + of_class[LABELS] + noise, 0, 1)[
            :, generator.permutation(channels)
        ]
    return found


def fill(make: Any, question: Question, store: Store, without: Sequence[str] = (), seeds: int | None = None) -> Kept:
    """A store with a record of every trial and, where a row has SE and is not in `without`, its gates."""
    planned = plan.wanted(question.rows, question.sweep.seeds if seeds is None else seeds, lambda data: "data")
    for wanted in planned:
        folder = store.open(wanted)
        digest = None
        if wanted.trial.model.se is not None and wanted.variant.label not in without:
            digest = save_gates(folder, payload(network(wanted.trial.seed)))
        finish(folder, make.record(wanted, 30 + wanted.trial.seed, gates=digest))
    return kept.kept(question, load.trials(planned, store.contents()[0]), store.contents()[0], store)


def place(folder: Path, question: Question) -> Store:
    """An empty store of the question's sweep."""
    return Store(folder / "runs", question.name)
