"""SGD on all parameters of a folded network at once: they are views of one buffer.

Shapes: K replicas, E numbers of the buffer.
"""

from collections.abc import Iterable, Sequence

import torch
from torch import Tensor, nn

from senet_lab.spec import Train

ALIGNED = 64
"""Parameters begin at multiples of as many numbers, as kernels that load several at once want it."""


class FlatSGD:
    """What `torch.optim.SGD` does to each replica by its own setting, in a handful of operations for all.

    Momentum and decay are a number for each element, the rate comes with each step. Nesterov's form
    is for all or for none. A replica that never had a momentum has one of 0, which comes to the same.
    """

    def __init__(self, network: nn.Module, settings: Sequence[Train]) -> None:
        named = dict(network.named_parameters())
        self.spans = [-(-p.numel() // ALIGNED) * ALIGNED for p in named.values()]
        first = next(iter(named.values()))
        new = first.new_zeros
        self.values_E, self.momenta_E, self.gradients_E, self.rates_E = new(4, sum(self.spans)).unbind()
        self.momenta = dict(zip(named, self._views(self.momenta_E, named.values()), strict=True))
        """By the parameters' names, in their shapes."""
        for (name, old), view in zip(named.items(), self._views(self.values_E, named.values()), strict=True):
            path, _, own = name.rpartition(".")
            setattr(network.get_submodule(path), own, nn.Parameter(view.copy_(old.detach())))
        self.parameters = [*network.parameters()]
        self.gaps = [new(span - p.numel()) for span, p in zip(self.spans, self.parameters, strict=True)]
        self.nesterov = settings[0].nesterov
        self.owner_E = self._owners(len(settings))
        self.decay_E = first.new_tensor([s.weight_decay for s in settings])[self.owner_E] * self._decayed()
        self.momentum_E = first.new_tensor([s.momentum for s in settings])[self.owner_E]

    @torch.no_grad()
    def step(self, gradients: Sequence[Tensor], rate_K: Tensor) -> None:
        """Go down the gradients of `parameters`, replica k by `rate_K[k]`."""
        pieces = [piece for g, gap in zip(gradients, self.gaps, strict=True) for piece in (_stored(g), gap)]
        torch.cat(pieces, out=self.gradients_E)
        torch.index_select(rate_K, 0, self.owner_E, out=self.rates_E)
        down_E = self.gradients_E.addcmul_(self.decay_E, self.values_E)
        self.momenta_E.mul_(self.momentum_E).add_(down_E)
        down_E = down_E.addcmul_(self.momentum_E, self.momenta_E) if self.nesterov else self.momenta_E
        self.values_E.addcmul_(self.rates_E, down_E, value=-1)

    def _views(self, of_E: Tensor, like: Iterable[Tensor]) -> list[Tensor]:
        """A buffer's parts in the shapes of the parameters; convolutions' lie in channels-last order."""
        found = []
        for piece, p in zip(of_E.split(self.spans), like, strict=True):
            stored = p.permute(0, 2, 3, 1).shape if p.ndim == 4 else p.shape
            view = piece[: p.numel()].view(stored)
            found.append(view.permute(0, 3, 1, 2) if p.ndim == 4 else view)
        return found

    def _owners(self, replicas: int) -> Tensor:
        """Whose each number of the buffer is; gaps are anybody's."""
        device = self.values_E.device
        sizes = [p.numel() // replicas for p in self.parameters]
        whose = [torch.arange(s, device=device) // size for s, size in zip(self.spans, sizes, strict=True)]
        return torch.cat(whose).clamp_max(replicas - 1).to(torch.int32)

    def _decayed(self) -> Tensor:
        """1 for weights, 0 for biases and batch norm, as in `Learner`."""
        whether = torch.tensor([float(p.ndim > 1) for p in self.parameters], device=self.values_E.device)
        return whether.repeat_interleave(torch.tensor(self.spans, device=self.values_E.device)).to(self.values_E)


def _stored(gradient: Tensor) -> Tensor:
    """Its numbers in the order of the buffer."""
    return (gradient.permute(0, 2, 3, 1) if gradient.ndim == 4 else gradient).reshape(-1)
