"""Squeeze operators: a feature map becomes one number per channel (v4 section 3.1, Table 11)."""

from collections.abc import Callable

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
        return x_NCHW.mean(dim=(2, 3))


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
