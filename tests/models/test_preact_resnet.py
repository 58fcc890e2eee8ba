"""Pre-activation and wide ResNets: counts of the original networks, and the network written out a second time."""

from typing import Any

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from senet_lab.models.cost import count
from senet_lab.spec import SE, Model, Placement, PreActResNet, WideResNet
from tests.models import checks
from tests.models.checks import State, norm, se

PLACES: list[Placement] = ["standard", "pre", "post", "identity", "conv3x3"]
RESNET_110, RESNET_164, WRN_16_8 = PreActResNet(depth=110), PreActResNet(depth=164, block="bottleneck"), WideResNet()


def cost(model: Model) -> int:
    return count(model, channels=3, size=32, classes=10).params


def reference(state: State, x: Tensor, block: str, blocks: int, place: Placement | None) -> Tensor:
    """resnet-pre-act.lua of KaimingHe/resnet-1k-layers, wide-resnet.lua of szagoruyko/wide-residual-networks."""

    def at(here: Placement, name: str, x: Tensor) -> Tensor:
        return se(state, f"{name}.se", x) if place == here else x

    def conv(name: str, x: Tensor, stride: int = 1) -> Tensor:
        weight = state[f"{name}.weight"]
        return F.conv2d(x, weight, stride=stride, padding=weight.shape[-1] // 2)

    sizes = {"basic": (3, 3), "bottleneck": (1, 3, 1)}[block]
    x = conv("stem", x)
    for stage in (2, 3, 4):
        for i in range(blocks):
            name, stride = f"stages.{stage}.{i}", 2 if i == 0 and stage > 2 else 1
            outputs = state[f"{name}.convs.{len(sizes) - 1}.weight"].shape[0]
            if stride == 1 and x.shape[1] == outputs:
                shortcut = x
                y = norm(state, f"{name}.norms.0", at("pre", name, x)).clamp(min=0)
            else:
                x = norm(state, f"{name}.norms.0", x).clamp(min=0)
                y = at("pre", name, x)
                if f"{name}.projection.weight" in state:
                    shortcut = conv(f"{name}.projection", x, stride)
                else:
                    kept = x[:, :, ::stride, ::stride]
                    none = torch.zeros(len(x), outputs - x.shape[1], *kept.shape[2:], dtype=x.dtype)
                    shortcut = torch.cat([kept, none], 1)
            y = conv(f"{name}.convs.0", y, stride)
            for k in range(1, len(sizes)):
                y = norm(state, f"{name}.norms.{k}", y).clamp(min=0)
                y = at("conv3x3", name, y) if k == sizes.index(3) + 1 else y
                y = conv(f"{name}.convs.{k}", y)
            x = at("post", name, at("standard", name, y) + at("identity", name, shortcut))
    return checks.head(state, norm(state, "last_bn", x).clamp(min=0))


@pytest.mark.parametrize("place", [None, *PLACES])
@pytest.mark.parametrize(
    "settings",
    [{"depth": 14}, {"depth": 14, "shortcut": "padding"}, {"depth": 20, "block": "bottleneck"},
     {"depth": 8, "widths": (8, 8, 8)}],
    ids=str,
)  # fmt: skip
def test_the_network_is_its_definition(settings: dict[str, Any], place: Placement | None) -> None:
    block = SE(reduction=2, placement=place) if place else None
    model = PreActResNet.model_validate({"width": 0.25, "se": block, **settings})
    network, x = checks.shaken(model), checks.images(9)
    checks.check_equal(network, x, reference(dict(network.state_dict()), x, model.block, model.blocks, place))


def test_a_wide_network_is_the_same_with_more_channels() -> None:
    network, x = checks.shaken(WideResNet(depth=10, widen=2, width=0.25, se=SE(reduction=2))), checks.images(8)
    checks.check_equal(network, x, reference(dict(network.state_dict()), x, "basic", 1, "standard"))


@pytest.mark.parametrize(
    ("model", "params", "se_weights"),
    [
        (PreActResNet(depth=110, shortcut="padding"), 1_727_962, 12_096),
        (RESNET_110, 1_730_522, 12_096),
        (RESNET_164, 1_703_258, 193_536),
        (WRN_16_8, 10_961_370, 86_016),
    ],
    ids=lambda v: v.title if isinstance(v, Model) else "",
)
def test_counts_are_those_of_the_literature(model: Model, params: int, se_weights: int) -> None:
    """1.7 M, 1.7 M (arXiv 1603.05027) and 11.0 M (arXiv 1605.07146), here to the last weight; SE at r = 16."""
    assert cost(model) == params
    assert cost(checks.gated(model)) - params == se_weights


@pytest.mark.parametrize("model", [RESNET_110, RESNET_164])
def test_the_layers_with_weights_are_as_many_as_the_depth_says(model: PreActResNet) -> None:
    layers = {name: m for name, m in checks.built(model).named_modules() if isinstance(m, nn.Conv2d | nn.Linear)}
    assert sum("projection" not in name for name in layers) == model.depth


def test_a_wide_networks_depth_counts_projections_and_no_classifier() -> None:
    assert sum(isinstance(m, nn.Conv2d) for m in checks.built(WRN_16_8).modules()) == WRN_16_8.depth == 16


def test_maps_halve_where_a_stage_begins() -> None:
    network, sizes = checks.built(RESNET_164), []
    for stage in network.stages.values():  # type: ignore[operator]
        stage.register_forward_hook(lambda m, i, o: sizes.append(tuple(o.shape[1:])))
    network(torch.empty(1, 3, 32, 32, device="meta"))
    assert sizes == [(64, 32, 32), (128, 16, 16), (256, 8, 8)]


@pytest.mark.parametrize("model", [
    PreActResNet(depth=14), PreActResNet(depth=20, block="bottleneck"), WideResNet(widen=2),
    PreActResNet(depth=8, width=0.25),
])  # fmt: skip
def test_blocks_are_those_of_the_spec(model: Model) -> None:
    checks.check_hidden_widths(model)


SMALL = [
    PreActResNet(depth=8, width=0.25),
    PreActResNet(depth=11, block="bottleneck", width=0.25),
    WideResNet(depth=10, widen=1),
]


@pytest.mark.parametrize("place", [None, *PLACES])
@pytest.mark.parametrize("model", SMALL, ids=lambda m: m.title)
def test_small_images(model: Model, place: Placement | None) -> None:
    checks.check_learns_from_small_images(checks.gated(model, place) if place else model)
