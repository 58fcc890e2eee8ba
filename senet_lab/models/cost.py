"""What a network costs: parameters and multiply-adds, counted while one image passes through it."""

from dataclasses import dataclass, field
from functools import cache
from typing import Any

import torch
from torch import Tensor, nn
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils.flop_counter import flop_registry

from senet_lab.blocks.se import SEBlock
from senet_lab.errors import SpecError
from senet_lab.models import allocate, build
from senet_lab.records import Cost
from senet_lab.spec import Model, Narrow

LITTLE = 10**9
"""Parameters times positions up to which the image really passes, in hundredths of a second. Larger networks are only
gone through on torch's meta device, which takes no memory and 2 s of imports."""


@dataclass
class Part:
    """The stem (all before the stages), a stage, or the head (all after them)."""

    name: str
    output: tuple[int, ...] = ()
    """(channels, height, width), or (classes,)."""
    params: int = 0
    """That are trained."""
    statistics: int = 0
    """Running means and variances of batch norm."""
    macs: int = 0
    """Of convolutions and FC layers, SE's included, and one operation per element that a squeeze reads."""
    hidden: list[int] = field(default_factory=list)
    """Bottleneck units of each SE block."""


@cache
def count(model: Model, *, channels: int, size: int, classes: int) -> Cost:
    """The cost of `model` on one (channels, size, size) image.

    Multiply-adds are counted as the paper's GFLOPs columns have them: batch norm, ReLU, the scaling
    by the gate and other element-wise work are left out.
    """
    parts = layout(model, channels=channels, size=size, classes=classes)
    params = sum(part.params for part in parts)
    statistics = sum(part.statistics for part in parts)
    return Cost(params=params, params_and_statistics=params + statistics, macs=sum(part.macs for part in parts))


def layout(model: Model, *, channels: int, size: int, classes: int) -> tuple[Part, ...]:
    """The parts of `model` in order, for one (channels, size, size) image; only a small network takes memory."""
    network = build(model, channels=channels, classes=classes, seed=0, device=torch.device("meta")).eval()
    if sum(p.numel() for p in network.parameters()) * size**2 <= LITTLE:
        allocate(network, torch.device("cpu"))
    device = next(network.parameters()).device
    parts: dict[str, Part] = {}
    operations = _Operations()  # type: ignore[no-untyped-call]
    for path, module in _top(network):
        name = _name(path, after_stages=any(known.isdigit() for known in parts))
        part = parts.setdefault(name, Part(name))
        part.params += sum(p.numel() for p in module.parameters() if p.requires_grad)
        part.statistics += sum(b.numel() for b in module.buffers() if b.is_floating_point())
        module.register_forward_pre_hook(_begin(operations, part))
        module.register_forward_hook(_note_output(part))
        for block in (m for m in module.modules() if isinstance(m, SEBlock)):
            part.hidden.append(block.reduce.out_features)
            block.squeeze.register_forward_hook(_note_reads(part))
    image = torch.zeros(1, channels, size, size, device=device)
    try:
        with operations, torch.no_grad():
            network(image)
    except RuntimeError as error:  # a kernel or a pooling that is larger than what is left of the image
        stem = " say small_images=True where the network is named, or" if isinstance(model, Narrow) else ""
        raise SpecError(
            f"{model.title} cannot take images of {size} pixels ({error});{stem} use larger images"
        ) from None
    return tuple(parts.values())


class _Operations(TorchDispatchMode):  # type: ignore[no-untyped-call]
    """Adds to `part` what torch's own counter would; that one takes torch's compiler with it, seconds of imports."""

    part: Part | None = None

    @classmethod
    def _should_skip_dynamo(cls) -> bool:
        return False

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        output = func(*args, **(kwargs or {}))
        operations = flop_registry.get(func.overloadpacket)
        if operations is not None and self.part is not None:
            self.part.macs += operations(*args, **(kwargs or {}), out_val=output) // 2
        return output


def _begin(operations: _Operations, part: Part) -> Any:
    def begin(_: nn.Module, __: Any) -> None:
        operations.part = part

    return begin


def _top(network: nn.Module) -> list[tuple[str, nn.Module]]:
    """The network's children by path, each stage apart."""
    found = []
    for name, child in network.named_children():
        stages = name == "stages"
        found += [(f"{name}.{n}", m) for n, m in child.named_children()] if stages else [(name, child)]
    return found


def _name(path: str, after_stages: bool) -> str:
    stage = path.removeprefix("stages.")
    return stage if stage != path else "head" if after_stages else "stem"


def _note_output(part: Part) -> Any:
    def note(_: nn.Module, __: Any, output: Tensor) -> None:
        part.output = tuple(output.shape[1:])

    return note


def _note_reads(part: Part) -> Any:
    """A squeeze that pools reads every element once; one that keeps the map only passes it on."""

    def note(_: nn.Module, inputs: tuple[Tensor, ...], output: Tensor) -> None:
        part.macs += inputs[0].numel() if output.ndim == 2 else 0

    return note
