"""What the tests of several families need: networks to look at, and their layers written out a second time."""

from typing import Any

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from senet_lab import models, recipes
from senet_lab.blocks.se import SEBlock
from senet_lab.errors import SpecError
from senet_lab.spec import SE, Model, Placement, Reductions, apply

CPU, META = torch.device("cpu"), torch.device("meta")
State = dict[str, Tensor]
torch.set_num_threads(1)  # threads of several test processes that wait for each other take seconds for such small maps


def gated(model: Model, place: Placement = "standard", **settings: Any) -> Model:
    """`model` with SE at `place`."""
    return model.model_copy(update={"se": SE(placement=place, **settings)})


def built(model: Model, channels: int = 3, classes: int = 10, device: torch.device = META) -> nn.Module:
    return models.build(model, channels=channels, classes=classes, seed=0, device=device)


def check_hidden_widths(model: Model) -> None:
    """The network has the SE blocks that its spec foretells, at every place that it allows, each stage by its own r."""
    own = {f"stage{stage}": 2 + i for i, stage in enumerate(model.stages[1:])}
    for place in model.placements:
        asked = gated(model, place, reduction=4, reduction_in=Reductions(**own))
        found: dict[int, tuple[int, ...]] = {}
        for stage, parts in built(asked).stages.items():  # type: ignore[union-attr,operator]
            blocks = [m for m in parts.modules() if isinstance(m, SEBlock)]
            found[int(stage)] = tuple(block.reduce.out_features for block in blocks)
            r = own.get(f"stage{stage}", 4)
            assert found[int(stage)] == tuple(max(1, block.reduce.in_features // r) for block in blocks), place
        assert found == asked.hidden_widths and set(found) == set(model.stages), place


def check_refusal(model: Model, place: Placement, reason: str) -> None:
    """A sweep that asks for SE at `place` is told why there is none."""
    trial = apply(recipes.DIGITS, {"model": model})
    with pytest.raises(SpecError, match=reason):
        apply(trial, {"model.se.placement": place})


def check_learns_from_small_images(model: Model) -> None:
    """Two grey images of 8 pixels, in training and in evaluation; every weight gets a gradient."""
    network = built(model, channels=1, device=CPU)
    x_NCHW = torch.randn(2, 1, 8, 8, generator=torch.Generator().manual_seed(0))
    logits = network(x_NCHW)
    assert logits.shape == (2, 10)
    F.cross_entropy(logits, torch.tensor([3, 4])).backward()  # type: ignore[no-untyped-call]
    assert all(p.grad is not None and p.grad.isfinite().all() for p in network.parameters())
    assert network.eval()(x_NCHW).isfinite().all()


def shaken(model: Model, channels: int = 3) -> nn.Module:
    """The network in float64, no weight and no statistic 0 or 1: nothing in a comparison can hide."""
    generator = torch.Generator().manual_seed(5)
    network = built(model, channels, device=CPU).double().eval()
    for tensor in [*network.parameters(), *network.buffers()]:
        if tensor.is_floating_point():
            tensor.data = torch.rand(tensor.shape, generator=generator, dtype=torch.double) + 0.5
            if tensor.ndim > 1:  # of both signs, and the size that keeps maps at about their size
                tensor.data = (tensor.data - 1) * (12 / tensor[0].numel()) ** 0.5
    return network


def images(size: int, channels: int = 3) -> Tensor:
    """Two of them, in float64."""
    return torch.randn(2, channels, size, size, dtype=torch.double, generator=torch.Generator().manual_seed(1))


def norm(state: State, name: str, x: Tensor, eps: float = 1e-5) -> Tensor:
    """Batch norm in evaluation."""
    mean, var, weight, bias = (state[f"{name}.{k}"] for k in ("running_mean", "running_var", "weight", "bias"))
    return (x - mean[:, None, None]) / (var + eps).sqrt()[:, None, None] * weight[:, None, None] + bias[:, None, None]


def conv_norm(state: State, name: str, x: Tensor, stride: int = 1, groups: int = 1) -> Tensor:
    """Convolution with zeros around the map, and batch norm, of a `conv_bn`."""
    weight = state[f"{name}.0.weight"]
    return norm(state, f"{name}.1", F.conv2d(x, weight, stride=stride, padding=weight.shape[-1] // 2, groups=groups))


def se(state: State, name: str, x: Tensor) -> Tensor:
    """v4 Eqns. 2 to 4, without biases."""
    hidden = (x.mean((2, 3)) @ state[f"{name}.reduce.weight"].T).clamp(min=0)
    return x * torch.sigmoid(hidden @ state[f"{name}.expand.weight"].T)[:, :, None, None]


def head(state: State, x: Tensor) -> Tensor:
    """Global average pooling and an FC layer."""
    return x.mean((2, 3)) @ state["classifier.weight"].T + state["classifier.bias"]


def check_equal(network: nn.Module, x: Tensor, expected: Tensor) -> None:
    assert expected.std() > 1e-3  # a reference that forgets its input would agree with anything
    torch.testing.assert_close(network(x).detach(), expected, rtol=1e-9, atol=1e-9)
