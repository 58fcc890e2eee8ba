"""The Squeeze-and-Excitation block (v4 section 3), and the residual unit with a block at every place.

Shapes: N images, C channels, H x W positions.
"""

import inspect

from torch import Tensor, nn

from senet_lab.blocks import tail
from senet_lab.blocks.gate import GATES
from senet_lab.blocks.squeeze import SQUEEZES, Maker
from senet_lab.spec import SE


class SEBlock(nn.Module):
    """Rescale each channel of a map by a weight computed from all channels.

    z = squeeze(x); s = gate(W2 relu(W1 z)); output = s * x, with W1: (C // r, C) and
    W2: (C, C // r) (v4 Eqns. 2 to 4). Input and output: (N, C, H, W). Where the squeeze keeps the
    map ("none"), the same weights are two 1x1 convolutions and each position has its own s (v4 7.1).
    """

    def __init__(self, channels: int, se: SE) -> None:
        super().__init__()
        hidden = se.hidden_width(channels)
        self.operators: dict[str, Maker] = {"squeeze": SQUEEZES[se.squeeze], "gate": GATES[se.gate]}
        self.squeeze = made(self.operators["squeeze"], channels)
        self.reduce = nn.Linear(channels, hidden, bias=se.bias)
        self.expand = nn.Linear(hidden, channels, bias=se.bias)
        self.gate = made(self.operators["gate"], channels)

    def excitation(self, x_NCHW: Tensor) -> Tensor:
        """The channel weights s, (N, C); (N, H, W, C) where the squeeze keeps the map."""
        hidden_NR = self.reduce(self.squeeze(x_NCHW)).relu()
        weights_NC: Tensor = self.gate(self.expand(hidden_NR))
        return weights_NC

    def forward(self, x_NCHW: Tensor, shortcut_NCHW: Tensor | None = None, relu: bool = True) -> Tensor:
        """The rescaled map; with a shortcut the end of a residual unit, to which x is given away (`tail.joined`)."""
        weights = self.excitation(x_NCHW)
        if weights.ndim == 2:
            if shortcut_NCHW is None:
                return tail.gated(x_NCHW, weights)
            return tail.gated_and_joined(x_NCHW, weights, shortcut_NCHW, relu)
        x_NCHW = x_NCHW * weights.permute(0, 3, 1, 2)
        return x_NCHW if shortcut_NCHW is None else tail.joined(x_NCHW, shortcut_NCHW, relu)


def made(make: Maker, channels: int) -> nn.Module:
    """An operator for a map of `channels`, which it is told if it asks for them."""
    return make(channels=channels) if "channels" in inspect.signature(make).parameters else make()
