"""The loop: the same bits again, from anywhere; the schedule; the end of what cannot be trained."""

import math
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor

from senet_lab.data.held import Held
from senet_lab.data.scale import Scale
from senet_lab.data.split import Parts
from senet_lab.errors import Diverged
from senet_lab.randomness import torch_stream
from senet_lab.spec import Train, Trial, apply
from senet_lab.training import train as module
from senet_lab.training.begin import begin
from senet_lab.training.train import Learner, learning_rate, train
from tests.data.pictures import write_parquet
from tests.training.trained import CPU, GATED, HALF, TINY, assert_same_bits, pixels, prepare, run

pytestmark = pytest.mark.usefixtures("one_thread")

NOISY = apply(TINY, {"model": {"family": "shake_shake", "depth": 8, "base_width": 8}, "data.cutout": 0.25})
"""With draws inside the network, in training."""


@pytest.mark.parametrize("trial", [TINY, GATED, NOISY], ids=["plain", "se", "noise"])
def test_the_same_trial_gives_the_same_bits(trial: Trial) -> None:
    torch.manual_seed(1)
    first = run(trial)
    torch.manual_seed(2)
    assert_same_bits(first, run(trial))


@pytest.mark.parametrize("trial", [TINY, GATED, NOISY], ids=["plain", "se", "noise"])
@pytest.mark.parametrize("cut", [(0,), (1,), (2,), (3,), (1, 2)], ids=str)
def test_an_interruption_after_any_epoch_changes_no_bit(trial: Trial, cut: tuple[int, ...]) -> None:
    learner, parts = prepare(trial)
    for end in cut:
        running = train(trial, learner, parts)
        while len(learner.epochs) < end:
            next(running)
        running.close()
        payload = learner.to_bytes()
        learner, parts = prepare(trial)
        learner.load_bytes(payload)
        assert len(learner.epochs) == end
    assert [m.epoch for m in train(trial, learner, parts)] == list(range(cut[-1] + 1, 4))
    assert_same_bits(learner, run(trial))


def test_every_epoch_has_noise_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    drawn: list[Tensor] = []
    step = module._step

    def watch(*arguments: Any) -> Any:
        drawn.append(torch.get_rng_state())
        return step(*arguments)

    monkeypatch.setattr(module, "_step", watch)
    run(NOISY)
    run(apply(NOISY, {"seed": 1, "train.epochs": 1}))
    assert len({state.numpy().tobytes() for state in drawn}) == len(drawn) == 4 * 4


def test_large_images_are_trained_on_with_the_same_bits_again_whoever_decodes(tmp_path: Path) -> None:
    """Streamed, interrupted, and with other numbers of loaders."""
    write_parquet(tmp_path / "train.parquet", list(range(30)), [0, 1] * 15, size=(12, 10))
    write_parquet(tmp_path / "test.parquet", [40, 41, 42], [0, 1, 0], size=(10, 12))
    streamed = {"source": f"parquet:{tmp_path}", "validation": 6, "image_size": 8, "flip": True, "crop_padding": 0}
    trial = apply(TINY, {"data": streamed, "train.batch_size": 8, "train.epochs": 2})

    def begun(loaders: int) -> tuple[Learner, Parts]:
        return begin(trial, CPU, tmp_path, loaders)

    learner, parts = begun(0)
    list(train(trial, learner, parts))
    cut, parts = begun(2)
    next(train(trial, cut, parts))
    again, parts = begun(1)
    again.load_bytes(cut.to_bytes())
    list(train(trial, again, parts))
    assert_same_bits(learner, again)
    assert len(parts.test) == 3 and learner.epochs[0].train_loss != learner.epochs[1].train_loss


def test_metrics_are_those_of_each_epoch() -> None:
    learner, parts = prepare(TINY)
    found = list(train(TINY, learner, parts))
    assert [m.epoch for m in found] == [1, 2, 3]
    assert tuple(found) == learner.epochs
    assert all(0 <= m.train_error <= 1 and 0 <= m.validation_error <= 1 and m.seconds > 0 for m in found)
    assert all((m.validation_error * 408) == pytest.approx(round(m.validation_error * 408)) for m in found)
    assert all((m.train_error * 400) == pytest.approx(round(m.train_error * 400)) for m in found)  # 4 batches of 100
    assert 0 < found[-1].learning_rate < 0.01 * found[0].learning_rate


def test_something_is_learned() -> None:
    trial = apply(GATED, {"train.epochs": 8, "train.batch_size": 25, "data.flip": False, "data.crop_padding": 0,
                          "train.label_smoothing": 0.0, "model.widths": (8, 16)})  # fmt: skip
    epochs = run(trial).epochs
    assert epochs[-1].train_loss < 0.5 * epochs[0].train_loss
    assert epochs[-1].validation_error < 0.3 < epochs[0].train_error


# --- pairing


class Watched:
    """The images that each step is given, as their positions in the training part."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.batches: list[Tensor] = []
        step = module._step

        def watch(learner: Learner, x_BCHW: Tensor, y_B: Tensor, smoothing: float) -> tuple[Tensor, Tensor]:
            self.batches.append(x_BCHW.clone())
            return step(learner, x_BCHW, y_B, smoothing)

        monkeypatch.setattr(module, "_step", watch)

    def of(self, trial: Trial) -> list[Tensor]:
        self.batches = []
        run(trial)
        return self.batches


def test_with_and_without_se_see_the_same_augmented_images_in_the_same_order(monkeypatch: pytest.MonkeyPatch) -> None:
    watched = Watched(monkeypatch)
    plain, gated = watched.of(TINY), watched.of(GATED)
    assert len(plain) == len(gated) == 3 * (498 // 100)
    assert all(torch.equal(a, b) for a, b in zip(plain, gated, strict=True))
    other = watched.of(apply(TINY, {"seed": 1}))
    assert not any(torch.equal(a, b) for a, b in zip(plain, other, strict=True))


def test_more_epochs_begin_with_the_same_images(monkeypatch: pytest.MonkeyPatch) -> None:
    watched = Watched(monkeypatch)
    short, long = watched.of(apply(TINY, {"train.epochs": 1})), watched.of(TINY)
    assert all(torch.equal(a, b) for a, b in zip(short, long, strict=False))


def test_every_epoch_has_an_order_of_its_own_and_draws_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    still = apply(TINY, {"data.crop_padding": 0, "data.flip": False})
    batches = Watched(monkeypatch).of(still)
    assert len({batch.numpy().tobytes() for batch in batches}) == len(batches) == 12
    assert {first.numpy().tobytes() for first in batches[0]} != {first.numpy().tobytes() for first in batches[4]}
    monkeypatch.setattr(torch, "randperm", lambda n, generator: torch.arange(n))
    moved = Watched(monkeypatch).of(TINY)
    assert not torch.equal(moved[0], moved[4])


def test_a_network_in_evaluation_mode_is_trained_like_any_other() -> None:
    learner, parts = prepare(TINY)
    learner.network.eval()
    list(train(TINY, learner, parts))
    assert_same_bits(learner, run(TINY))


def test_an_epoch_takes_no_image_twice(monkeypatch: pytest.MonkeyPatch) -> None:
    trial = apply(TINY, {"data.crop_padding": 0, "data.flip": False, "train.epochs": 1})
    _, parts = prepare(trial)
    known = {image.numpy().tobytes() for image in pixels(parts.train)}
    seen = [image.numpy().tobytes() for batch in Watched(monkeypatch).of(trial) for image in batch]
    assert len(seen) == 400 and len(set(seen)) == 400 and set(seen) <= known
    assert not set(seen) & {image.numpy().tobytes() for image in pixels(parts.validation)}


# --- the optimizer


def test_a_step_is_nesterov_momentum_with_decay_on_weights_only() -> None:
    """Sutskever et al. 2013 as torch writes it: v = m v + g; p = p - rate (g + m v); g with decay for weights."""
    trial = apply(TINY, {"train.epochs": 1, "train.batch_size": 249, "train.schedule": "constant",
                         "train.warmup_epochs": 0.0, "data.crop_padding": 0, "data.flip": False})  # fmt: skip
    learner, parts = prepare(trial)
    twin, _ = prepare(trial)
    velocity = {name: torch.zeros_like(p) for name, p in twin.network.named_parameters()}
    order = torch.randperm(498, generator=torch_stream(0, "order", 1))
    list(train(trial, learner, parts))
    twin.network.train()
    for index in (order[:249], order[249:]):
        twin.network.zero_grad()
        logits = twin.network(pixels(parts.train)[index])
        torch.nn.functional.cross_entropy(logits, parts.train.y_N[index], label_smoothing=0.1).backward()  # type: ignore[no-untyped-call]
        with torch.no_grad():
            for name, p in twin.network.named_parameters():
                decay = 1e-3 if name.endswith("weight") and "bn" not in name else 0.0
                g = p.grad + decay * p  # type: ignore[operator]
                velocity[name] = 0.9 * velocity[name] + g
                p -= 0.1 * (g + 0.9 * velocity[name])
    for (name, ours), theirs in zip(learner.network.named_parameters(), twin.network.parameters(), strict=True):
        torch.testing.assert_close(ours, theirs, rtol=1e-5, atol=1e-6, msg=name)


def test_se_weights_decay_and_their_biases_do_not() -> None:
    learner, _ = prepare(apply(GATED, {"model.se.bias": True}))
    by_decay = {g["weight_decay"]: {id(p) for p in g["params"]} for g in learner.optimizer.param_groups}
    names = {n for n, p in learner.network.named_parameters() if id(p) in by_decay[1e-3]}
    assert all(n.endswith("weight") and "bn" not in n for n in names)
    assert {"stages.2.0.se.reduce.weight", "classifier.weight", "stem.weight"} <= names
    assert sum(map(len, by_decay.values())) == len(list(learner.network.parameters()))


def test_a_training_without_momentum_works() -> None:
    assert len(run(apply(TINY, {"train.momentum": 0.0, "train.epochs": 1})).epochs) == 1


# --- the schedule


def setting(**changes: object) -> Train:
    return Train.model_validate({"epochs": 10, "batch_size": 8, "learning_rate": 0.8} | changes)


@pytest.mark.parametrize(
    ("changes", "progress", "expected"),
    [
        ({}, 0.0, 0.8), ({}, 5.0, 0.4), ({}, 10.0, 0.0),
        ({}, 10 / 3, 0.6),  # cos 60 degrees = 1/2
        ({}, 20 / 3, 0.2),  # cos 120 degrees = -1/2
        ({"schedule": "constant"}, 0.1, 0.8), ({"schedule": "constant"}, 10.0, 0.8),
        ({"warmup_epochs": 2.0}, 0.5, 0.2), ({"warmup_epochs": 2.0}, 1.0, 0.4), ({"warmup_epochs": 2.0}, 2.0, 0.8),
        ({"warmup_epochs": 2.0}, 6.0, 0.4), ({"warmup_epochs": 2.0}, 10.0, 0.0),
        ({"warmup_epochs": 4.0, "schedule": "constant"}, 3.0, 0.6),
        ({"warmup_epochs": 4.0, "schedule": "constant"}, 9.0, 0.8),
    ],
)  # fmt: skip
def test_the_learning_rate_by_hand(changes: dict[str, object], progress: float, expected: float) -> None:
    assert learning_rate(setting(**changes), progress) == pytest.approx(expected, abs=1e-12)


def test_each_step_gets_the_rate_of_its_own_progress(monkeypatch: pytest.MonkeyPatch) -> None:
    rates: list[float] = []
    step = module._step

    def watch(learner: Learner, *rest: object) -> tuple[Tensor, Tensor]:
        rates.append({g["lr"] for g in learner.optimizer.param_groups}.pop())
        return step(learner, *rest)  # type: ignore[arg-type]

    monkeypatch.setattr(module, "_step", watch)
    run(apply(TINY, {"train.warmup_epochs": 1.0}))
    rise = [0.1 * (k - 0.5) / 4 for k in (1, 2, 3, 4)]  # each step at its middle, so that none has a rate of 0
    fall = [0.05 * (1 + math.cos(math.pi * (k - 0.5) / 8)) for k in range(1, 9)]
    assert rates == pytest.approx([*rise, *fall], abs=1e-12)


# --- what cannot be trained


def test_a_huge_learning_rate_diverges_with_the_epoch_and_a_remedy() -> None:
    trial = apply(TINY, {"train.learning_rate": 99.0, "train.epochs": 60, "train.momentum": 0.99,
                         "train.schedule": "constant", "train.weight_decay": 0.9, "model.depth": 10})  # fmt: skip
    learner, parts = prepare(trial)
    with pytest.raises(Diverged, match=r"loss of epoch \d+ is (nan|inf); a smaller train\.learning_rate"):
        list(train(trial, learner, parts))


def test_an_epoch_that_diverged_is_not_among_the_learners() -> None:
    learner, parts = prepare(TINY)
    running = train(TINY, learner, parts)
    next(running)
    parts.train.scale.mean_C.fill_(math.nan)  # type: ignore[attr-defined]
    with pytest.raises(Diverged, match="the training loss of epoch 2 is nan"):
        next(running)
    assert len(learner.epochs) == 1


def test_a_validation_loss_that_is_no_number_is_a_divergence_too() -> None:
    """The last step can break the weights after the last training loss was taken."""
    learner, parts = prepare(TINY)
    assert isinstance(parts.validation, Held)
    scale = Scale(parts.validation.scale.mean_C * math.nan, parts.validation.scale.std_C)
    broken = Parts(parts.train, replace(parts.validation, scale=scale), parts.test)
    with pytest.raises(Diverged, match="the validation loss of epoch 1 is nan"):
        list(train(TINY, learner, broken))


def test_a_batch_larger_than_the_training_part_is_the_training_part() -> None:
    learner = run(apply(TINY, {"train.batch_size": 5000, "train.epochs": 1, "train.warmup_epochs": 0.0}))
    assert learner.epochs[0].train_error * 498 == pytest.approx(round(learner.epochs[0].train_error * 498))


# --- on a GPU


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
@pytest.mark.parametrize("trial", [GATED, HALF], ids=["float32", "bfloat16"])
def test_the_steps_of_an_epoch_never_wait_for_the_gpu(trial: Trial, monkeypatch: pytest.MonkeyPatch) -> None:
    """Once its draws are there: waiting is an error then, up to the sums at its end."""
    learner, parts = begin(trial, torch.device("cuda"))
    list(train(apply(trial, {"train.epochs": 1}), learner, parts))  # what libraries set up at first use
    step, shuffled = module._step, Held.shuffled

    def watched(*arguments: Any) -> tuple[Tensor, Tensor]:
        torch.cuda.set_sync_debug_mode("error")
        return step(*arguments)

    def ended(part: Held, *arguments: int) -> Iterator[tuple[Tensor, Tensor]]:
        yield from shuffled(part, *arguments)
        torch.cuda.set_sync_debug_mode("default")

    monkeypatch.setattr(module, "_step", watched)
    monkeypatch.setattr(Held, "shuffled", ended)
    try:
        next(train(trial, learner, parts))
    finally:
        torch.cuda.set_sync_debug_mode("default")
