"""Squeeze operators: a feature map becomes one number per channel (v4 section 3.1, Table 11)."""

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn

from senet_lab.spec.operators import define, named

Maker = Callable[..., nn.Module]
"""Called without arguments, or with `channels` where it takes them."""
SQUEEZES: dict[str, Maker] = {}


def squeeze(name: str) -> Callable[[Maker], Maker]:
    """Make the decorated operator a value of `se.squeeze`: called on (N, C, H, W), it returns (N, C)."""
    named("squeeze", name)

    def register(make: Maker) -> Maker:
        define("squeeze", name, make, SQUEEZES)
        return make

    return register


@squeeze("avg")
class Average(nn.Module):
    """Global average pooling (v4 Eqn. 2)."""

    def forward(self, x_NCHW: Tensor) -> Tensor:
        mean_NC: Tensor = _Mean.apply(x_NCHW)  # type: ignore[no-untyped-call]
        return mean_NC


class _Mean(torch.autograd.Function):
    """The mean over positions, whose gradient is handed on as one number a channel, not written out for each position.

    torch's own writes it out, and where the map is in channels_last, in the other order: adding it is slow.
    """

    @staticmethod
    def forward(ctx: Any, x_NCHW: Tensor) -> Tensor:
        ctx.shape, ctx.dtype = x_NCHW.shape, x_NCHW.dtype
        return x_NCHW.mean(dim=(2, 3))

    @staticmethod
    def backward(ctx: Any, go_NC: Tensor) -> Tensor:
        of_each_NC = (go_NC / (ctx.shape[2] * ctx.shape[3])).to(ctx.dtype)
        of_all_NCHW: Tensor = of_each_NC[:, :, None, None].expand(ctx.shape)
        return of_all_NCHW


@squeeze("max")
class Maximum(nn.Module):
    """Global max pooling (v4 Table 11). Where several positions share the maximum, so does the gradient."""

    def forward(self, x_NCHW: Tensor) -> Tensor:
        return x_NCHW.amax(dim=(2, 3))


@squeeze("none")
class NoSqueeze(nn.Module):
    """No pooling: (N, C, H, W) becomes (N, H, W, C), the channels of each position (v4 section 7.1, Table 16)."""

    def forward(self, x_NCHW: Tensor) -> Tensor:
        return x_NCHW.permute(0, 2, 3, 1)
