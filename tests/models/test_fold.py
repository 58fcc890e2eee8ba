"""A folded network against its members one by one, in float64: logits, gradients, statistics."""

import pytest
import torch
from torch import Tensor, nn

from senet_lab import models
from senet_lab.blocks.placed import padded_shortcut
from senet_lab.models.fold import corner, corners, folded
from senet_lab.spec import (
    SE,
    VGG,
    CifarResNet,
    MobileNet,
    Model,
    PreActResNet,
    Reductions,
    ResNet,
    ResNeXt,
    Unit,
    WideResNet,
    families,
)
from tests.models.checks import CPU

BLOCKS = [
    None,
    SE(reduction=2),
    SE(reduction=4, gate="tanh", squeeze="max"),
    SE(reduction=1, gate="relu"),
    SE(reduction=2, stages=(2,)),
    SE(reduction=4, reduction_in=Reductions(stage2=1, stage4=2)),
]
FAMILIES: list[Model] = [
    CifarResNet(depth=8, widths=(4, 8, 6)),
    PreActResNet(depth=8, widths=(3, 6, 4), shortcut="padding"),
    PreActResNet(depth=11, widths=(2, 3, 4), block="bottleneck"),
    WideResNet(depth=10, widen=1, width=0.25),
    ResNet(depth=50, width=0.05, small_images=True, identity_start=True),
    ResNeXt(depth=50, width=0.06, small_images=True),
    VGG(width=0.07, small_images=True, dropout=0.0),
    MobileNet(width=0.1, small_images=True),
]


def gated(model: Model, se: SE | None, place: str = "standard") -> Model:
    return type(model).model_validate(model.model_dump() | {"se": se and se.model_dump() | {"placement": place}})


def moved(specs: list[Model], channels: int = 2) -> list[nn.Module]:
    """Networks in float64 whose weights and statistics are nobody else's."""
    found = []
    for k, spec in enumerate(specs):
        network = models.build(spec, channels=channels, classes=5, seed=k, device=CPU).double()
        generator = torch.Generator().manual_seed(k)
        for tensor in [*network.parameters(), *network.buffers()]:
            if tensor.is_floating_point():
                tensor.data += 0.1 * torch.rand(tensor.shape, generator=generator, dtype=torch.double)
        found.append(network)
    return found


def together(specs: list[Model], networks: list[nn.Module]) -> nn.Module:
    whole = folded(specs, networks)
    with torch.no_grad():
        for tensor in [*whole.parameters(), *whole.buffers()]:
            tensor.zero_()
        for k, network in enumerate(networks):
            for own, place in corners(whole, network, k, len(networks)):
                place.copy_(own)
    return whole


def images(replicas: int, size: int, channels: int = 2) -> Tensor:
    generator = torch.Generator().manual_seed(9)
    x_BCHW = torch.randn(4, replicas * channels, size, size, generator=generator, dtype=torch.double)
    return x_BCHW.contiguous(memory_format=torch.channels_last)


def check(specs: list[Model], size: int = 8, training: bool = True, tolerance: float = 1e-11) -> nn.Module:
    networks = moved(specs)
    whole, replicas = together(specs, networks), len(networks)
    x_BCHW = images(replicas, size)
    weights_BL = torch.randn(4, 5, generator=torch.Generator().manual_seed(8), dtype=torch.double)
    logits_BKL = whole.train(training)(x_BCHW).unflatten(1, (replicas, -1))
    logits_BKL.retain_grad()
    (logits_BKL * weights_BL[:, None]).sum().backward()
    named = dict(whole.named_parameters())
    for k, (network, x) in enumerate(zip(networks, x_BCHW.chunk(replicas, 1), strict=True)):
        expected_BL = network.train(training)(x.contiguous(memory_format=torch.channels_last))
        (expected_BL * weights_BL).sum().backward()
        torch.testing.assert_close(logits_BKL[:, k], expected_BL, rtol=tolerance, atol=tolerance)
        for name, p in network.named_parameters():
            assert named[name].grad is not None and p.grad is not None
            found = corner(named[name].grad, p, k, replicas)
            scale = float(p.grad.abs().max()) + 1e-3
            torch.testing.assert_close(found, p.grad, rtol=0, atol=1e3 * tolerance * scale, msg=f"{k} {name}")
        for own, place in corners(whole, network, k, replicas):
            torch.testing.assert_close(place, own, rtol=tolerance, atol=tolerance)
    return whole


@pytest.mark.parametrize("place", ["standard", "pre", "post", "identity", "conv3x3"])
def test_members_with_any_block_at_any_place(place: str) -> None:
    check([gated(FAMILIES[0], se, place) for se in BLOCKS])


@pytest.mark.parametrize("model", FAMILIES, ids=lambda m: f"{m.family}{m.depth if hasattr(m, 'depth') else ''}")
@pytest.mark.parametrize("training", [True, False])
def test_every_family_that_folds(model: Model, training: bool) -> None:
    """Batch norm of four images over fifty layers is ill-conditioned: there a looser bound.

    Without it, gates that are not bounded let maps grow out of all bounds.
    """
    deep = training and len(model.units) > 10
    blocks = BLOCKS[:4] if training else BLOCKS[:3]
    check([gated(model, se) for se in blocks], training=training, tolerance=1e-7 if deep else 1e-11)


def test_a_family_folds_where_this_file_tried_it() -> None:
    assert {f.module for f in families() if f.folds} == {m.module for m in FAMILIES}


def test_maps_that_are_flattened_for_the_classifier() -> None:
    check([gated(VGG(width=0.03, dropout=0.0), se) for se in BLOCKS[:3]], size=32, training=False)


@pytest.mark.parametrize(
    "blocks", [[None, None], [SE(reduction=2, bias=True), SE(reduction=4, bias=True)], [None]], ids=len
)
def test_members_without_blocks_and_blocks_with_biases(blocks: list[SE | None]) -> None:
    check([gated(FAMILIES[0], se) for se in blocks])


def test_members_whose_stages_have_other_reductions_and_other_stages() -> None:
    """The folded network is as the first of them, with the stages of all."""
    blocks = [
        SE(reduction=8, stages=(2, 3), reduction_in=Reductions(stage3=1)),
        SE(reduction=2, stages=(2,)),
        SE(stages=(4,), reduction_in=Reductions(stage4=3)),
    ]
    whole = check([gated(FAMILIES[0], se) for se in blocks])
    assert [whole.stages[n][0].se.reduce.weight.shape[0] // 3 for n in "234"] == [2, 8, 2], "the widest of each"


def test_only_operators_that_occur_are_computed() -> None:
    whole = together(specs := [gated(FAMILIES[0], SE(reduction=r)) for r in (2, 4)], moved(specs))
    block = whole.stages["2"][0].se
    assert [len(chosen.operators) for chosen in (block.squeeze, block.gate)] == [1, 1] and block.without_K1 is None


def test_the_rows_of_a_smaller_bottleneck_have_no_gradient() -> None:
    specs = [gated(FAMILIES[0], SE(reduction=r, bias=True)) for r in (1, 4)]
    whole = check(specs)
    block = whole.stages["3"][0].se
    for layer, padded in ((block.reduce, (slice(2, None),)), (block.expand, (slice(None), slice(2, None)))):
        gradient = layer.weight.grad.unflatten(0, (2, -1))
        assert gradient[1][padded].numel() and (gradient[1][padded] == 0).all() and (gradient[0][padded] != 0).any()
    assert (block.reduce.bias.grad.view(2, -1)[1, 2:] == 0).all()


@pytest.mark.parametrize(("inputs", "outputs", "stride"), [(3, 5, 2), (3, 5, 1), (5, 3, 2), (4, 4, 2)])
def test_a_padded_shortcut_pads_each_replica(inputs: int, outputs: int, stride: int) -> None:
    unit = Unit(2, inputs, outputs, stride)
    x_BCHW = images(3, 4, inputs)
    expected = torch.cat([padded_shortcut(x, unit) for x in x_BCHW.chunk(3, 1)], 1)
    assert torch.equal(padded_shortcut(x_BCHW, unit), expected)
