"""Networks by specification."""

from importlib import import_module
from typing import cast

import torch
from torch import nn

from senet_lab.models.initialise import initialise
from senet_lab.spec import Model


def build(model: Model, *, channels: int, classes: int, seed: int, device: torch.device) -> nn.Module:
    """The network of `model` with the initial weights of `seed` or of its file, ready to train.

    Input: (N, channels, H, W); output: logits (N, classes). On the meta device no weights are drawn
    or read. Raises SpecError if the file does not fit.
    """
    with torch.device("meta"):
        network = cast(nn.Module, import_module(f"senet_lab.models.{model.module}").network(model, channels, classes))
    if device.type == "meta":
        return network
    allocate(network, device)
    initialise(network, seed)
    if model.weights is not None:
        from senet_lab.models.weights import load

        load(network, model, model.weights)
    return network.to(memory_format=torch.channels_last)  # type: ignore[call-overload,no-any-return]


def allocate(network: nn.Module, device: torch.device) -> None:
    """Memory for what is on the meta device, as `to_empty` gives it; that imports SymPy, 1.5 s a process."""
    for module in network.modules():
        for name, p in module.named_parameters(recurse=False):
            setattr(module, name, nn.Parameter(torch.empty(p.shape, dtype=p.dtype, device=device), p.requires_grad))
        for name, buffer in module.named_buffers(recurse=False):
            setattr(module, name, torch.empty(buffer.shape, dtype=buffer.dtype, device=device))
