"""Trials of the smallest networks, run and compared to the last bit."""

import torch
from torch import Tensor

from senet_lab import data, models
from senet_lab.data.split import Part, Parts, split
from senet_lab.records import EpochMetrics
from senet_lab.spec import Data, Model, Train, Trial, apply
from senet_lab.training.learner import Learner
from senet_lab.training.train import train

CPU = torch.device("cpu")
TINY = Trial(
    model=Model(depth=4, widths=(4,)),
    data=Data(source="digits", validation=408, crop_padding=1, flip=True),
    train=Train(epochs=3, batch_size=100, learning_rate=0.1, weight_decay=1e-3, label_smoothing=0.1, warmup_epochs=0.5),
)
GATED = apply(TINY, {"model.se.reduction": 2, "model.widths": (4, 8), "model.depth": 6})
HALF = apply(GATED, {"train.precision": "bfloat16"})


def prepare(trial: Trial) -> tuple[Learner, Parts]:
    images, facts = data.load(trial.data), data.facts(trial.data)
    network = models.build(trial.model, channels=facts.channels, classes=facts.classes, seed=trial.seed, device=CPU)
    return Learner(network, trial.train), split(images, trial.data, trial.seed, CPU)


def run(trial: Trial) -> Learner:
    learner, parts = prepare(trial)
    list(train(trial, learner, parts))
    return learner


def pixels(part: Part) -> Tensor:
    """All that the network would see, in the part's order."""
    return torch.cat([x_BCHW for x_BCHW, _ in part.in_order(100)])


def without_seconds(epochs: tuple[EpochMetrics, ...]) -> list[EpochMetrics]:
    return [m.model_copy(update={"seconds": 0.0}) for m in epochs]


def assert_same_bits(a: Learner, b: Learner) -> None:
    first, second = a.network.state_dict(), b.network.state_dict()
    assert list(first) == list(second)
    assert [name for name in first if not torch.equal(first[name], second[name])] == []
    assert without_seconds(a.epochs) == without_seconds(b.epochs)
    momenta = [list(learner.optimizer.state.values()) for learner in (a, b)]
    assert len(momenta[0]) == len(momenta[1]) > 0
    for one, other in zip(*momenta, strict=True):
        assert torch.equal(one["momentum_buffer"], other["momentum_buffer"])
