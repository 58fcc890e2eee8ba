"""What a study may make of a sweep's rows: its space held against them, before anything runs. Pure."""

from collections.abc import Iterator
from typing import Any

from senet_lab.design import Settings, Variant
from senet_lab.errors import SpecError
from senet_lab.spec import Study, Trial, Tune, apply
from senet_lab.spec.space import Float, corners, settings

WHOLE = ("model", "train", "model.weights")
AUGMENTATION = ("data.crop_padding", "data.flip", "data.cutout")
"""All of the data that a study may choose: the images that candidates are judged on stay the same."""


def check_space(study: Study, rows: tuple[Variant, ...]) -> None:
    """Raises SpecError for a setting that is not to be chosen, and for an end of the space that no trial may have."""
    asked = dict.fromkeys(key for row in rows for key in row.settings)
    for key in study.space:
        if key in WHOLE or (key.partition(".")[0] in ("seed", "data") and key not in AUGMENTATION):
            raise SpecError(f"space: {key} is not to be chosen: candidates are judged on the same images; leave it out")
        if isinstance(study, Tune) and (without := [row.label for row in rows if _absent(row.trial, key)]):
            raise SpecError(f"space: {key} would bring into {without[0]} what that row is without; leave it out")
        if clash := [one for one in asked if _overlap(one, key)]:
            raise SpecError(f"space: {key} is not to be chosen: the sweep itself gives {clash[0]}; leave it out")
    for row, chosen, trial in configurations(study, rows):
        if isinstance(trial, SpecError):
            raise SpecError(f"space: {row.label} with {chosen}: {trial}{_hint(study, str(trial))}")


def _hint(study: Study, said: str) -> str:
    """That a range of fractions was given for what is counted."""
    counted = [k for k, one in study.space.items() if isinstance(one, Float) and f"{k}: found" in said]
    return f": give {counted[0]} Int(low=..., high=...)" if counted and "valid integer" in said else ""


def configurations(study: Study, rows: tuple[Variant, ...]) -> Iterator[tuple[Variant, Settings, Trial | SpecError]]:
    """Of every row what the ends of the space make of it: what was chosen, and the trial or why there can be none."""
    for row in rows:
        for chosen in corners(study.space):
            try:
                yield row, chosen, apply(row.trial, settings(study.space, chosen))
            except SpecError as error:
                yield row, chosen, error


def _absent(trial: Trial, key: str) -> bool:
    """Whether what `key` sets something of is None in `trial`."""
    node: Any = trial.model_dump()
    for name in key.split(".")[:-1]:
        node = node.get(name, {}) if isinstance(node, dict) else {}
        if node is None:
            return True
    return False


def _overlap(one: str, other: str) -> bool:
    """Whether two paths set something in common."""
    return one == other or one.startswith(f"{other}.") or other.startswith(f"{one}.")
