"""Initial weights, each parameter from the stream of its own name.

Putting a block in or taking it out does not shift what the other parameters get.
"""

import math

import torch
from torch import nn

from senet_lab.blocks.se import SEBlock, made
from senet_lab.randomness import stream_seed, torch_stream


class ZeroBatchNorm2d(nn.BatchNorm2d):
    """Batch norm whose weight starts at 0, so that what it ends adds nothing at first."""


def initialise(network: nn.Module, seed: int) -> None:
    """Draw all weights of `network` in place; batch norm starts as the identity or at 0, biases at 0.

    Weights: normal with variance 2 / fan_out for convolutions and 2 / fan_in for SE's first FC
    layer, which ReLU follows (He et al., arXiv 1502.01852), 1 / fan_in for the other FC layers.
    An operator that has weights of its own (of a sweep file) makes them itself.
    """
    apart = _operators(network, seed)
    for prefix, module in network.named_modules():
        if module in apart:
            continue
        if isinstance(module, nn.BatchNorm2d):
            module.reset_running_stats()
        for name, parameter in module.named_parameters(recurse=False):
            full_name = f"{prefix}.{name}"
            with torch.no_grad():
                if isinstance(module, nn.BatchNorm2d):
                    parameter.fill_(0.0 if name == "bias" or isinstance(module, ZeroBatchNorm2d) else 1.0)
                elif name == "bias":
                    parameter.zero_()
                else:
                    std = _std(module, full_name)
                    drawn = torch.randn(parameter.shape, generator=torch_stream(seed, "init", full_name))
                    parameter.copy_(drawn * std)


def _operators(network: nn.Module, seed: int) -> set[nn.Module]:
    """Make squeezes and gates that hold tensors anew, each by its own stream; returns them and all inside them."""
    found: set[nn.Module] = set()
    for path, block in [*network.named_modules()]:
        if not isinstance(block, SEBlock):
            continue
        for kind, make in block.operators.items():
            old = block.get_submodule(kind)
            device = next((t.device for t in (*old.parameters(), *old.buffers())), None)
            if device is None:
                continue
            with torch.random.fork_rng(devices=[]):
                torch.manual_seed(stream_seed(seed, "init", f"{path}.{kind}"))
                setattr(block, kind, made(make, block.reduce.in_features).to(device))
            found.update(block.get_submodule(kind).modules())
    return found


def _std(module: nn.Module, name: str) -> float:
    if isinstance(module, nn.Conv2d):
        fan_out = module.out_channels // module.groups * math.prod(module.kernel_size)
        return math.sqrt(2 / fan_out)
    if isinstance(module, nn.Linear):
        gain = 2 if name.endswith("reduce.weight") else 1
        return math.sqrt(gain / module.in_features)
    raise TypeError(f"no rule for the initial value of {name} ({type(module).__name__})")
