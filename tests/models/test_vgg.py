"""VGG-16: published counts, and the network written out a second time."""

import pytest
import torch.nn.functional as F
from torch import Tensor, nn

from senet_lab.models.cost import count
from senet_lab.spec import SE, VGG, Model
from tests.models import checks
from tests.models.checks import State, norm, se

WIDTHS = {1: (64, 64), 2: (128, 128), 3: (256,) * 3, 4: (512,) * 3, 5: (512,) * 3}


def reference(state: State, x: Tensor, gated: bool, pooled: str) -> Tensor:
    """arXiv 1409.1556, Table 1 column D, with batch norm and SE after each convolution's ReLU."""
    for stage, widths in WIDTHS.items():
        for i in range(len(widths)):
            name = f"stages.{stage}.{i}"
            x = F.conv2d(x, state[f"{name}.conv.weight"], state[f"{name}.conv.bias"], padding=1)
            x = norm(state, f"{name}.bn", x).clamp(min=0)
            x = se(state, f"{name}.se", x) if gated else x
        if str(stage) in pooled:
            x = x.unfold(2, 2, 2).unfold(3, 2, 2).amax((4, 5))
    x = x.flatten(1) if x.shape[2] == 7 else x.mean((2, 3))
    for layer in (0, 3, 6):
        x = x @ state[f"classifier.{layer}.weight"].T + state[f"classifier.{layer}.bias"]
        x = x.clamp(min=0) if layer < 6 else x
    return x


@pytest.mark.parametrize("block", [None, SE(reduction=2)])
def test_the_network_is_its_definition(block: SE | None) -> None:
    network = checks.shaken(VGG(width=0.03, se=block))
    x = checks.images(224)
    checks.check_equal(network, x, reference(dict(network.state_dict()), x, block is not None, "12345"))


def test_for_small_images_the_first_two_poolings_are_left_out() -> None:
    network = checks.shaken(VGG(width=0.05, small_images=True, se=SE(reduction=2)), channels=1)
    x = checks.images(16, channels=1)
    checks.check_equal(network, x, reference(dict(network.state_dict()), x, True, "345"))


def test_counts_are_those_published() -> None:
    """138.37 M is timm's vgg16_bn, of which 8,448 are batch norm's; 15.47 and 15.48 GFLOPs: v4 Table 2."""
    plain = count(VGG(), channels=3, size=224, classes=1000)
    assert plain.params == 138_357_544 + 2 * 4224 == 138_365_992
    assert round(plain.macs / 1e9, 2) == 15.47
    gated = count(VGG(se=SE()), channels=3, size=224, classes=1000)
    assert gated.params - plain.params == 226_304
    assert round(gated.macs / 1e9, 2) == 15.48


def test_sixteen_layers_have_weights() -> None:
    assert sum(isinstance(m, nn.Conv2d | nn.Linear) for m in checks.built(VGG()).modules()) == VGG().depth


def test_blocks_are_those_of_the_spec() -> None:
    checks.check_hidden_widths(VGG())
    checks.check_hidden_widths(VGG(width=0.05))


@pytest.mark.parametrize("place", ["pre", "post", "identity", "conv3x3"])
def test_without_a_shortcut_there_is_one_place(place: str) -> None:
    checks.check_refusal(VGG(), place, "'" + place + "' has no meaning in VGG-16: it has no shortcut")  # type: ignore[arg-type]


@pytest.mark.parametrize("model", [VGG(width=0.125, small_images=True), VGG(width=0.125, small_images=True, se=SE())])
def test_small_images(model: Model) -> None:
    checks.check_learns_from_small_images(model)


def test_a_map_of_one_position_survives_poolings() -> None:
    assert checks.built(VGG(width=0.05))(checks.images(1).float().to("meta")).shape == (2, 10)
