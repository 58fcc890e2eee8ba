"""Gates: the last non-linearity of the excitation, which makes the channel weights (v4 Table 12)."""

from collections.abc import Callable

from torch import nn

from senet_lab.spec.operators import define, named

Maker = Callable[..., nn.Module]
"""Called without arguments, or with `channels` where it takes them."""
GATES: dict[str, Maker] = {}


def gate(name: str) -> Callable[[Maker], Maker]:
    """Make the decorated non-linearity a value of `se.gate`: called on (N, C), it returns (N, C)."""
    named("gate", name)

    def register(make: Maker) -> Maker:
        define("gate", name, make, GATES)
        return make

    return register


gate("sigmoid")(nn.Sigmoid)
gate("tanh")(nn.Tanh)
gate("relu")(nn.ReLU)
