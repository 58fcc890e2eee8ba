"""ShuffleNet: published counts, and the network written out a second time."""

import pytest
import torch
from pydantic import ValidationError
from torch import Tensor, nn

from senet_lab.models.cost import count
from senet_lab.models.shufflenet import ShuffleUnit, shuffled
from senet_lab.spec import SE, Model, Placement, ShuffleNet
from tests.models import checks
from tests.models.checks import State, conv_norm, se

PLACES: list[Placement] = ["standard", "pre", "post", "identity", "conv3x3"]
SMALL = ShuffleNet(width=0.25, small_images=True)


def reference(state: State, x: Tensor, groups: int, place: Placement | None, small: bool) -> Tensor:
    """arXiv 1707.01083, Fig. 2 (b) and (c), Table 1."""

    def at(here: Placement, name: str, x: Tensor) -> Tensor:
        return se(state, f"{name}.se", x) if place == here else x

    x = conv_norm(state, "stem", x, stride=1 if small else 2).clamp(min=0)
    x = x if small else nn.functional.max_pool2d(x, 3, 2, padding=1)
    for stage, units in {2: 4, 3: 8, 4: 4}.items():
        for i in range(units):
            name, stride = f"stages.{stage}.{i}", 2 if i == 0 else 1
            y = at("pre", name, x)
            y = conv_norm(state, f"{name}.reduce", y, groups=1 if (stage, i) == (2, 0) else groups).clamp(min=0)
            channels = y.shape[1]
            y = y[:, [g * (channels // groups) + c for c in range(channels // groups) for g in range(groups)]]
            y = conv_norm(state, f"{name}.depthwise", y, stride, groups=channels)
            y = conv_norm(state, f"{name}.expand", at("conv3x3", name, y), groups=groups)
            y = at("standard", name, y)
            if stride == 1:
                x = (at("identity", name, x) + y).clamp(min=0)
            else:
                around = nn.functional.pad(x, (1, 1, 1, 1)).unfold(2, 3, 2).unfold(3, 3, 2).mean((4, 5))
                x = torch.cat([at("identity", name, around), y], 1).clamp(min=0)
            x = at("post", name, x)
    return checks.head(state, x)


@pytest.mark.parametrize("place", [None, *PLACES])
def test_the_network_is_its_definition(place: Placement | None) -> None:
    network = checks.shaken(ShuffleNet(width=0.1, se=SE(reduction=2, placement=place) if place else None))
    x = checks.images(32)
    checks.check_equal(network, x, reference(dict(network.state_dict()), x, 3, place, False))


@pytest.mark.parametrize("groups", [1, 2, 8])
def test_other_numbers_of_groups(groups: int) -> None:
    network = checks.shaken(ShuffleNet(width=0.1, groups=groups, small_images=True, se=SE(reduction=2)))  # type: ignore[arg-type]
    x = checks.images(8)
    checks.check_equal(network, x, reference(dict(network.state_dict()), x, groups, "standard", True))


def test_counts_are_those_published() -> None:
    """1.9 M and 138 M: megvii-model/ShuffleNet-Series; with SE +0.6 M and +2 M: v4 Table 3."""
    plain = count(ShuffleNet(), channels=3, size=224, classes=1000)
    assert plain.params == 1_865_728
    assert round(plain.macs / 1e6, 1) == 137.5
    gated = count(ShuffleNet(se=SE()), channels=3, size=224, classes=1000)
    assert gated.params - plain.params == 610_416
    assert round((gated.macs - plain.macs) / 1e6) == 2
    after = count(ShuffleNet(se=SE(placement="post")), channels=3, size=224, classes=1000)
    assert after.params - plain.params == 720_000


@pytest.mark.parametrize(("groups", "mega_macs"), [(1, 143), (2, 140), (3, 137), (4, 133), (8, 137)])
def test_networks_of_any_groups_cost_about_the_same(groups: int, mega_macs: int) -> None:
    """arXiv 1707.01083, Table 1; the original's own counts, within 1.5 M."""
    found = count(ShuffleNet(groups=groups), channels=3, size=224, classes=1000)  # type: ignore[arg-type]
    assert found.macs / 1e6 == pytest.approx(mega_macs, abs=1.5)


def test_the_shuffle_takes_one_channel_of_each_group_in_turn() -> None:
    x = torch.arange(6.0).reshape(1, 6, 1, 1).expand(2, 6, 2, 3)
    assert shuffled(x, 3)[:, :, 1, 2].tolist() == [[0, 2, 4, 1, 3, 5]] * 2
    assert shuffled(x, 2)[:, :, 0, 0].tolist() == [[0, 3, 1, 4, 2, 5]] * 2
    assert torch.equal(shuffled(shuffled(x, 3), 2), x)


def test_only_the_first_unit_begins_without_groups() -> None:
    units = [m for m in checks.built(ShuffleNet()).modules() if isinstance(m, ShuffleUnit)]
    assert [next(u.reduce.children()).groups for u in units] == [1] + [3] * 15


@pytest.mark.parametrize("width", [0.01, 0.125, 0.3, 1.0, 1.5])
@pytest.mark.parametrize("groups", [1, 2, 3, 4, 8])
def test_any_width_divides_into_groups(groups: int, width: float) -> None:
    checks.check_hidden_widths(ShuffleNet(groups=groups, width=width))  # type: ignore[arg-type]


def test_other_groups_have_no_published_widths() -> None:
    with pytest.raises(ValidationError, match="1, 2, 3, 4 or 8"):
        ShuffleNet(groups=5)  # type: ignore[arg-type]


@pytest.mark.parametrize("model", [SMALL, *(checks.gated(SMALL, place) for place in PLACES)])
def test_small_images(model: Model) -> None:
    checks.check_learns_from_small_images(model)
