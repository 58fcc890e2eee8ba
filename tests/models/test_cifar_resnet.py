"""CIFAR ResNets and the places of the block, against definitions written out a second time."""

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from senet_lab import models
from senet_lab.blocks.se import SEBlock
from senet_lab.models.cifar_resnet import BasicBlock, CifarResNet
from senet_lab.spec import SE, Model

CPU, META = torch.device("cpu"), torch.device("meta")
PLACES = ["standard", "pre", "post", "identity", "conv3x3"]


def build(model: Model, seed: int = 0, channels: int = 3) -> nn.Module:
    return models.build(model, channels=channels, classes=10, seed=seed, device=CPU)


def shaken(network: nn.Module) -> nn.Module:
    """Weights and statistics away from 0 and 1, so that nothing in a comparison can hide; float64."""
    generator = torch.Generator().manual_seed(5)
    network = network.double()
    for tensor in [*network.parameters(), *network.buffers()]:
        if tensor.is_floating_point():
            tensor.data = torch.rand(tensor.shape, generator=generator, dtype=torch.double) + 0.1
            if tensor.ndim > 1:
                tensor.data -= 0.6
    return network


def reference(state: dict[str, Tensor], model: Model, x: Tensor) -> Tensor:
    """He et al. section 4.2 with option A shortcuts, and SE as in v4 Fig. 5, from a state dict alone."""

    def norm(t: Tensor, name: str) -> Tensor:
        mean, var, weight, bias = (state[f"{name}.{k}"] for k in ("running_mean", "running_var", "weight", "bias"))
        scale = weight / (var + 1e-5).sqrt()
        return (t - mean[:, None, None]) * scale[:, None, None] + bias[:, None, None]

    def se(t: Tensor, name: str) -> Tensor:
        hidden = torch.clamp(t.mean((2, 3)) @ state[f"{name}.reduce.weight"].T, min=0)
        return t * torch.sigmoid(hidden @ state[f"{name}.expand.weight"].T)[:, :, None, None]

    def residual(t: Tensor, name: str, stride: int, gated: bool) -> Tensor:
        t = F.conv2d(t, state[f"{name}.conv1.weight"], stride=stride, padding=1)
        t = norm(t, f"{name}.bn1").clamp(min=0)
        t = se(t, f"{name}.se") if gated else t
        return norm(F.conv2d(t, state[f"{name}.conv2.weight"], padding=1), f"{name}.bn2")

    def shortcut(t: Tensor, outputs: int, stride: int) -> Tensor:
        out = torch.zeros(len(t), outputs, -(-t.shape[2] // stride), -(-t.shape[3] // stride), dtype=t.dtype)
        kept = min(outputs, t.shape[1])
        out[:, :kept] = t[:, :kept, ::stride, ::stride]
        return out

    x = norm(F.conv2d(x, state["stem.weight"], padding=1), "stem_bn").clamp(min=0)
    for stage, outputs in enumerate(model.widths, 2):
        place = model.se.placement if model.se and model.se.in_stage(stage) else None
        for i in range((model.depth - 2) // len(model.widths) // 2):
            name, stride = f"stages.{stage}.{i}", 2 if i == 0 and stage > 2 else 1
            straight = shortcut(x, outputs, stride)
            if place == "standard":  # Fig. 5b: residual, SE, addition, ReLU
                x = (se(residual(x, name, stride, False), f"{name}.se") + straight).clamp(min=0)
            elif place == "pre":  # Fig. 5c: SE, residual, addition, ReLU
                x = (residual(se(x, f"{name}.se"), name, stride, False) + straight).clamp(min=0)
            elif place == "post":  # Fig. 5d: residual, addition, ReLU, SE
                x = se((residual(x, name, stride, False) + straight).clamp(min=0), f"{name}.se")
            elif place == "identity":  # Fig. 5e: SE on the shortcut
                x = (residual(x, name, stride, False) + se(straight, f"{name}.se")).clamp(min=0)
            else:  # section 6.5: inside the unit, after the 3x3 convolution; or no SE at all
                x = (residual(x, name, stride, place == "conv3x3") + straight).clamp(min=0)
    return x.mean((2, 3)) @ state["classifier.weight"].T + state["classifier.bias"]


NETWORKS = [
    pytest.param(Model(depth=6, widths=(4, 8), se=SE(reduction=2, placement=place)), id=place)  # type: ignore[arg-type]
    for place in PLACES
] + [
    pytest.param(Model(depth=6, widths=(4, 8)), id="no SE"),
    pytest.param(Model(depth=14, widths=(4, 8, 6), se=SE(reduction=4, stages=(3,))), id="one stage, narrowing"),
    pytest.param(Model(depth=10, widths=(4, 6), se=SE(reduction=2, placement="pre", stages=(3,))), id="pre in stage 3"),
]


@pytest.mark.parametrize("size", [8, 9])
@pytest.mark.parametrize("model", NETWORKS)
def test_the_network_is_its_definition(model: Model, size: int) -> None:
    network = shaken(build(model)).eval()
    x = torch.randn(2, 3, size, size, dtype=torch.double, generator=torch.Generator().manual_seed(1))
    expected = reference(dict(network.state_dict()), model, x)
    assert expected.std() > 1e-3
    torch.testing.assert_close(network(x).detach(), expected, rtol=1e-10, atol=1e-10)


def test_every_place_computes_something_else() -> None:
    x = torch.randn(2, 3, 8, 8, dtype=torch.double, generator=torch.Generator().manual_seed(1))
    outputs = {str(shaken(build(m.values[0])).eval()(x).detach().numpy().round(6)) for m in NETWORKS[:6]}  # type: ignore[attr-defined]
    assert len(outputs) == 6


@pytest.mark.parametrize(
    ("depth", "millions"), [(20, 0.27), (32, 0.46), (44, 0.66), (56, 0.85), (110, 1.7), (1202, 19.4)]
)
def test_parameters_are_those_of_the_original_paper(depth: int, millions: float) -> None:
    """He et al., arXiv 1512.03385, Table 6."""
    network = models.build(Model(depth=depth, widths=(16, 32, 64)), channels=3, classes=10, seed=0, device=META)
    digits = 1 if millions in (1.7, 19.4) else 2
    assert round(sum(p.numel() for p in network.parameters()) / 1e6, digits) == millions


def test_the_layers_with_weights_are_as_many_as_the_depth_says() -> None:
    network = models.build(Model(depth=20, widths=(16, 32, 64)), channels=3, classes=10, seed=0, device=META)
    assert sum(isinstance(m, nn.Conv2d | nn.Linear) for m in network.modules()) == 20


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("reduction", [2, 4, 8])
def test_se_adds_the_parameters_of_equation_5(place: str, reduction: int) -> None:
    """v4 Eqn. 5: the sum over stages of 2/r N_s C_s^2; "pre" sees a stage's first block at the stage before's width."""
    widths, blocks = (16, 32, 64), 3
    model = Model(depth=20, widths=widths, se=SE(reduction=reduction, placement=place))  # type: ignore[arg-type]
    made = models.build(model, channels=3, classes=10, seed=0, device=META)
    plain = models.build(model.model_copy(update={"se": None}), channels=3, classes=10, seed=0, device=META)
    seen = [c for c in widths for _ in range(blocks)]
    if place == "pre":
        seen = [widths[0], *seen[:-1]]
    added = sum(p.numel() for p in made.parameters()) - sum(p.numel() for p in plain.parameters())
    assert added == sum(2 * c**2 / reduction for c in seen)


def test_se_stands_in_the_stages_that_are_named_and_no_others() -> None:
    made = build(Model(depth=14, widths=(4, 8, 16), se=SE(reduction=2, stages=(3, 4))))
    carriers = {name for name, module in made.named_modules() if isinstance(module, SEBlock)}
    assert carriers == {f"stages.{s}.{i}.se" for s in (3, 4) for i in (0, 1)}


def test_every_stage_after_the_first_halves_the_map() -> None:
    made = build(Model(depth=8, widths=(4, 8, 16)))
    sizes: list[tuple[int, ...]] = []
    for module in made.modules():
        if isinstance(module, BasicBlock):
            module.register_forward_hook(lambda m, i, o: sizes.append(tuple(o.shape)))
    made(torch.zeros(2, 3, 32, 32))
    assert sizes == [(2, 4, 32, 32), (2, 8, 16, 16), (2, 16, 8, 8)]


def test_one_pixel_is_enough() -> None:
    made = build(Model(depth=8, widths=(4, 8, 16), se=SE(reduction=2))).eval()
    assert made(torch.randn(2, 3, 1, 1)).shape == (2, 10)


def test_build_gives_a_network_of_the_family_ready_to_train() -> None:
    made = build(Model(depth=4, widths=(4,)))
    assert isinstance(made, CifarResNet) and made.training
    assert all(p.requires_grad and not p.is_meta for p in made.parameters())
    assert all(p.is_contiguous(memory_format=torch.channels_last) for p in made.parameters() if p.ndim == 4)
