"""How the networks of a published table were trained, beside how those of a sweep are.

`protocols.csv` holds what the documents state, with the place; what it does not hold they do not state.
"""

from collections.abc import Iterable

import pandas as pd

from senet_lab.results.published.entries import ABLATIONS, CIFAR, IMAGENET, lines
from senet_lab.results.published.settings import in_force
from senet_lab.spec import Data, Train, Trial

PROTOCOLS = (
    {name: {"v4": "ablations"} for name in ABLATIONS}
    | {name: {"v4": "100 epochs", "CVPR": "100 epochs"} for name in IMAGENET}
    | {"cifar_architectures": dict(CIFAR)}
)
PROTOCOLS["reduction_ratio"] = {"v4": "ablations", "CVPR": "100 epochs"}  # its r = 16 is the run of Table 2
PROTOCOLS["architectures"] = {"v4": "100 epochs"}
PROTOCOLS["mobile_architectures"] = {"v4": "mobile v4", "CVPR": "100 epochs"}
"""Table -> source -> protocol."""
FIXED = {"network": "ResNet-50", "width": "1", "stem": "as published"}
FIXED |= {"reduction ratio": "16", "squeeze": "avg", "gate": "sigmoid", "placement": "standard"}
"""What the tables themselves say: the network that all ablations are of, no network narrow or changed, the block."""
ASKED = {
    "reduction_ratio": "reduction ratio",
    "squeeze_operator": "squeeze",
    "excitation_operator": "gate",
    "integration": "placement",
    "role_of_squeeze": "squeeze",
}
"""Table -> what its rows vary, which is no difference of protocol."""
UNKNOWN = "not stated"
SHOWN = 3  # different values of a setting that are listed; more of them vary by row
OURS = "this sweep"


def load(name: str, trials: Iterable[Trial], seeds: int | str) -> pd.DataFrame:
    """The protocol of the table `name` beside that of `trials`, a line per item.

    Columns: `item`, a column per source, `this sweep`, `where` (the documents state it), and `same`:
    whether all sources state what this sweep does.
    """
    sources = PROTOCOLS[name]
    stated = {(line["protocol"], line["item"]): line for line in lines("protocols")}
    found = []
    own = ours(trials, seeds)
    for varied in ("network" if name not in ABLATIONS else "", ASKED.get(name, "")):
        own.pop(varied, None)
    for item, value in own.items():
        known = {source: stated.get((protocol, item)) for source, protocol in sources.items()}
        theirs = {source: line["value"] if line else FIXED.get(item, UNKNOWN) for source, line in known.items()}
        places = dict.fromkeys(line["where"] for line in known.values() if line)
        same = set(theirs.values()) == {value}
        found.append({"item": item, **theirs, OURS: value, "where": " | ".join(places), "same": same})
    return pd.DataFrame(found)


def ours(trials: Iterable[Trial], seeds: int | str) -> dict[str, str]:
    """Item -> what the rows of a sweep do, in the words of `protocols.csv`."""
    each = [_one(trial) for trial in trials]
    found = {}
    for item in each[0]:
        values = list(dict.fromkeys(one[item] for one in each if one[item]))
        found[item] = " / ".join(values) if len(values) <= SHOWN else "varies by row"
    return found | {"runs": f"{seeds} seeds a row"}


def _one(trial: Trial) -> dict[str, str]:
    data, train, se = trial.data, trial.train, trial.model.se
    identity = getattr(trial.model, "identity_start", False)
    return {
        "network": trial.model.title,
        "width": _width(trial),
        "stem": "for small images" if getattr(trial.model, "small_images", False) else "as published",
        "data set": data.source,
        "training images": f"all of the training part but {data.validation:,}",
        "resolution": f"{data.image_size} x {data.image_size}" if data.image_size else "as in the source",
        "augmentation": _augmentation(data),
        "normalisation": "mean and standard deviation per channel",
        "minibatch sampling": "random order",
        "optimizer": "SGD",
        "momentum": f"{train.momentum:g}" + ", Nesterov" * train.nesterov,
        "weight decay": f"{train.weight_decay:g}",
        "batch size": f"{train.batch_size}",
        "learning rate": f"{train.learning_rate:g}",
        "schedule": _schedule(train),
        "epochs": f"{train.epochs}",
        "label smoothing": f"{train.label_smoothing:g}",
        "initialisation": "He et al. (ICCV 2015)" + ", residual branches from 0" * identity,
        "reduction ratio": _reduction(trial),
        "squeeze": "" if se is None else se.squeeze,
        "gate": "" if se is None else se.gate,
        "placement": "" if se is None else se.placement,
        "FC biases": "" if se is None else "yes" if se.bias else "no",
        "evaluation": _evaluation(data),
    }


def _reduction(trial: Trial) -> str:
    """One number, or, where stages differ, one for each."""
    found = in_force(trial, "model.se.reduction")
    if not isinstance(found, tuple):
        return "" if found is None else f"{found}"
    stages = ", ".join(map(str, trial.model.hidden_widths))
    return f"{', '.join(map(str, found))} in stages {stages}"


def _width(trial: Trial) -> str:
    """Factor on the published channels; a family that has none says its channels."""
    widths = getattr(trial.model, "widths", ())
    factor = getattr(trial.model, "width", None)
    return f"{factor:g}" if factor is not None else f"channels {', '.join(map(str, widths))}"


def _augmentation(data: Data) -> str:
    steps = []
    if data.image_size:
        steps.append("random crop by scale and aspect ratio")
    if data.crop_padding:
        steps.append(f"zero padding of {data.crop_padding} pixel{'s' * (data.crop_padding > 1)} and random crop")
    steps += ["flip"] * data.flip
    if data.cutout:
        steps.append(f"Cutout of {data.cutout:g} of the side")
    return ", ".join(steps) or "none"


def _schedule(train: Train) -> str:
    if train.schedule == "step":
        text = f"x {train.decay:g} after epochs {', '.join(map(str, train.drops))}"
    else:
        text = {"cosine": "cosine to 0 over all epochs", "constant": "constant"}[train.schedule]
    return f"{text}; {train.warmup_epochs:g} epochs of warm-up" if train.warmup_epochs else text


def _evaluation(data: Data) -> str:
    if not data.image_size:
        return "whole images"
    return f"single centre crop of {data.image_size} pixels, shorter side {round(data.image_size * 8 / 7)}"
