"""What a network costs: parameters and multiply-adds, counted without memory on the meta device."""

from functools import cache
from typing import Any

import torch
from torch import nn
from torch.utils.flop_counter import FlopCounterMode

from senet_lab.blocks.se import SEBlock
from senet_lab.models import build
from senet_lab.records import Cost
from senet_lab.spec import Model


@cache
def count(model: Model, *, channels: int, size: int, classes: int) -> Cost:
    """The cost of `model` on one (channels, size, size) image.

    Multiply-adds are those of convolutions and FC layers, SE's included, and one operation per
    element that a squeeze reads: the rule that reproduces the paper's GFLOPs columns. Batch norm,
    ReLU, the scaling by the gate and other element-wise work are not counted.
    """
    network = build(model, channels=channels, classes=classes, seed=0, device=torch.device("meta"))
    reads = 0

    def on_squeeze(_: nn.Module, inputs: tuple[Any, ...]) -> None:
        nonlocal reads
        reads += inputs[0].numel()

    for module in network.modules():
        if isinstance(module, SEBlock):
            module.squeeze.register_forward_pre_hook(on_squeeze)
    with FlopCounterMode(display=False) as flops, torch.no_grad():
        network.eval()(torch.empty(1, channels, size, size, device="meta"))
    params = sum(p.numel() for p in network.parameters() if p.requires_grad)
    statistics = sum(b.numel() for b in network.buffers() if b.is_floating_point())
    return Cost(params=params, params_and_statistics=params + statistics, macs=flops.get_total_flops() // 2 + reads)
