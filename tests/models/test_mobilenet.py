"""MobileNet: published counts, and the network written out a second time."""

import pytest
from torch import Tensor

from senet_lab.models.cost import count
from senet_lab.spec import SE, MobileNet, Model, Placement
from tests.models import checks
from tests.models.checks import State, conv_norm, se

BLOCKS = [
    (1, 0, 1), (2, 0, 2), (2, 1, 1), (3, 0, 2), (3, 1, 1), (4, 0, 2), (4, 1, 1), (4, 2, 1), (4, 3, 1), (4, 4, 1),
    (4, 5, 1), (5, 0, 2), (5, 1, 1),
]  # fmt: skip
"""Stage, place in it, stride of each block: arXiv 1704.04861, Table 1."""
SMALL = MobileNet(width=0.125, small_images=True)


def reference(state: State, x: Tensor, place: Placement | None, small: bool) -> Tensor:
    x = conv_norm(state, "stem", x, stride=1 if small else 2).clamp(min=0)
    for stage, i, stride in BLOCKS:
        name = f"stages.{stage}.{i}"
        stride = 1 if small and stage == 2 else stride
        x = conv_norm(state, f"{name}.depthwise", x, stride, groups=x.shape[1]).clamp(min=0)
        x = se(state, f"{name}.se", x) if place == "conv3x3" else x
        x = conv_norm(state, f"{name}.pointwise", x).clamp(min=0)
        x = se(state, f"{name}.se", x) if place == "standard" else x
    return checks.head(state, x)


@pytest.mark.parametrize("small", [False, True])
@pytest.mark.parametrize("place", [None, "standard", "conv3x3"])
def test_the_network_is_its_definition(place: Placement | None, small: bool) -> None:
    model = MobileNet(width=0.1, small_images=small, se=SE(reduction=2, placement=place) if place else None)
    network, x = checks.shaken(model), checks.images(32)
    checks.check_equal(network, x, reference(dict(network.state_dict()), x, place, small))


def test_counts_are_those_published() -> None:
    """v4 Table 3: 4.2 M and 569 M multiply-adds, with SE 4.7 M and 572 M."""
    plain = count(MobileNet(), channels=3, size=224, classes=1000)
    assert plain.params == 4_231_976
    assert round(plain.macs / 1e6) == 569
    gated = count(MobileNet(se=SE()), channels=3, size=224, classes=1000)
    assert round(gated.params / 1e6, 1) == 4.7 and gated.params - plain.params == 479_744
    assert round(gated.macs / 1e6) == 572


def test_after_the_depthwise_convolution_the_count_would_not_be_the_published_one() -> None:
    inside = count(MobileNet(se=SE(placement="conv3x3")), channels=3, size=224, classes=1000)
    assert round(inside.params / 1e6, 2) == 4.58


def test_blocks_are_those_of_the_spec() -> None:
    checks.check_hidden_widths(MobileNet())
    checks.check_hidden_widths(SMALL)


@pytest.mark.parametrize("place", ["pre", "post", "identity"])
def test_without_a_shortcut_there_is_no_other_place(place: Placement) -> None:
    checks.check_refusal(MobileNet(), place, "no meaning in MobileNet: its blocks have no shortcut")


@pytest.mark.parametrize("model", [SMALL, checks.gated(SMALL), checks.gated(SMALL, "conv3x3")])
def test_small_images(model: Model) -> None:
    checks.check_learns_from_small_images(model)
