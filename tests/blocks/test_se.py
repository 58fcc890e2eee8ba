"""The block against its formula (v4 Eqns. 2 to 4) in numpy, and its size (Eqn. 5)."""

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from torch import Tensor

from senet_lab.blocks.gate import GATES
from senet_lab.blocks.se import SEBlock
from senet_lab.blocks.squeeze import SQUEEZES
from senet_lab.spec import SE
from senet_lab.spec.operators import SHIPPED

Array = NDArray[np.float64]
SQUEEZE_FORMULAS = {"avg": lambda x: x.sum((2, 3)) / (x.shape[2] * x.shape[3]), "max": lambda x: x.max((2, 3)),
                    "none": lambda x: np.moveaxis(x, 1, 3)}  # fmt: skip
GATE_FORMULAS = {
    "sigmoid": lambda a: 1 / (1 + np.exp(-a)),
    "tanh": lambda a: (np.exp(a) - np.exp(-a)) / (np.exp(a) + np.exp(-a)),
    "relu": lambda a: np.maximum(a, 0),
}


def block(channels: int = 8, **se: object) -> SEBlock:
    made = SEBlock(channels, SE.model_validate({"reduction": 2} | se)).double()
    generator = torch.Generator().manual_seed(0)
    for parameter in made.parameters():
        torch.nn.init.normal_(parameter, generator=generator)
    return made


def images(channels: int = 8) -> Tensor:
    return torch.randn(3, channels, 4, 5, dtype=torch.double, generator=torch.Generator().manual_seed(1))


def formula(made: SEBlock, x: Array, squeeze: str, gate: str) -> Array:
    w = {name: p.detach().numpy() for name, p in made.named_parameters()}
    z = SQUEEZE_FORMULAS[squeeze](x)
    hidden = np.maximum(z @ w["reduce.weight"].T + w.get("reduce.bias", 0), 0)
    s = GATE_FORMULAS[gate](hidden @ w["expand.weight"].T + w.get("expand.bias", 0))
    return x * (s[:, :, None, None] if s.ndim == 2 else np.moveaxis(s, 3, 1))


@pytest.mark.parametrize("bias", [False, True])
@pytest.mark.parametrize("gate", ["sigmoid", "tanh", "relu"])
@pytest.mark.parametrize("squeeze", ["avg", "max", "none"])
def test_the_block_is_its_formula(squeeze: str, gate: str, bias: bool) -> None:
    made, x = block(squeeze=squeeze, gate=gate, bias=bias), images()
    expected = formula(made, x.numpy(), squeeze, gate)
    np.testing.assert_allclose(made(x).detach().numpy(), expected, rtol=1e-12, atol=1e-14)
    assert (expected != x.numpy()).any()


def test_excitation_is_what_the_map_is_multiplied_by() -> None:
    made, x = block(), images()
    assert made.excitation(x).shape == (3, 8)
    assert torch.equal(made(x), x * made.excitation(x)[:, :, None, None])


def test_every_operator_of_the_spec_has_its_formula_here() -> None:
    assert set(SHIPPED["squeeze"]) == set(SQUEEZE_FORMULAS) <= set(SQUEEZES)
    assert set(SHIPPED["gate"]) == set(GATE_FORMULAS) <= set(GATES)


@pytest.mark.parametrize(("channels", "reduction"), [(64, 16), (256, 16), (2048, 16), (64, 2), (32, 8)])
def test_the_block_has_two_c_squared_over_r_weights(channels: int, reduction: int) -> None:
    with torch.device("meta"):
        made = SEBlock(channels, SE(reduction=reduction))
    assert sum(p.numel() for p in made.parameters()) == 2 * channels**2 / reduction  # v4 Eqn. 5, one block
    with_bias = SEBlock(channels, SE(reduction=reduction, bias=True))
    biases = channels // reduction + channels
    assert sum(p.numel() for p in with_bias.parameters()) == 2 * channels**2 / reduction + biases


def test_a_bottleneck_is_never_empty() -> None:
    """With no unit at all the block would be a constant 0.5."""
    made, x = block(4, reduction=16), images(4).abs()
    assert made.reduce.out_features == 1
    made.reduce.weight.data.abs_()
    assert made.excitation(x).std(dim=0).min() > 0


def test_gradients_reach_both_layers_and_the_map() -> None:
    made, x = block(), images().requires_grad_()
    assert torch.autograd.gradcheck(lambda t: made(t), x)
    made(x).square().sum().backward()
    assert all(p.grad is not None and p.grad.abs().sum() > 0 for p in made.parameters())
