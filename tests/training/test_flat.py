"""SGD on one buffer against torch's own, replica by replica, in float64."""

import pytest
import torch
from torch import Tensor, nn

from senet_lab.models.fold import FoldedLinear
from senet_lab.spec import Train
from senet_lab.training.flat import ALIGNED, FlatSGD


def setting(**changes: object) -> Train:
    return Train.model_validate({"epochs": 1, "batch_size": 2, "learning_rate": 0.1} | changes)


SETTINGS = [setting(), setting(momentum=0.0, weight_decay=0.1), setting(momentum=0.5, weight_decay=0.01)]


def network() -> nn.Module:
    found = nn.Sequential(nn.Conv2d(6, 9, 3, groups=3), nn.BatchNorm2d(9), FoldedLinear(3, 3, 2, True))
    torch.nn.init.normal_(found[2].weight, generator=torch.Generator().manual_seed(0))
    torch.nn.init.normal_(found[2].bias, generator=torch.Generator().manual_seed(1))
    return found.double()


def of(replica: int, whole: Tensor) -> Tensor:
    return whole.unflatten(0, (3, -1))[replica]


@pytest.mark.parametrize("nesterov", [True, False])
def test_each_replica_goes_as_by_torchs_own(nesterov: bool) -> None:
    settings = [s.model_copy(update={"nesterov": nesterov}) for s in SETTINGS]
    whole = network()
    start = [p.detach().clone() for p in whole.parameters()]
    sgd = FlatSGD(whole, settings)
    assert all(torch.equal(p, old) for p, old in zip(whole.parameters(), start, strict=True))
    alone, optimizers = [], []
    for k, asked in enumerate(settings):
        own = [nn.Parameter(of(k, p)) for p in start]
        groups = [{"params": [p for p, w in zip(own, start, strict=True) if (w.ndim > 1) == weight],
                   "weight_decay": asked.weight_decay * weight} for weight in (True, False)]  # fmt: skip
        alone.append(own)
        optimizers.append(torch.optim.SGD(groups, 1.0, asked.momentum, nesterov=nesterov and asked.momentum > 0))
    generator = torch.Generator().manual_seed(5)
    for step in range(4):
        rate_K = torch.tensor([0.1, 0.2, 0.3], dtype=torch.double) / (1 + step)
        gradients = [torch.randn(p.shape, generator=generator, dtype=torch.double) for p in start]
        sgd.step(gradients, rate_K)
        for k, (own, optimizer) in enumerate(zip(alone, optimizers, strict=True)):
            optimizer.param_groups[0]["lr"] = optimizer.param_groups[1]["lr"] = float(rate_K[k])
            for p, gradient in zip(own, gradients, strict=True):
                p.grad = of(k, gradient)
            optimizer.step()
            for p, (name, found) in zip(own, whole.named_parameters(), strict=True):
                torch.testing.assert_close(of(k, found.detach()), p.detach(), rtol=1e-14, atol=1e-14)
                if settings[k].momentum:
                    momentum = optimizer.state[p]["momentum_buffer"]
                    torch.testing.assert_close(of(k, sgd.momenta[name]), momentum, rtol=1e-14, atol=1e-14)


def test_parameters_are_views_of_one_buffer_and_begin_where_kernels_like_it() -> None:
    whole = network()
    sgd = FlatSGD(whole, SETTINGS)
    begin, end = sgd.values_E.data_ptr(), sgd.values_E.data_ptr() + 8 * sgd.values_E.numel()
    for p in whole.parameters():
        assert begin <= p.data_ptr() < end and (p.data_ptr() - begin) % (8 * ALIGNED) == 0
    assert whole[0].weight.is_contiguous(memory_format=torch.channels_last)
