"""Networks of one shape folded into one network: K replicas side by side in the channels.

The folded network is the family's own class. Its maps are (N, K C, H, W), replica k having the channels
k C to (k + 1) C - 1; its convolutions have K times the groups, its batch norms K times the channels, which
is a batch norm for each. Linear layers and SE blocks are replaced by ones that keep replicas apart. In
every tensor the replicas follow each other along the first dimension, a smaller bottleneck with zeros
behind it: as relu'(0) = 0, gradient and decay leave these zeros where they are.

Shapes: K replicas, N images, C channels, R units of the largest bottleneck.
"""

from collections.abc import Iterator, Sequence

import torch
from torch import Tensor, nn

from senet_lab import models
from senet_lab.blocks.gate import GATES
from senet_lab.blocks.se import SEBlock
from senet_lab.blocks.squeeze import SQUEEZES, Maker
from senet_lab.models.convolution import Pointwise
from senet_lab.spec import SE, Model

META = torch.device("meta")


def folded(specs: Sequence[Model], networks: Sequence[nn.Module]) -> nn.Module:
    """One network for all `networks`, on their device; `corners` say where each one's tensors belong.

    Input: (N, K channels, H, W); output: logits (N, K classes). The networks differ in their SE at
    most. The count of batches of batch norm is not kept.
    """
    first = next(networks[0].parameters())
    convolution = next(m for m in networks[0].modules() if isinstance(m, nn.Conv2d))
    classifier = [m for m in networks[0].modules() if isinstance(m, nn.Linear)][-1]
    shape = {"channels": convolution.in_channels, "classes": classifier.out_features}
    network = models.build(_widest(specs), **shape, seed=0, device=META)
    blocks = {path for path, module in network.named_modules() if isinstance(module, SEBlock)}
    with META:
        for path, module in [*network.named_modules()]:
            if path in blocks:
                network.set_submodule(path, FoldedSE(_blocks(path, specs, networks), first.device))
            elif path.rpartition(".")[0] not in blocks:
                replacement = _folded(module, len(networks))
                if replacement is not None:
                    network.set_submodule(path, replacement)
    return network.to(first.dtype).to_empty(device=first.device)


def corners(network: nn.Module, member: nn.Module, k: int, replicas: int) -> Iterator[tuple[Tensor, Tensor]]:
    """Each parameter and statistic of `member`, replica k, and its place in the folded network's tensors."""
    whole = {**dict(network.named_parameters()), **dict(network.named_buffers())}
    for name, own in [*member.named_parameters(), *member.named_buffers()]:
        if not name.endswith("num_batches_tracked"):
            yield own, corner(whole[name], own, k, replicas)


def corner(whole: Tensor, own: Tensor, k: int, replicas: int) -> Tensor:
    """Of a folded tensor, the part of replica k that has the shape of `own`; a view."""
    replica: Tensor = torch.unflatten(whole, 0, (replicas, -1))[k]
    return replica[tuple(slice(n) for n in own.shape)]


class FoldedLinear(nn.Module):
    """A linear layer for each replica: (N, K inputs) -> (N, K outputs)."""

    def __init__(self, replicas: int, inputs: int, outputs: int, bias: bool) -> None:
        super().__init__()
        self.replicas = replicas
        self.weight = nn.Parameter(torch.empty(replicas * outputs, inputs))
        self.bias = nn.Parameter(torch.empty(replicas * outputs)) if bias else None

    def forward(self, x_NC: Tensor) -> Tensor:
        x_KNC = torch.unflatten(x_NC, 1, (self.replicas, -1)).transpose(0, 1)
        weight_KCO = torch.unflatten(self.weight, 0, (self.replicas, -1)).transpose(1, 2)
        if self.bias is None:
            y_KNO = torch.bmm(x_KNC, weight_KCO)
        else:
            y_KNO = torch.baddbmm(self.bias.view(self.replicas, 1, -1), x_KNC, weight_KCO)
        return y_KNO.transpose(0, 1).flatten(1)


class FoldedSE(SEBlock):
    """The SE blocks of all replicas; one without a block has the gate 1."""

    def __init__(self, members: Sequence[tuple[SEBlock, SE] | None], device: torch.device) -> None:
        """`device`: where the block will stand."""
        super(SEBlock, self).__init__()  # another block's layers
        found = [member for member in members if member is not None]
        block = found[0][0]
        channels, hidden = block.reduce.in_features, max(b.reduce.out_features for b, _ in found)
        replicas, bias = len(members), block.reduce.bias is not None
        self.reduce = FoldedLinear(replicas, channels, hidden, bias)  # type: ignore[assignment]
        self.expand = FoldedLinear(replicas, hidden, channels, bias)  # type: ignore[assignment]
        self.squeeze = Chosen([member and member[1].squeeze for member in members], SQUEEZES, device)
        self.gate = Chosen([member and member[1].gate for member in members], GATES, device)
        missing = [member is None for member in members]
        self.without_K1 = torch.tensor(missing, device=device)[:, None] if any(missing) else None

    def excitation(self, x_NCHW: Tensor) -> Tensor:
        """The channel weights of all replicas, (N, K C)."""
        weights_NC = super().excitation(x_NCHW)
        return weights_NC if self.without_K1 is None else _where(self.without_K1, 1.0, weights_NC)


class Chosen(nn.Module):
    """One operator for each replica: what makes (N, K C) of its input; replicas without one get any."""

    def __init__(self, names: Sequence[str | None], table: dict[str, Maker], device: torch.device) -> None:
        super().__init__()
        found = [*dict.fromkeys(name for name in names if name is not None)]
        self.operators = nn.ModuleList(table[name]() for name in found)
        self.masks = [torch.tensor([n == name for n in names], device=device)[:, None] for name in found]

    def forward(self, x: Tensor) -> Tensor:
        made_NC: Tensor
        made_NC, *others = (operator(x) for operator in self.operators)
        for mask_K1, other_NC in zip(self.masks[1:], others, strict=True):
            made_NC = _where(mask_K1, other_NC, made_NC)
        return made_NC


def _where(mask_K1: Tensor, one: Tensor | float, other_NC: Tensor) -> Tensor:
    """`one` for the replicas of the mask, `other_NC` for the others."""
    replicas = (len(mask_K1), -1)
    if isinstance(one, Tensor):
        one = torch.unflatten(one, 1, replicas)
    return torch.where(mask_K1, one, torch.unflatten(other_NC, 1, replicas)).flatten(1)


def _folded(module: nn.Module, replicas: int) -> nn.Module | None:
    """What stands for `module` in the folded network; None: itself."""
    if isinstance(module, Pointwise):
        inputs, outputs = replicas * module.in_channels, replicas * module.out_channels
        return Pointwise(inputs, outputs, module.stride[0], replicas * module.groups)
    if isinstance(module, nn.Conv2d):
        assert not isinstance(module.padding, str)
        return nn.Conv2d(
            replicas * module.in_channels,
            replicas * module.out_channels,
            module.kernel_size,  # type: ignore[arg-type]
            module.stride,  # type: ignore[arg-type]
            module.padding,  # type: ignore[arg-type]
            groups=replicas * module.groups,
            bias=module.bias is not None,
        )
    if isinstance(module, nn.BatchNorm2d):
        norm = nn.BatchNorm2d(replicas * module.num_features, module.eps, module.momentum)
        norm.num_batches_tracked = None  # a kernel a step for a number that everybody knows
        return norm
    if isinstance(module, nn.Linear):
        return FoldedLinear(replicas, module.in_features, module.out_features, module.bias is not None)
    assert not [*module.parameters(recurse=False)], f"no rule for {type(module).__name__}"
    return None


def _blocks(path: str, specs: Sequence[Model], networks: Sequence[nn.Module]) -> list[tuple[SEBlock, SE] | None]:
    """The block at `path` of each network, and its setting; None where there is none."""
    found: list[tuple[SEBlock, SE] | None] = []
    for spec, network in zip(specs, networks, strict=True):
        block = dict(network.named_modules()).get(path)
        found.append((block, spec.se) if isinstance(block, SEBlock) and spec.se is not None else None)
    return found


def _widest(specs: Sequence[Model]) -> Model:
    """The spec of a network that has a block wherever any of `specs` has one."""
    gated = [spec for spec in specs if spec.se is not None]
    if not gated:
        return specs[0]
    stages = sorted({stage for spec in gated for stage in spec.stages if spec.se and spec.se.in_stage(stage)})
    se = gated[0].se
    assert se is not None
    return type(gated[0]).model_validate({**gated[0].model_dump(), "se": {**se.model_dump(), "stages": stages}})
