"""One tensor program that trains the K trials of a folded network: its step, its evaluation, its state.

Shapes: K members, S steps, N images, B of a batch, C channels, L classes.
"""

from collections.abc import Iterable, Sequence
from typing import NamedTuple, cast

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from senet_lab.data.held import Held
from senet_lab.data.split import Parts
from senet_lab.models import fold
from senet_lab.spec import Trial
from senet_lab.training import evaluate
from senet_lab.training.crowd import Crowd, Feed
from senet_lab.training.flat import FlatSGD
from senet_lab.training.learner import Learner, use_precision
from senet_lab.training.train import learning_rate

SMALLEST_BATCH = 64
"""Images of one member that are evaluated at once, however many members there are."""


class Numbers(NamedTuple):
    """What an epoch came to for one member, as in `EpochMetrics`."""

    train_loss: float
    train_error: float
    validation_loss: float
    validation_error: float
    learning_rate: float


class Program:
    """K trials of one shape between two steps, in memory that stays where it is: a step can be a CUDA graph."""

    def __init__(self, trials: Sequence[Trial], learners: Sequence[Learner], parts: Sequence[Parts]) -> None:
        self.trials, self.learners, self.replicas = trials, learners, len(trials)
        networks = [learner.network for learner in learners]
        self.network = fold.folded([t.model for t in trials], networks)
        use_precision(self.network, trials[0].train)
        self.sgd = FlatSGD(self.network, [t.train for t in trials])
        train = Crowd([cast(Held, p.train) for p in parts])
        self.validation = Crowd([cast(Held, p.validation) for p in parts])
        self.feed = Feed(train, min(trials[0].train.batch_size, train.rows_KN.shape[1]))
        self.loss_K, self.wrong_K = torch.zeros(2, self.replicas, device=self.sgd.values_E.device).unbind()
        self.resting: set[int] = set()
        self.values = [[*fold.corners(self.network, n, k, self.replicas)] for k, n in enumerate(networks)]
        """Of each member, its tensors and their places in the program's; `momenta` likewise, by parameter."""
        self.momenta = [
            [(p, fold.corner(self.sgd.momenta[name], p, k, self.replicas)) for name, p in n.named_parameters()]
            for k, n in enumerate(networks)
        ]
        self.load()

    @torch.no_grad()
    def load(self) -> None:
        """Begin from what the learners are."""
        for whole in self._tensors():
            whole.zero_()
        for learner, values, momenta in zip(self.learners, self.values, self.momenta, strict=True):
            _copy((place, own) for own, place in values)
            known = ((place, learner.optimizer.state.get(p, {}).get("momentum_buffer")) for p, place in momenta)
            _copy((place, momentum) for place, momentum in known if momentum is not None)

    @torch.no_grad()
    def store(self, k: int) -> None:
        """Bring the learner of member k to where the program is after an epoch."""
        learner = self.learners[k]
        _copy(self.values[k])
        if self.trials[k].train.momentum > 0:
            states = [(learner.optimizer.state[p], p, place) for p, place in self.momenta[k]]
            _copy((state.setdefault("momentum_buffer", torch.empty_like(p)), place) for state, p, place in states)
        counts = [m.num_batches_tracked for m in learner.network.modules() if isinstance(m, nn.BatchNorm2d)]
        torch._foreach_add_([count for count in counts if count is not None], self.feed.steps)
        for group in learner.optimizer.param_groups:
            group["lr"] = self.rates[-1][k]

    def begin(self, epoch: int) -> None:
        """Get ready for the steps of `epoch`."""
        middles = [epoch - 1 + (step + 0.5) / self.feed.steps for step in range(self.feed.steps)]
        self.rates = [[learning_rate(t.train, progress) for t in self.trials] for progress in middles]
        rates_SK = torch.tensor(self.rates, dtype=self.sgd.values_E.dtype)
        rates_SK[:, [*self.resting]] = 0
        self.feed.begin([t.seed for t in self.trials], epoch, rates_SK)
        self.loss_K.zero_()
        self.wrong_K.zero_()
        self.network.train()

    def step(self) -> None:
        """Train all members on their next batch. Nothing here waits for the device or asks the host for anything."""
        x_BCHW, y_BK, rate_K = self.feed.take()
        logits_BKL = self._logits(x_BCHW)
        loss_K = self._losses(logits_BKL, y_BK, self.trials[0].train.label_smoothing).mean(0)
        self.sgd.step(torch.autograd.grad(loss_K.sum(), self.sgd.parameters), rate_K)
        self.loss_K += loss_K.detach()
        self.wrong_K += (logits_BKL.detach().argmax(2) != y_BK).sum(0)

    def end(self) -> list[Numbers]:
        """What the epoch came to, after all its steps."""
        loss_K, right_K = self._evaluated()
        sums = torch.stack([self.loss_K, self.wrong_K, loss_K, right_K]).double().T.tolist()
        steps, images = self.feed.steps, self.validation.rows_KN.shape[1]
        return [
            Numbers(loss / steps, wrong / (steps * self.feed.batch), held_out, 1 - right / images, rate)
            for (loss, wrong, held_out, right), rate in zip(sums, self.rates[-1], strict=True)
        ]

    @torch.no_grad()
    def rest(self, k: int) -> None:
        """Let member k train no more, and hold nothing but zeros."""
        self.resting.add(k)
        for whole in self._tensors():
            torch.unflatten(whole, 0, (self.replicas, -1))[k].zero_()

    @torch.no_grad()
    def _evaluated(self) -> tuple[Tensor, Tensor]:
        """Mean loss and number of right answers on the validation parts, each (K)."""
        self.network.eval()
        losses, right = [], []
        for x_BCHW, y_BK in self.validation.in_order(max(SMALLEST_BATCH, evaluate.BATCH // self.replicas)):
            logits_BKL = self._logits(x_BCHW)
            losses.append(self._losses(logits_BKL, y_BK, 0.0))
            right.append(logits_BKL.argmax(2) == y_BK)
        return torch.cat(losses).mean(0), torch.cat(right).sum(0)

    def _logits(self, x_BCHW: Tensor) -> Tensor:
        logits: Tensor = self.network(x_BCHW.to(self.sgd.values_E.dtype))
        return torch.unflatten(logits, 1, (self.replicas, -1))

    def _losses(self, logits_BKL: Tensor, y_BK: Tensor, smoothing: float) -> Tensor:
        losses_N = F.cross_entropy(
            logits_BKL.flatten(0, 1), y_BK.flatten(), reduction="none", label_smoothing=smoothing
        )
        return losses_N.view(y_BK.shape)

    def _tensors(self) -> Iterable[Tensor]:
        yield from (*self.network.parameters(), *self.network.buffers(), *self.sgd.momenta.values())


def _copy(pairs: Iterable[tuple[Tensor, Tensor]]) -> None:
    """Copy each second into its first; those that lie in memory alike all at once."""
    found = [*pairs]
    alike = [pair for pair in found if pair[0].stride() == pair[1].stride()]
    if alike:
        torch._foreach_copy_([into for into, _ in alike], [of for _, of in alike])
    for into, of in found:
        if into.stride() != of.stride():
            into.copy_(of)
