"""The paper's networks and blocks in our words: settings by dotted path that a row has to agree with.

Data, training and width are left out: a narrow version of a network on other data is the same row.
"""

from collections.abc import Mapping
from typing import Any

from senet_lab.results.load import value_of

Settings = Mapping[str, Any]

WITHOUT_SE: Settings = {"model.se": None}


def se(**changed: Any) -> Settings:
    """The paper's SE block (v4 sections 3 and 5.1), or one of its ablations."""
    block = {"reduction": 16, "squeeze": "avg", "gate": "sigmoid", "placement": "standard", "stages": "all"}
    return {f"model.se.{key}": value for key, value in (block | changed).items()}


def _network(family: str, **settings: Any) -> dict[str, Any]:
    return {"model.family": family} | {f"model.{key}": value for key, value in settings.items()}


RESNET_50 = _network("resnet", depth=50)
NETWORKS: Mapping[str, Settings] = {
    "ResNet-50": RESNET_50,
    "ResNet-101": _network("resnet", depth=101),
    "ResNet-152": _network("resnet", depth=152),
    "ResNeXt-50": _network("resnext", depth=50, cardinality=32, group_width=4),
    "ResNeXt-101": _network("resnext", depth=101, cardinality=32, group_width=4),
    "VGG-16": _network("vgg", depth=16),
    "BN-Inception": _network("bn_inception"),
    "Inception-ResNet-v2": _network("inception_resnet_v2"),
    "MobileNet": _network("mobilenet"),
    "ShuffleNet": _network("shufflenet", groups=3),
    "SENet-154": _network("senet", depth=154),
    "ResNet-110": _network("preact_resnet", depth=110, block="basic") | {"data.cutout": 0.0},
    "ResNet-164": _network("preact_resnet", depth=164, block="bottleneck") | {"data.cutout": 0.0},
    "WRN-16-8": _network("wide_resnet", depth=16, widen=8) | {"data.cutout": 0.0},
    "Shake-Shake 26 2x96d + Cutout": {
        **_network("shake_shake", depth=26, block="basic", base_width=96, backward="shake"),
        "data.cutout": 0.5,  # 16 of 32 pixels on CIFAR-10 (README of uoguelph-mlrg/Cutout)
    },
    "Shake-Even 29 2x4x64d + Cutout": {
        **_network("shake_shake", depth=29, block="bottleneck", base_width=64, cardinality=4, backward="even"),
        "data.cutout": 0.25,  # 8 of 32 pixels on CIFAR-100 (the same)
    },
}
"""By the names that Tables 2 to 5 give them, without SE or with it."""


def agrees(trial: Any, settings: Settings) -> bool:
    """Whether all `settings` are in force in `trial`, or in anything else that has a `model`."""
    return all(in_force(trial, path) == value for path, value in settings.items())


def in_force(trial: Any, path: str) -> Any:
    """The setting at `path`, in one spelling: stages in order, all of them listed one by one being "all"; the
    reduction that all stages have, or, where they differ, that of each."""
    value = value_of(trial, path)
    if path == "model.se.reduction" and value is not None:
        found = [trial.model.se.reduction_of(stage) for stage in trial.model.hidden_widths]
        return found[0] if len(set(found)) == 1 else tuple(found)
    if path != "model.se.stages" or not isinstance(value, tuple):
        return value
    stages = tuple(sorted(set(value)))
    return "all" if stages == trial.model.stages else stages
