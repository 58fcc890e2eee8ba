"""ResNet, ResNeXt and SENet-154, against their definitions written out a second time."""

import time
from typing import Any

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from senet_lab import models
from senet_lab.models.resnet import Bottleneck
from senet_lab.spec import SE, Model, ResNet, ResNeXt, SENet

pytestmark = pytest.mark.usefixtures("one_thread")

CPU, META = torch.device("cpu"), torch.device("meta")
PLACES = ["standard", "pre", "post", "identity", "conv3x3"]


def se(**settings: Any) -> SE:
    return SE.model_validate(settings)


@pytest.mark.parametrize("model", [ResNet(depth=101), ResNet(depth=152), ResNeXt(depth=101), SENet()], ids=repr)
def test_the_layers_with_weights_are_as_many_as_the_depth_says(model: Any) -> None:
    """Projections and SE layers are not counted (He et al.; v4 Appendix: 154)."""
    network = models.build(model, channels=3, classes=10, seed=0, device=META)
    layers = [n for n, m in network.named_modules() if isinstance(m, nn.Conv2d | nn.Linear) and "projection" not in n]
    assert len(layers) == model.depth


@pytest.mark.parametrize("where", ["1x1", "3x3"])
@pytest.mark.parametrize("family", ["resnet", "resnext", "senet"])
def test_strides_are_where_the_spec_says(family: str, where: str) -> None:
    model = Model(family=family, stride_in=where)
    network = models.build(model, channels=3, classes=10, seed=0, device=META)
    conv = {"1x1": "conv1", "3x3": "conv2"}[where]
    expected = {"stem.conv1"} | {
        f"stages.{stage}.0.{part}" for stage in (3, 4, 5) for part in (conv, "projection.conv")
    }
    strided = {n for n, m in network.named_modules() if isinstance(m, nn.Conv2d) and m.stride != (1, 1)}
    assert strided == expected


@pytest.mark.parametrize(
    ("model", "size", "maps"),
    [
        (ResNet(), 224, (56, 28, 14, 7)),
        (ResNet(pool="padded", stride_in="3x3"), 224, (56, 28, 14, 7)),
        (ResNeXt(), 224, (56, 28, 14, 7)),
        (SENet(), 224, (56, 28, 14, 7)),
        (ResNet(), 33, (8, 4, 2, 1)),  # 17 after the stem's convolution
        (ResNet(pool="padded"), 33, (9, 5, 3, 2)),
        (SENet(pool="padded"), 33, (9, 5, 3, 2)),
        (ResNet(small_images=True), 32, (32, 16, 8, 4)),
        (ResNeXt(small_images=True), 8, (8, 4, 2, 1)),
        (SENet(small_images=True), 8, (8, 4, 2, 1)),
    ],
    ids=repr,
)
def test_sizes_of_maps(model: Model, size: int, maps: tuple[int, ...]) -> None:
    """v4 Table 1: 56, 28, 14, 7 pixels. The two poolings agree on even maps only."""
    network = models.build(model, channels=3, classes=10, seed=0, device=META)
    found: dict[int, int] = {}
    for name, module in network.named_modules():
        if isinstance(module, Bottleneck):
            stage = int(name.split(".")[1])
            module.register_forward_hook(lambda m, i, o, stage=stage: found.update({stage: o.shape[-1]}))
    with torch.no_grad():
        network(torch.empty(2, 3, size, size, device=META))
    assert tuple(found[stage] for stage in (2, 3, 4, 5)) == maps


def test_senet_154_has_the_layers_of_its_definition() -> None:
    """v4 Appendix and prototxt: halved first 1x1, 64 groups, three 3x3 in the stem, 3x3 projections, dropout 0.2."""
    network = models.build(SENet(se=SE(bias=True)), channels=3, classes=1000, seed=0, device=META)
    shapes = {n: tuple(p.shape) for n, p in network.named_parameters() if n.endswith("weight") and p.ndim > 1}
    assert [shapes[f"stem.conv{i}.weight"] for i in (1, 2, 3)] == [(64, 3, 3, 3), (64, 64, 3, 3), (128, 64, 3, 3)]
    assert [shapes[f"stages.{s}.1.conv1.weight"][0] for s in (2, 3, 4, 5)] == [128, 256, 512, 1024]
    assert [shapes[f"stages.{s}.1.conv2.weight"] for s in (2, 5)] == [(256, 2, 3, 3), (2048, 16, 3, 3)]
    assert [shapes[f"stages.{s}.0.projection.conv.weight"] for s in (2, 3, 4, 5)] == [
        (256, 128, 1, 1), (512, 256, 3, 3), (1024, 512, 3, 3), (2048, 1024, 3, 3),
    ]  # fmt: skip
    assert network.dropout == 0.2


def test_dropout_stands_before_the_classifier_while_training_only() -> None:
    model = SENet(width=1 / 64, small_images=True, dropout=0.5)
    network = models.build(model, channels=1, classes=3, seed=0, device=CPU)
    seen: list[Tensor] = []
    network.get_submodule("classifier").register_forward_hook(lambda m, inputs, _: seen.append(inputs[0]))
    x = torch.rand(4, 1, 8, 8, generator=torch.Generator().manual_seed(0)) + 1
    with torch.random.fork_rng():
        torch.manual_seed(0)
        network(x)
    network.eval()(x)
    dropped, kept = seen
    assert 0.2 < float((dropped == 0).float().mean()) - float((kept == 0).float().mean()) + 0.001 < 0.8


@pytest.mark.parametrize("family", ["resnet", "resnext", "senet"])
def test_narrow_networks_for_small_images_train(family: str) -> None:
    model = Model(family=family, width=0.125, small_images=True, se=se(reduction=4))
    network = models.build(model, channels=1, classes=10, seed=0, device=CPU)
    network(torch.randn(2, 1, 8, 8, generator=torch.Generator().manual_seed(0))).square().sum().backward()
    assert all(p.grad is not None and p.grad.isfinite().all() for p in network.parameters())


def test_the_largest_is_built_without_memory_in_well_under_a_second() -> None:
    start = time.process_time()
    network = models.build(SENet(se=SE(bias=True)), channels=3, classes=1000, seed=0, device=META)
    assert time.process_time() - start < 1 and all(p.is_meta for p in network.parameters())


def shaken(model: Model) -> nn.Module:
    """Weights and statistics away from 0 and 1, so that nothing in a comparison can hide; float64."""
    generator = torch.Generator().manual_seed(5)
    network = models.build(model, channels=3, classes=10, seed=0, device=META).to_empty(device=CPU).double().eval()
    for tensor in [*network.parameters(), *network.buffers()]:
        if tensor.is_floating_point():
            tensor.data = torch.rand(tensor.shape, generator=generator, dtype=torch.double) + 0.1
            if tensor.ndim > 1:
                tensor.data = (tensor.data - 0.6) * (8 / tensor[0].numel()) ** 0.5
    return network


def reference(state: dict[str, Tensor], model: Any, x: Tensor) -> Tensor:
    """He et al. Fig. 5, Xie et al. Fig. 3c, v4 Appendix, and SE as in v4 Fig. 5, from a state dict alone."""

    def norm(t: Tensor, name: str) -> Tensor:
        mean, var, weight, bias = (state[f"{name}.{k}"] for k in ("running_mean", "running_var", "weight", "bias"))
        scale = weight / (var + 1e-5).sqrt()
        return (t - mean[:, None, None]) * scale[:, None, None] + bias[:, None, None]

    def conv(t: Tensor, name: str, stride: int = 1) -> Tensor:
        weight = state[f"{name}.weight"]
        groups = t.shape[1] // weight.shape[1]
        return F.conv2d(t, weight, stride=stride, padding=weight.shape[2] // 2, groups=groups)

    def gated(t: Tensor, name: str) -> Tensor:
        hidden = (t.mean((2, 3)) @ state[f"{name}.reduce.weight"].T + state[f"{name}.reduce.bias"]).clamp(min=0)
        logits = hidden @ state[f"{name}.expand.weight"].T + state[f"{name}.expand.bias"]
        return t * (1 / (1 + (-logits).exp()))[:, :, None, None]

    def residual(t: Tensor, name: str, stride: int, inside: bool) -> Tensor:
        outer, inner = (stride, 1) if model.stride_in == "1x1" else (1, stride)
        t = norm(conv(t, f"{name}.conv1", outer), f"{name}.bn1").clamp(min=0)
        t = norm(conv(t, f"{name}.conv2", inner), f"{name}.bn2").clamp(min=0)
        t = gated(t, f"{name}.se") if inside else t
        return norm(conv(t, f"{name}.conv3"), f"{name}.bn3")

    def pooled(t: Tensor) -> Tensor:
        """3 x 3 maxima: windows begin at 0, 2, ... and may end outside; or at -1, 1, ..."""
        low, outside = (1 if model.pool == "padded" else 0), float("-inf")
        size = (t.shape[2] + 1) // 2 if low else -(-(t.shape[2] - 3) // 2) + 1
        t = F.pad(t, (low, 3, low, 3), value=outside)
        rows = [t[:, :, 2 * i : 2 * i + 3].amax(2) for i in range(size)]
        return torch.stack(
            [torch.stack([row[:, :, 2 * j : 2 * j + 3].amax(2) for j in range(size)], 2) for row in rows], 2
        )

    for i in range(1, len([name for name in state if name.startswith("stem.conv")]) + 1):
        x = norm(conv(x, f"stem.conv{i}", 1 if model.small_images or i > 1 else 2), f"stem.bn{i}").clamp(min=0)
    x = x if model.small_images else pooled(x)
    for stage, blocks in zip((2, 3, 4, 5), {50: (3, 4, 6, 3), 154: (3, 8, 36, 3)}[model.depth], strict=True):
        place = model.se.placement if model.se and model.se.in_stage(stage) else None
        for i in range(blocks):
            name, stride = f"stages.{stage}.{i}", 2 if i == 0 and stage > 2 else 1
            straight = norm(conv(x, f"{name}.projection.conv", stride), f"{name}.projection.bn") if i == 0 else x
            if place == "standard":  # Fig. 5b: residual, SE, addition, ReLU
                x = (gated(residual(x, name, stride, False), f"{name}.se") + straight).clamp(min=0)
            elif place == "pre":  # Fig. 5c: SE, residual, addition, ReLU
                x = (residual(gated(x, f"{name}.se"), name, stride, False) + straight).clamp(min=0)
            elif place == "post":  # Fig. 5d: residual, addition, ReLU, SE
                x = gated((residual(x, name, stride, False) + straight).clamp(min=0), f"{name}.se")
            elif place == "identity":  # Fig. 5e: SE on the shortcut
                x = (residual(x, name, stride, False) + gated(straight, f"{name}.se")).clamp(min=0)
            else:  # section 6.5: inside the unit, after the 3x3 convolution; or no SE at all
                x = (residual(x, name, stride, place == "conv3x3") + straight).clamp(min=0)
    return x.mean((2, 3)) @ state["classifier.weight"].T + state["classifier.bias"]


NARROW: dict[str, Any] = {"width": 0.0625, "small_images": True}
PLACED = [ResNet(se=se(reduction=4, bias=True, placement=place), **NARROW) for place in PLACES]
FUNCTIONS = [
    *PLACED,
    ResNet(**NARROW),
    ResNet(width=0.0625, stride_in="3x3"),
    ResNet(width=0.0625, pool="padded", se=se(reduction=4, bias=True, stages=(3, 5))),
    ResNeXt(width=0.0625, se=se(reduction=4, bias=True, placement="conv3x3")),
    ResNeXt(width=0.0625, stride_in="1x1", small_images=True),
    SENet(width=0.0625, se=se(reduction=4, bias=True)),
    SENet(width=0.0625, small_images=True),
]


@pytest.mark.parametrize("size", [8, 13])
@pytest.mark.parametrize("model", FUNCTIONS, ids=repr)
def test_the_network_is_its_definition(model: Model, size: int) -> None:
    network = shaken(model)
    size = size if getattr(model, "small_images", True) else 4 * size + 1
    x = torch.randn(2, 3, size, size, dtype=torch.double, generator=torch.Generator().manual_seed(1))
    expected = reference(dict(network.state_dict()), model, x)
    assert expected.isfinite().all() and expected.std() > 1e-3
    with torch.no_grad():
        torch.testing.assert_close(network(x), expected, rtol=1e-9, atol=1e-9)


def test_every_place_computes_something_else() -> None:
    x = torch.randn(2, 3, 8, 8, dtype=torch.double, generator=torch.Generator().manual_seed(1))
    networks = [shaken(m) for m in PLACED]
    assert len({str(network(x).detach().numpy().round(6)) for network in networks}) == len(PLACES)
