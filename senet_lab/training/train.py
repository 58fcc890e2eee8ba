"""The training loop. It knows no tracker, no sampler, no Ray, and no folder."""

import io
import json
import math
import time
from collections.abc import Iterator, Mapping
from types import MethodType

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from senet_lab.data.split import Parts
from senet_lab.errors import Diverged
from senet_lab.randomness import stream_seed
from senet_lab.records import EpochMetrics
from senet_lab.spec import Train, Trial
from senet_lab.training.evaluate import evaluate
from senet_lab.training.sgd import SGD


class Learner:
    """A network and its optimizer between two epochs: all that the next epoch depends on."""

    def __init__(self, network: nn.Module, train: Train) -> None:
        self.network = network
        if train.precision == "bfloat16":  # whoever calls it, also to test it
            network.forward = MethodType(_in_bfloat16, network)
        decayed = [p for p in network.parameters() if p.ndim > 1]
        free = [p for p in network.parameters() if p.ndim <= 1]
        fused = all(p.is_cuda for p in network.parameters())
        self.optimizer = SGD(
            [{"params": decayed, "weight_decay": train.weight_decay}, {"params": free, "weight_decay": 0.0}],
            lr=train.learning_rate,
            momentum=train.momentum,
            nesterov=train.nesterov and train.momentum > 0,
            fused=fused,
            foreach=not fused,  # the bits of the loop over single tensors, in half the time; fused rounds differently
        )
        self.epochs: tuple[EpochMetrics, ...] = ()

    def to_bytes(self) -> bytes:
        """The whole state; the streams need no saving, they are derived from seed and epoch."""
        momenta = {str(i): kept["momentum_buffer"] for i, kept in self.optimizer.state_dict()["state"].items()}
        state = {"network": _packed(self.network.state_dict()), "momenta": _packed(momenta)}
        buffer = io.BytesIO()
        torch.save(state | {"epochs": [m.model_dump() for m in self.epochs]}, buffer)
        return buffer.getvalue()

    def load_bytes(self, payload: bytes) -> None:
        """Go back to a state of `to_bytes`. Never unpickles anything but tensors and plain values."""
        state = torch.load(io.BytesIO(payload), weights_only=True, map_location="cpu")
        self.network.load_state_dict(_unpacked(*state["network"]))
        moved = [p for group in self.optimizer.param_groups for p in group["params"]]
        momenta = {moved[int(i)]: momentum for i, momentum in _unpacked(*state["momenta"]).items()}
        self.optimizer.state.clear()
        for p, momentum in momenta.items():
            self.optimizer.state[p]["momentum_buffer"] = torch.empty_like(p).copy_(momentum)  # its order in memory too
        self.epochs = tuple(EpochMetrics.model_validate(m) for m in state["epochs"])


def _in_bfloat16(network: nn.Module, x_BCHW: Tensor) -> Tensor:
    """The logits of `network` in float32; what the weights multiply, and all between, is rounded to bfloat16."""
    with torch.autocast(x_BCHW.device.type, torch.bfloat16):
        logits_BK: Tensor = type(network).forward(network, x_BCHW)
    return logits_BK.float()


def _packed(tensors: Mapping[str, Tensor]) -> tuple[str, Tensor]:
    """Names, dtypes and shapes, and all bytes end to end: pickled and fetched from a GPU as one tensor, not as many."""
    layout = [(name, str(t.dtype).removeprefix("torch."), list(t.shape)) for name, t in tensors.items()]
    pieces = [t.detach().reshape(-1).view(torch.uint8) for t in tensors.values()]
    return json.dumps(layout), (torch.cat(pieces) if pieces else torch.empty(0, dtype=torch.uint8)).cpu()


def _unpacked(layout: str, content: Tensor) -> dict[str, Tensor]:
    found, start = {}, 0
    for name, dtype, shape in json.loads(layout):
        kind: torch.dtype = getattr(torch, dtype)
        end = start + math.prod(shape) * kind.itemsize
        found[name], start = content[start:end].clone().view(kind).view(shape), end  # a copy begins at a whole number
    return found


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
