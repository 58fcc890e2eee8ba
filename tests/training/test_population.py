"""Trials trained together against each of them trained alone."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

import pytest
import torch

from senet_lab.data.held import Batch, Held
from senet_lab.data.split import Parts
from senet_lab.errors import Diverged
from senet_lab.records import EpochMetrics
from senet_lab.spec import SE, Data, Model, Train, Trial, apply
from senet_lab.training.begin import begin
from senet_lab.training.learner import Learner
from senet_lab.training.population import Arrangement, Outcome, programs_of, train_together
from senet_lab.training.train import train

CPU = torch.device("cpu")
BASE = Trial(
    model=Model(depth=4, widths=(4,)),
    data=Data(source="digits", validation=506, crop_padding=1, flip=True, cutout=0.25),
    train=Train(epochs=3, batch_size=12, learning_rate=0.1, label_smoothing=0.1),
)
WIDE = apply(BASE, {"model": {"family": "cifar_resnet", "depth": 6, "widths": (4, 6)}})


def members(base: Trial = WIDE) -> list[Trial]:
    """Everything that may differ differs; two have one seed."""
    asked: list[tuple[int, SE | None, dict[str, Any]]] = [
        (0, None, {}),
        (1, SE(reduction=2), {"learning_rate": 0.2, "weight_decay": 1e-3, "momentum": 0.0}),
        (2, SE(reduction=4, gate="tanh", squeeze="max"), {"schedule": "constant", "weight_decay": 0.02}),
        (2, SE(reduction=1, gate="relu"), {"schedule": "step", "drops": (1,), "momentum": 0.5, "warmup_epochs": 0.5}),
        (5, SE(reduction=2, stages=(2,)), {"weight_decay": 0.1}),
    ]
    return [
        apply(base, {"seed": seed, "model.se": se} | {f"train.{key}": value for key, value in changes.items()})
        for seed, se, changes in asked
    ]


class Doubled:
    """A part of which a network in float64 gets what a folded one gets."""

    def __init__(self, part: Held) -> None:
        self.part, self.y_N = part, part.y_N

    def __len__(self) -> int:
        return len(self.part)

    def in_order(self, batch: int) -> Iterator[Batch]:
        return ((x_BCHW.double(), y_B) for x_BCHW, y_B in self.part.in_order(batch))

    def shuffled(self, batch: int, seed: int, epoch: int) -> Iterator[Batch]:
        return ((x_BCHW.double(), y_B) for x_BCHW, y_B in self.part.shuffled(batch, seed, epoch))


def ready(trials: Sequence[Trial], double: bool = True) -> tuple[list[Learner], list[Parts]]:
    made = [begin(trial, CPU) for trial in trials]
    for learner, _ in made:
        learner.network.to(torch.double if double else torch.float)
    return [learner for learner, _ in made], [few(parts) for _, parts in made]


def few(parts: Parts) -> Parts:
    """Four batches to train on, and two and a half to be judged by: convolutions in float64 are slow."""
    train, held = parts.train, parts.validation
    assert isinstance(train, Held) and isinstance(held, Held)
    kept = [replace(p, rows_N=p.rows_N[:n], y_N=p.y_N[:n]) for p, n in ((train, 50), (held, 30))]
    return replace(parts, train=kept[0], validation=kept[1])


def alone(trials: Sequence[Trial], learners: Sequence[Learner], parts: Sequence[Parts]) -> None:
    for trial, learner, own in zip(trials, learners, parts, strict=True):
        assert isinstance(own.train, Held) and isinstance(own.validation, Held)
        if next(learner.network.parameters()).dtype == torch.double:
            own = replace(own, train=Doubled(own.train), validation=Doubled(own.validation))
        list(train(trial, learner, own))


def check(found: Sequence[Learner], expected: Sequence[Learner], bound: float = 1e-12) -> None:
    for ours, theirs in zip(found, expected, strict=True):
        assert len(ours.epochs) == len(theirs.epochs)
        for epoch, other in zip(ours.epochs, theirs.epochs, strict=True):
            assert epoch.model_dump(exclude={"seconds"}) == pytest.approx(
                other.model_dump(exclude={"seconds"}), abs=bound, rel=bound
            )
        states = (ours.network.state_dict(), theirs.network.state_dict())
        assert states[0].keys() == states[1].keys()
        for name, tensor in states[0].items():
            torch.testing.assert_close(tensor, states[1][name], rtol=bound, atol=bound, msg=name)
        steered, also = ours.optimizer.state_dict(), theirs.optimizer.state_dict()
        assert steered["param_groups"] == also["param_groups"] and steered["state"].keys() == also["state"].keys()
        for number, kept in steered["state"].items():
            assert kept.keys() == also["state"][number].keys()
            momentum = also["state"][number]["momentum_buffer"]
            torch.testing.assert_close(kept["momentum_buffer"], momentum, rtol=bound, atol=bound)


@pytest.mark.parametrize("ways", [None, Arrangement(3, 2, False), Arrangement(5, 1, False)], ids=str)
def test_together_as_alone(ways: Arrangement | None) -> None:
    trials = members()
    expected, parts = ready(trials)
    alone(trials, expected, parts)
    found, parts = ready(trials)
    for number, outcomes in enumerate(train_together(trials, found, parts, ways), 1):
        assert outcomes == tuple(learner.epochs[-1] for learner in found)
        assert all(isinstance(o, EpochMetrics) and o.epoch == number and o.seconds > 0 for o in outcomes)
        assert len({o.seconds for o in outcomes if isinstance(o, EpochMetrics)}) == 1
    assert number == 3
    check(found, expected)


@pytest.mark.parametrize(
    "model",
    [
        {"family": "preact_resnet", "depth": 8, "widths": (2, 3, 4)},
        {"family": "wide_resnet", "depth": 10, "widen": 1, "width": 0.25},
        {"family": "vgg", "width": 0.05, "small_images": True, "dropout": 0.0},
        {"family": "mobilenet", "width": 0.05, "small_images": True},
    ],
    ids=lambda model: model["family"],
)
def test_every_family(model: dict[str, Any]) -> None:
    """Batch norms of few images on maps of one pixel, one after another, let rounding grow: a looser bound."""
    base = apply(BASE, {"model": model, "train.epochs": 2, "train.nesterov": False, "train.batch_size": 25})
    trials = [apply(trial, {"train.learning_rate": 0.02}) for trial in members(base)[:3]]
    expected, parts = ready(trials)
    alone(trials, expected, parts)
    found, parts = ready(trials)
    list(train_together(trials, found, parts))
    check(found, expected, bound=1e-6)


def test_goes_on_from_alone_and_back() -> None:
    """Epoch 1 alone, 2 together, 3 alone again, each from the checkpoint's bytes."""
    trials = members()
    expected, parts = ready(trials)
    alone(trials, expected, parts)
    found, parts = ready(trials)
    for epoch in (1, 2, 3):
        kept = [learner.to_bytes() for learner in found] if epoch > 1 else []
        found, parts = ready(trials)
        for learner, payload in zip(found, kept, strict=bool(kept)):
            learner.load_bytes(payload)
        until = [apply(trial, {"train.epochs": 3}) for trial in trials]
        if epoch == 2:
            next(train_together(until, found, parts))
        else:
            one_epoch(until, found, parts)
    check(found, expected)


def one_epoch(trials: Sequence[Trial], learners: Sequence[Learner], parts: Sequence[Parts]) -> None:
    for trial, learner, own in zip(trials, learners, parts, strict=True):
        assert isinstance(own.train, Held) and isinstance(own.validation, Held)
        next(train(trial, learner, replace(own, train=Doubled(own.train), validation=Doubled(own.validation))))


def test_nothing_is_left_to_do() -> None:
    trials = members()[:2]
    found, parts = ready(trials)
    list(train_together(trials, found, parts))
    before = [learner.to_bytes() for learner in found]
    assert list(train_together(trials, found, parts)) == []
    assert [learner.to_bytes() for learner in found] == before


def test_the_rows_of_smaller_bottlenecks_stay_zero() -> None:
    trials = members()
    (program,) = programs_of(trials, *ready(trials), members=5)
    program.begin(1)
    for _ in range(4):
        program.step()
    block = program.network.stages["3"][0].se  # type: ignore[union-attr,index]
    hidden = [0, 3, 1, 6, 0]
    for layer, axis in ((block.reduce, 0), (block.expand, 1)):
        for k, weight in enumerate(layer.weight.detach().unflatten(0, (5, -1))):
            inside, padded = weight.split([hidden[k], 6 - hidden[k]], axis)
            assert (padded == 0).all() and (inside != 0).all()


def lost_and_found(trials: Sequence[Trial]) -> tuple[list[Learner], list[tuple[Outcome, ...]]]:
    found, parts = ready(trials)
    return found, list(train_together(trials, found, parts))


@pytest.mark.parametrize("place", [0, 1, 2])
def test_a_member_that_diverges_disturbs_nobody(place: int) -> None:
    steady = members()[:2]
    trials = [*steady[:place], apply(WIDE, {"train.learning_rate": 99.0, "model.se.gate": "relu"}), *steady[place:]]
    trials = [apply(trial, {"data.crop_padding": 0}) for trial in trials]
    trials[place] = apply(trials[place], {"train.schedule": "constant", "train.weight_decay": 0.99})
    expected, parts = ready(steady := [t for i, t in enumerate(trials) if i != place])
    alone(steady, expected, parts)
    found, outcomes = lost_and_found(trials)
    assert len(outcomes) == 3
    first = next(e for e, outcome in enumerate(outcomes) if isinstance(outcome[place], Diverged))
    assert all(outcome[place] is outcomes[first][place] for outcome in outcomes[first:])
    assert f"loss of epoch {first + 1} is" in str(outcomes[first][place])
    diverged = found.pop(place)
    assert len(diverged.epochs) == first
    assert all(t.isfinite().all() for t in diverged.network.state_dict().values())
    check(found, expected)


def test_it_ends_where_all_have_diverged() -> None:
    wild = apply(WIDE, {"train.learning_rate": 99.0, "train.schedule": "constant", "train.weight_decay": 0.99,
                        "train.epochs": 5, "model.se.gate": "relu"})  # fmt: skip
    _, outcomes = lost_and_found([wild, apply(wild, {"seed": 1})])
    assert len(outcomes) < 5 and all(isinstance(outcome, Diverged) for outcome in outcomes[-1])


@pytest.mark.parametrize(("precision", "bound"), [("float32", 1e-5), ("bfloat16", 0.05)])
def test_in_other_precisions_rounding_is_all_that_differs(precision: str, bound: float) -> None:
    """After an epoch of four steps at a small rate; at larger ones rounding grows like any other change."""
    gentle = {"train.epochs": 1, "train.precision": precision, "train.learning_rate": 0.01}
    trials = [apply(trial, gentle) for trial in members()[:3]]
    expected, parts = ready(trials, double=False)
    alone(trials, expected, parts)
    found, parts = ready(trials, double=False)
    list(train_together(trials, found, parts))
    for ours, theirs in zip(found, expected, strict=True):
        states = ours.network.state_dict(), theirs.network.state_dict()
        for name, tensor in states[0].items():
            torch.testing.assert_close(tensor, states[1][name], rtol=bound, atol=bound, msg=name)
        assert ours.epochs[0].validation_loss == pytest.approx(theirs.epochs[0].validation_loss, abs=bound)
    differs = [a.epochs[0].train_loss - b.epochs[0].train_loss for a, b in zip(found, expected, strict=True)]
    assert precision == "float32" or max(map(abs, differs)) < bound


def test_a_member_at_rest_holds_zeros_and_stays_there() -> None:
    trials = members()[1:3]
    (program,) = programs_of(trials, *ready(trials), members=2)
    with torch.no_grad():
        for own, place in program.values[0]:
            place.fill_(torch.nan if own.ndim > 1 else 1.0)
    program.begin(1)
    program.step()
    program.rest(0)
    program.begin(1)
    for _ in range(4):
        program.step()
    for tensor in [*program.network.parameters(), *program.sgd.values_E.split(program.sgd.spans)]:
        assert tensor.isfinite().all()
    for name, p in program.network.named_parameters():
        resting, training = p.detach().unflatten(0, (2, -1))
        assert (resting == 0).all() and (training != 0).any(), name
    assert program.loss_K.isfinite().all()
