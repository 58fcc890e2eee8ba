"""A network part by part: what comes out, how many weights, how much work."""

from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor, nn
from torch.utils.flop_counter import FlopCounterMode

from senet_lab.blocks.se import SEBlock
from senet_lab.models import build
from senet_lab.spec import Model


@dataclass
class Part:
    """The stem (all before the stages), a stage, or the head (all after them)."""

    name: str
    output: tuple[int, ...] = ()
    """(channels, height, width), or (classes,)."""
    params: int = 0
    macs: int = 0
    """As `cost.count` counts them."""
    hidden: list[int] = field(default_factory=list)
    """Bottleneck units of each SE block."""


def layout(model: Model, *, channels: int, size: int, classes: int) -> tuple[Part, ...]:
    """The parts of `model` in order, for one (channels, size, size) image; nothing is allocated."""
    network = build(model, channels=channels, classes=classes, seed=0, device=torch.device("meta")).eval()
    parts: dict[str, Part] = {}
    of_module: dict[str, Part] = {}
    for path, module in _top(network):
        name = _part(path, any(known.isdigit() for known in parts))
        part = parts.setdefault(name, Part(name))
        part.params += sum(p.numel() for p in module.parameters())
        part.hidden += [m.reduce.out_features for m in module.modules() if isinstance(m, SEBlock)]
        of_module[path] = part
        module.register_forward_hook(_note_output(part))
        for block in (m for m in module.modules() if isinstance(m, SEBlock)):
            block.squeeze.register_forward_hook(_note_reads(part))
    with FlopCounterMode(display=False) as flops, torch.no_grad():
        network(torch.empty(1, channels, size, size, device="meta"))
    counts = flops.get_flop_counts()
    for path, part in of_module.items():
        part.macs += sum(counts.get(f"{type(network).__name__}.{path}", {}).values()) // 2
    return tuple(parts.values())


def _top(network: nn.Module) -> list[tuple[str, nn.Module]]:
    """The network's children by path, each stage apart."""
    found = []
    for name, child in network.named_children():
        if name == "stages":
            found += [(f"stages.{stage}", module) for stage, module in child.named_children()]
        else:
            found.append((name, child))
    return found


def _part(path: str, after_stages: bool) -> str:
    if path.startswith("stages."):
        return path.removeprefix("stages.")
    return "head" if after_stages else "stem"


def _note_output(part: Part) -> Any:
    def note(_: nn.Module, __: Any, output: Tensor) -> None:
        part.output = tuple(output.shape[1:])

    return note


def _note_reads(part: Part) -> Any:
    """A squeeze that pools reads every element once; one that keeps the map only passes it on."""

    def note(_: nn.Module, inputs: tuple[Tensor, ...], output: Tensor) -> None:
        part.macs += inputs[0].numel() if output.ndim == 2 else 0

    return note
