"""Which trials can be trained as one tensor program (`training.population`), and in which groups. Pure; no torch."""

import json
from collections.abc import Callable, Iterable, Sequence
from itertools import groupby
from typing import Any

from senet_lab.spec import Trial, is_shipped

Groups = tuple[tuple[int, ...], ...]
"""Places in a sequence of trials; each once."""
EACH_ITS_OWN: dict[str, Any] = {
    "seed": True,
    "model": {"se", "weights"},
    "train": {"learning_rate", "weight_decay", "schedule", "drops", "decay", "warmup_epochs"},
}
"""What members of a group need not share. Of SE they share its placement and whether it has biases."""


def shape(trial: Trial) -> str | None:
    """What a trial shares with all that can be trained together with it; None if it can only be trained alone.

    Alone: networks with layers that join or reorder channels, or that draw (dropout); images that are decoded while
    the network trains; a squeeze that keeps the map; and operators of a sweep file, which know nothing of groups.
    """
    model, se = trial.model, trial.model.se
    if not model.folds or getattr(model, "dropout", 0.0) > 0 or trial.data.image_size is not None:
        return None
    if se is not None and (se.squeeze == "none" or not is_shipped("squeeze", se.squeeze)):
        return None
    if se is not None and not is_shipped("gate", se.gate):
        return None
    block = None if se is None else se.model_dump(mode="json", include={"placement", "bias"})
    return json.dumps([trial.model_dump(mode="json", exclude=EACH_ITS_OWN), block], sort_keys=True)


def by_shape(trials: Sequence[Trial]) -> dict[str, list[int]]:
    """Shape -> places of its trials; those that can only be trained alone are left out.

    Trials without SE go with those of the same network that have it, as a block may be absent.
    """
    members: dict[str, list[int]] = {}
    for place, kind in enumerate(_joined([shape(trial) for trial in trials])):
        if kind is not None:
            members.setdefault(kind, []).append(place)
    return members


def groups(trials: Sequence[Trial], size: Callable[[str], int]) -> Groups:
    """All of `trials`, in groups of one shape and of at most `size(shape)`, in the order of running.

    A seed is not torn where a group can hold all of it that has one shape, so that early results are paired.
    """
    members = by_shape(trials)
    found: list[tuple[int, ...]] = [(place,) for place in sorted({*range(len(trials))}.difference(*members.values()))]
    for kind, places in members.items():
        seeds = [tuple(own) for _, own in groupby(places, key=lambda place: trials[place].seed)]
        found += _packed(seeds, max(1, size(kind)))
    return tuple(sorted(found))


def _packed(seeds: Iterable[tuple[int, ...]], size: int) -> list[tuple[int, ...]]:
    packed: list[list[int]] = [[]]
    for places in seeds:
        if len(packed[-1]) + len(places) > size >= len(places):
            packed.append([])
        for place in places:
            if len(packed[-1]) == size:
                packed.append([])
            packed[-1].append(place)
    return [tuple(group) for group in packed if group]


def _joined(found: Sequence[str | None]) -> list[str | None]:
    """Shapes without SE give way to the first one with SE of the same network, data and training."""
    first: dict[str, str] = {}
    told = [(None, None) if one is None else json.loads(one) for one in found]
    for one, (rest, block) in zip(found, told, strict=True):
        if one is not None and block is not None:
            first.setdefault(json.dumps(rest), one)
    return [
        first.get(json.dumps(rest), one) if block is None else one
        for one, (rest, block) in zip(found, told, strict=True)
    ]
