"""BN-Inception: the official counts, and the network written out a second time."""

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from senet_lab.models.bn_inception import HalvingMaxPool, Module
from senet_lab.models.cost import count
from senet_lab.spec import SE, BNInception, Model
from tests.models import checks
from tests.models.checks import State, conv_norm, se

HIDDEN = {3: (16, 20, 36), 4: (36, 36, 38, 38, 66), 5: (64, 64)}
"""Of the official prototxt's `1x1_down` layers."""
SMALL = BNInception(width=0.125, small_images=True)


def reference(state: State, x: Tensor, gated: bool) -> Tensor:
    """models/SE-BN-Inception.prototxt of github.com/hujie-frank/SENet; even sizes, where Caffe's pooling halves."""

    def rectified(name: str, x: Tensor, stride: int = 1) -> Tensor:
        return conv_norm(state, name, x, stride).clamp(min=0)

    def max_pool(x: Tensor) -> Tensor:
        lowest = torch.full((*x.shape[:2], x.shape[2] + 1, x.shape[3] + 1), -torch.inf, dtype=x.dtype)
        lowest[:, :, :-1, :-1] = x  # the window that hangs over the edge takes what there is
        return lowest.unfold(2, 3, 2).unfold(3, 3, 2).amax((4, 5))

    x = max_pool(rectified("stem.0.0", x, stride=2))
    x = max_pool(rectified("stem.2.2", rectified("stem.2.0", x)))
    for stage, modules in HIDDEN.items():
        for i in range(len(modules)):
            name, letter = f"stages.{stage}.{i}", f"{stage}{'abcde'[i]}"
            outputs, first, stride = [], 0, 2 if letter in ("3c", "4e") else 1
            if stride == 1:
                outputs, first = [rectified(f"{name}.branches.0.0", x)], 1
            three = rectified(f"{name}.branches.{first}.0", x)
            outputs.append(rectified(f"{name}.branches.{first}.2", three, stride))
            double = rectified(f"{name}.branches.{first + 1}.2", rectified(f"{name}.branches.{first + 1}.0", x))
            outputs.append(rectified(f"{name}.branches.{first + 1}.4", double, stride))
            if stride == 2:
                outputs.append(max_pool(x))
            else:
                around = F.pad(x, (1, 1, 1, 1), value=-torch.inf if letter == "5b" else 0.0)
                windows = around.unfold(2, 3, 1).unfold(3, 3, 1)
                pooled = windows.amax((4, 5)) if letter == "5b" else windows.sum((4, 5)) / 9
                outputs.append(rectified(f"{name}.branches.{first + 2}.1.0", pooled))
            x = torch.cat(outputs, 1)
            x = se(state, f"{name}.se", x) if gated else x
    return checks.head(state, x)


@pytest.mark.parametrize("block", [None, SE(reduction=2)])
def test_the_network_is_its_definition(block: SE | None) -> None:
    network = checks.shaken(BNInception(width=0.05, se=block))
    x = checks.images(64)
    checks.check_equal(network, x, reference(dict(network.state_dict()), x, block is not None))


def test_counts_are_those_of_the_official_prototxt() -> None:
    """2.03 and 2.04 GFLOPs are v4 Table 2's; the second is 0.005 less here, as for all deep nets."""
    plain = count(BNInception(), channels=3, size=224, classes=1000)
    assert plain.params == 11_285_224
    assert round(plain.macs / 1e9, 4) == 2.0326
    gated = count(BNInception(se=SE()), channels=3, size=224, classes=1000)
    assert gated.params - plain.params == 639_360
    assert gated.macs / 1e9 == pytest.approx(2.04, abs=0.01)
    released = count(BNInception(se=SE(bias=True)), channels=3, size=224, classes=1000)
    assert released.params == 11_931_622


def test_there_are_69_convolutions_without_bias() -> None:
    convolutions = [m for m in checks.built(BNInception()).modules() if isinstance(m, nn.Conv2d)]
    assert len(convolutions) == 69 and all(c.bias is None for c in convolutions)


def test_modules_have_the_sizes_of_the_paper() -> None:
    """Output channels and sides at 224: arXiv 1502.03167, Table 5, and the official prototxt."""
    network, found = checks.built(BNInception()), []
    for module in network.modules():
        if isinstance(module, Module):
            module.register_forward_hook(lambda m, i, o: found.append(tuple(o.shape[1:3])))
    network(torch.empty(1, 3, 224, 224, device="meta"))
    assert found == [(256, 28), (320, 28), (576, 14), (576, 14), (576, 14), (608, 14), (608, 14), (1056, 7),
                     (1024, 7), (1024, 7)]  # fmt: skip


@pytest.mark.parametrize("side", range(1, 9))
def test_pooling_halves_and_rounds_up_as_the_convolutions_beside_it(side: int) -> None:
    assert HalvingMaxPool()(torch.zeros(1, 1, side, side + 1)).shape[2:] == ((side + 1) // 2, (side + 2) // 2)


def test_blocks_are_those_of_the_spec_and_of_the_prototxt() -> None:
    assert BNInception(se=SE()).hidden_widths == HIDDEN
    checks.check_hidden_widths(BNInception())
    checks.check_hidden_widths(SMALL)


@pytest.mark.parametrize("place", ["pre", "post", "identity", "conv3x3"])
def test_whole_modules_have_one_place(place: str) -> None:
    checks.check_refusal(BNInception(), place, "no meaning in BN-Inception: its modules have no shortcut")  # type: ignore[arg-type]


@pytest.mark.parametrize("model", [SMALL, checks.gated(SMALL)])
def test_small_images(model: Model) -> None:
    checks.check_learns_from_small_images(model)
