"""The training loop. It knows no tracker, no sampler, no Ray, and no folder."""

import math
import time
from collections.abc import Iterator

import torch
import torch.nn.functional as F
from torch import Tensor

from senet_lab.data.split import Parts
from senet_lab.errors import Diverged
from senet_lab.randomness import stream_seed
from senet_lab.records import EpochMetrics
from senet_lab.spec import Train, Trial
from senet_lab.training.evaluate import evaluate
from senet_lab.training.learner import Learner


def train(trial: Trial, learner: Learner, parts: Parts) -> Iterator[EpochMetrics]:
    """Train from the learner's last epoch to the trial's last, yielding after each.

    On the CPU with one thread the result does not depend on where the training was interrupted.
    Raises Diverged when a loss is not finite.
    """
    for epoch in range(len(learner.epochs) + 1, trial.train.epochs + 1):
        start = time.perf_counter()
        train_loss, train_error, rate = _epoch(trial, epoch, learner, parts)
        held_out = evaluate(learner.network, parts.validation)
        metrics = EpochMetrics(
            epoch=epoch,
            train_loss=train_loss,
            train_error=train_error,
            validation_loss=held_out.loss,
            validation_error=held_out.error,
            learning_rate=rate,
            seconds=time.perf_counter() - start,
        )
        learner.epochs = (*learner.epochs, finite(metrics))
        yield metrics


def finite(metrics: EpochMetrics) -> EpochMetrics:
    """`metrics`. Raises Diverged when a loss in it is not finite."""
    for part, loss in (("training", metrics.train_loss), ("validation", metrics.validation_loss)):
        if not math.isfinite(loss):
            raise Diverged(
                f"the {part} loss of epoch {metrics.epoch} is {loss}; "
                f"a smaller train.learning_rate or more train.warmup_epochs usually helps"
            )
    return metrics


def learning_rate(train: Train, progress: float) -> float:
    """The rate after `progress` epochs: linear warm-up, then constant, in steps, or a half cosine to 0."""
    if progress < train.warmup_epochs:
        return train.learning_rate * progress / train.warmup_epochs
    if train.schedule == "constant":
        return train.learning_rate
    if train.schedule == "step":
        return train.learning_rate * train.decay ** sum(progress >= drop for drop in train.drops)
    done = (progress - train.warmup_epochs) / (train.epochs - train.warmup_epochs)
    return train.learning_rate * 0.5 * (1 + math.cos(math.pi * done))


def _epoch(trial: Trial, epoch: int, learner: Learner, parts: Parts) -> tuple[float, float, float]:
    """Mean loss, error and last learning rate of one pass; the images that fill no batch sit out."""
    setting, part = trial.train, parts.train
    batch = min(setting.batch_size, len(part))
    steps = len(part) // batch
    # Dropout and shake-shake draw from torch's own generator, on the device that trains.
    torch.manual_seed(stream_seed(trial.seed, "noise", epoch))
    loss_sum = torch.zeros((), device=part.y_N.device)
    wrong_sum = torch.zeros((), device=part.y_N.device)
    rate = setting.learning_rate
    learner.network.train()
    for step, (x_BCHW, y_B) in enumerate(part.shuffled(batch, trial.seed, epoch)):
        rate = learning_rate(setting, epoch - 1 + (step + 0.5) / steps)  # the middle of the step: never 0
        for group in learner.optimizer.param_groups:
            group["lr"] = rate
        loss, logits_BK = _step(learner, x_BCHW, y_B, setting.label_smoothing)
        loss_sum += loss
        wrong_sum += (logits_BK.argmax(1) != y_B).sum()
    return float(loss_sum) / steps, float(wrong_sum) / (steps * batch), rate


def _step(learner: Learner, x_BCHW: Tensor, y_B: Tensor, smoothing: float) -> tuple[Tensor, Tensor]:
    logits_BK = learner.network(x_BCHW)
    loss = F.cross_entropy(logits_BK, y_B, label_smoothing=smoothing)
    learner.optimizer.zero_grad()
    loss.backward()  # type: ignore[no-untyped-call]
    learner.optimizer.step()
    return loss.detach(), logits_BK.detach()
