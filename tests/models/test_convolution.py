"""A 1x1 convolution with a stride is torch's own, and leaves memory alone."""

import subprocess
import sys

import pytest
import torch
import torch.nn.functional as F
from torch import nn

from senet_lab.models.convolution import Pointwise, conv_bn, convolution

LOOP = """
import torch
from senet_lab.models.convolution import Pointwise
torch.set_num_threads(1)
for inputs in (1, 2, 3, 4, 6, 12, 16, 32):
    layer = Pointwise(inputs, 2 * inputs, 2).to(memory_format=torch.channels_last)
    x = torch.randn(64, inputs, 8, 8).contiguous(memory_format=torch.channels_last)
    for _ in range(30):
        torch.autograd.grad(layer(x).sum(), layer.weight)
"""


@pytest.mark.parametrize("groups", [1, 3])
@pytest.mark.parametrize("stride", [1, 2, 3])
@pytest.mark.parametrize("inputs", [6, 48])
def test_equal_to_torchs(inputs: int, stride: int, groups: int) -> None:
    torch.manual_seed(0)
    ours = Pointwise(inputs, 9, stride, groups).double()
    plain = nn.Conv2d(inputs, 9, 1, stride, groups=groups, bias=False).double()
    plain.load_state_dict(ours.state_dict())
    x = torch.randn(4, inputs, 7, 7, dtype=torch.float64, requires_grad=True)
    go = torch.randn_like(plain(x))
    found = torch.autograd.grad(ours(x), [x, ours.weight], go)
    wanted = torch.autograd.grad(plain(x), [x, plain.weight], go)
    torch.testing.assert_close(ours(x), plain(x), rtol=1e-13, atol=1e-13)
    for one, other in zip(found, wanted, strict=True):
        torch.testing.assert_close(one, other, rtol=1e-13, atol=1e-13)


@pytest.mark.parametrize("inputs", [8, 15, 16, 20, 24, 32])
@pytest.mark.parametrize("size", [7, 8])
def test_in_channels_last_order_as_the_positions_alone(inputs: int, size: int) -> None:
    """In float32, as oneDNN does it, with a stride of torch's or without."""
    torch.manual_seed(0)
    layer = Pointwise(inputs, 24, 2).to(memory_format=torch.channels_last)
    x = torch.randn(8, inputs, size, size).to(memory_format=torch.channels_last).requires_grad_()
    out, wanted = layer(x), F.conv2d(x[:, :, ::2, ::2].contiguous(), layer.weight)
    go = torch.randn_like(wanted)
    torch.testing.assert_close(out, wanted, rtol=1e-4, atol=1e-5)
    for one, other in zip(
        torch.autograd.grad(out, [x, layer.weight], go), torch.autograd.grad(wanted, [x, layer.weight], go), strict=True
    ):
        torch.testing.assert_close(one, other, rtol=1e-4, atol=1e-4)


def test_few_channels_in_channels_last_order_end_well() -> None:
    """With torch 2.13's own stride on AVX2 this ends by a signal: the heap is damaged."""
    done = subprocess.run([sys.executable, "-c", LOOP], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_every_1x1_convolution_is_one() -> None:
    assert isinstance(convolution(4, 8, 1, 2), Pointwise)
    assert isinstance(conv_bn(4, 8, 1, 2)[0], Pointwise)
    assert type(convolution(4, 8, 3, 2)) is nn.Conv2d
