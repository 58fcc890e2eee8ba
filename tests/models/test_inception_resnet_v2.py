"""Inception-ResNet-v2: timm's counts and sizes, and its modules written out a second time."""

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from senet_lab.models.cost import count
from senet_lab.models.inception_resnet_v2 import Residual
from senet_lab.spec import SE, InceptionResNetV2, Model, Placement
from tests.models import checks
from tests.models.checks import State, norm, se

PLACES: list[Placement] = ["standard", "pre", "post", "identity"]
SMALL = InceptionResNetV2(width=0.0625, small_images=True)
SCALES = {3: 0.17, 4: 0.10, 5: 0.20}
LAYERS = {3: (1, 2, 3), 4: (1, 3), 5: (1, 3)}
"""Convolutions of each branch."""


def conv(state: State, name: str, x: Tensor, stride: int = 1, padded: bool = True) -> Tensor:
    weight = state[f"{name}.0.weight"]
    padding = (weight.shape[2] // 2, weight.shape[3] // 2) if padded else 0
    return norm(state, f"{name}.1", F.conv2d(x, weight, stride=stride, padding=padding), eps=1e-3).clamp(min=0)


def row(state: State, name: str, layers: int, x: Tensor) -> Tensor:
    for i in range(layers):
        x = conv(state, f"{name}.{i}", x)
    return x


def stem(state: State, x: Tensor) -> Tensor:
    """conv2d_1a to mixed_5b of timm's inception_resnet_v2.py."""
    x = conv(state, "stem.1", conv(state, "stem.0", x, 2, padded=False), padded=False)
    x = F.max_pool2d(conv(state, "stem.2", x), 3, 2)
    x = F.max_pool2d(conv(state, "stem.5", conv(state, "stem.4", x), padded=False), 3, 2)
    inside = F.pad(torch.ones_like(x), (1, 1, 1, 1)).unfold(2, 3, 1).unfold(3, 3, 1).sum((4, 5))
    around = F.pad(x, (1, 1, 1, 1)).unfold(2, 3, 1).unfold(3, 3, 1).sum((4, 5)) / inside
    ways = [row(state, f"stem.7.{b}", layers, x) for b, layers in enumerate((1, 2, 3))]
    return torch.cat([*ways, conv(state, "stem.7.3.1", around)], 1)


def halved(state: State, name: str, branches: tuple[int, ...], x: Tensor) -> Tensor:
    """mixed_6a and mixed_7a."""
    ways = []
    for b, layers in enumerate(branches):
        inside = row(state, f"{name}.{b}", layers - 1, x)
        ways.append(conv(state, f"{name}.{b}.{layers - 1}", inside, 2, padded=False))
    return torch.cat([*ways, F.max_pool2d(x, 3, 2)], 1)


def residual(state: State, name: str, stage: int, x: Tensor, place: Placement | None, last: bool) -> Tensor:
    """block35, block17 and block8, with SE as in v4 Figs. 3 and 5."""
    inside = se(state, f"{name}.se", x) if place == "pre" else x
    ways = [row(state, f"{name}.branches.{b}", layers, inside) for b, layers in enumerate(LAYERS[stage])]
    y = F.conv2d(torch.cat(ways, 1), state[f"{name}.project.weight"], state[f"{name}.project.bias"])
    y = se(state, f"{name}.se", y) if place == "standard" else y
    x = se(state, f"{name}.se", x) if place == "identity" else x
    x = x + SCALES[stage] * y
    x = x if last else x.clamp(min=0)
    return se(state, f"{name}.se", x) if place == "post" else x


@pytest.mark.parametrize("place", [None, *PLACES])
def test_the_network_is_its_definition(place: Placement | None) -> None:
    network = checks.shaken(InceptionResNetV2(width=0.03, se=SE(reduction=4, placement=place) if place else None))
    state, images = dict(network.state_dict()), checks.images(75)
    x = stem(state, images)
    for stage, modules in {3: 10, 4: 20, 5: 10}.items():
        first = 0 if stage == 3 else 1
        if stage > 3:
            x = halved(state, f"stages.{stage}.0", {4: (1, 3), 5: (2, 2, 3)}[stage], x)
        for i in range(first, first + modules):
            last = (stage, i) == (5, 10)
            x = residual(state, f"stages.{stage}.{i}", stage, x, place, last)
    checks.check_equal(network, images, checks.head(state, conv(state, "last", x)))


def test_counts_are_those_of_timm() -> None:
    """55.84 M and 13.18 G (timm's benchmark tables, which count a little more than convolutions and FC layers)."""
    plain = count(InceptionResNetV2(), channels=3, size=299, classes=1000)
    assert plain.params == 55_843_464
    assert plain.macs / 1e9 == pytest.approx(13.18, abs=0.03)
    gated = count(InceptionResNetV2(se=SE()), channels=3, size=299, classes=1000)
    assert gated.params - plain.params == 8_495_360 == 10 * 320**2 // 8 + 20 * 1088**2 // 8 + 10 * 2080**2 // 8
    assert 0.01 < (gated.macs - plain.macs) / 1e9 < 0.03


@pytest.mark.parametrize(("model", "size", "expected"), [
    (InceptionResNetV2(), 299, [(320, 35, 35), (1088, 17, 17), (2080, 8, 8)]),
    (InceptionResNetV2(small_images=True), 9, [(320, 9, 9), (1088, 5, 5), (2080, 3, 3)]),
])  # fmt: skip
def test_stages_have_the_sizes_of_the_paper(model: Model, size: int, expected: list[tuple[int, ...]]) -> None:
    network, found = checks.built(model), []
    for stage in network.stages.values():  # type: ignore[operator]
        stage.register_forward_hook(lambda m, i, o: found.append(tuple(o.shape[1:])))
    network(torch.empty(1, 3, size, size, device="meta"))
    assert found == expected


def test_forty_residual_modules_and_the_last_without_relu() -> None:
    found = [m for m in checks.built(InceptionResNetV2()).modules() if isinstance(m, Residual)]
    assert [m.last for m in found] == [False] * 39 + [True]
    assert [m.scale for m in found] == [0.17] * 10 + [0.10] * 20 + [0.20] * 10


def test_long_kernels_lie_before_they_stand() -> None:
    """1x7 before 7x1 in block17, 1x3 before 3x1 in block8."""
    kernels = [[tuple(w.shape[2:]) for w in m.branches[1].parameters() if w.ndim == 4]
               for m in checks.built(SMALL).modules() if isinstance(m, Residual)]  # fmt: skip
    assert kernels[10:30] == [[(1, 1), (1, 7), (7, 1)]] * 20
    assert kernels[30:] == [[(1, 1), (1, 3), (3, 1)]] * 10


def test_only_projections_of_residual_modules_have_a_bias() -> None:
    named = checks.built(InceptionResNetV2()).named_modules()
    with_bias = [name for name, m in named if isinstance(m, nn.Conv2d) and m.bias is not None]
    assert len(with_bias) == 40 and all(name.endswith(".project") for name in with_bias)


def test_blocks_are_those_of_the_spec() -> None:
    assert InceptionResNetV2(se=SE()).hidden_widths == {3: (20,) * 10, 4: (68,) * 20, 5: (130,) * 10}
    checks.check_hidden_widths(SMALL)


def test_branches_are_not_built_around_one_convolution() -> None:
    checks.check_refusal(InceptionResNetV2(), "conv3x3", "no meaning in Inception-ResNet-v2: its residual branches")


@pytest.mark.parametrize("place", [None, *PLACES])
def test_small_images(place: Placement | None) -> None:
    checks.check_learns_from_small_images(checks.gated(SMALL, place) if place else SMALL)
