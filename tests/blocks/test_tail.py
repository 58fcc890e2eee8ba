"""The end of a residual unit against its formula in plain operations: every bit, of results and of gradients."""

from typing import Any

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from senet_lab import models
from senet_lab.blocks import squeeze, tail
from senet_lab.blocks.se import SEBlock
from senet_lab.spec import (
    SE,
    VGG,
    BNInception,
    CifarResNet,
    InceptionResNetV2,
    MobileNet,
    Model,
    Placement,
    PreActResNet,
    ResNet,
    ShakeShake,
    ShuffleNet,
    WideResNet,
)  # fmt: skip

pytestmark = pytest.mark.usefixtures("one_thread")

Tensors = tuple[Tensor, ...]
FORMATS = {"NCHW": torch.contiguous_format, "NHWC": torch.channels_last}
SIZES = {
    "small": (3, 5, 4, 3),
    "a position": (4, 6, 1, 1),
    "in pieces": (19, 16, 32, 16),
    "large images": (3, 64, 96, 96),
}


@pytest.fixture(autouse=True)
def no_map_is_small(monkeypatch: pytest.MonkeyPatch) -> None:
    """What large maps get, on maps that take no time."""
    monkeypatch.setattr(tail, "SMALL_BYTES", 0)


def plain_joined(branch_NCHW: Tensor, shortcut_NCHW: Tensor, relu: bool = True) -> Tensor:
    sum_NCHW = branch_NCHW + shortcut_NCHW
    return sum_NCHW.relu() if relu else sum_NCHW


def plain_gated(x_NCHW: Tensor, gate_NC: Tensor) -> Tensor:
    return x_NCHW * gate_NC[:, :, None, None]


def plain_gated_and_joined(branch_NCHW: Tensor, gate_NC: Tensor, shortcut_NCHW: Tensor, relu: bool = True) -> Tensor:
    return plain_joined(plain_gated(branch_NCHW, gate_NC), shortcut_NCHW, relu)


def plain_mean(_: object, x_NCHW: Tensor) -> Tensor:
    return x_NCHW.mean(dim=(2, 3))


def made_plain(patch: pytest.MonkeyPatch) -> None:
    """All that this file is about done in plain operations, none in place."""
    for formula in (plain_joined, plain_gated, plain_gated_and_joined):
        patch.setattr(tail, formula.__name__.removeprefix("plain_"), formula)
    patch.setattr(squeeze.Average, "forward", plain_mean)
    patch.setattr(Tensor, "relu_", Tensor.relu)
    patch.setattr(nn.ReLU, "forward", lambda self, x: x.relu())


def same(mine: Tensors, theirs: Tensors) -> None:
    for a, b in zip(mine, theirs, strict=True):
        assert a.dtype == b.dtype and torch.equal(a, b)


def maps(size: str, dtype: torch.dtype, layouts: str = "NHWC NHWC NHWC") -> Tensors:
    """A branch, a gate with a zero, a shortcut, a gradient; with them every rectified sign occurs."""
    generator = torch.Generator().manual_seed(1)
    images, channels, *positions = SIZES[size]
    gate = torch.rand(images, channels, generator=generator, dtype=dtype).index_fill_(1, torch.tensor([0]), 0)
    branch, shortcut, go = (
        torch.randn(images, channels, *positions, generator=generator, dtype=dtype).to(memory_format=FORMATS[layout])
        for layout in layouts.split()
    )
    return branch, gate, shortcut, go


def differentiated(call: object, inputs: Tensors, go: Tensor) -> Tensors:
    """The result, and the gradients of `inputs`, which are no leaves there, as inside a network."""
    leaves = [t.clone().requires_grad_() for t in inputs]
    out: Tensor = call(*(leaf * 1 for leaf in leaves))  # type: ignore[operator]
    return out.detach().clone(), *torch.autograd.grad(out, leaves, go)


@pytest.mark.parametrize("relu", [True, False])
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("layouts", ["NHWC NHWC NHWC", "NCHW NCHW NCHW", "NHWC NHWC NCHW", "NHWC NCHW NHWC"])
@pytest.mark.parametrize("size", SIZES)
def test_every_bit_is_that_of_the_formula(size: str, layouts: str, dtype: torch.dtype, relu: bool) -> None:
    branch, gate, shortcut, go = maps(size, dtype, layouts)
    inputs = (branch, gate, shortcut)
    expected = differentiated(lambda b, g, s: plain_gated_and_joined(b, g, s, relu), inputs, go)
    same(differentiated(lambda b, g, s: tail.gated_and_joined(b, g, s, relu), inputs, go), expected)
    assert 0 < (expected[1] == 0).float().mean() < 1
    with torch.no_grad():
        same((tail.gated_and_joined(branch.clone(), gate, shortcut, relu),), expected[:1])
    expected = differentiated(lambda b, s: plain_joined(b, s, relu), (branch, shortcut), go)
    same(differentiated(lambda b, s: tail.joined(b, s, relu), (branch, shortcut), go), expected)
    expected = differentiated(plain_gated, (branch, gate), go)
    same(differentiated(tail.gated, (branch, gate), go), expected)


@pytest.mark.parametrize("size", SIZES)
def test_a_gradient_that_is_one_number_for_all_positions(size: str) -> None:
    branch, gate, shortcut, _ = maps(size, torch.float32)
    for go in (torch.ones(()).expand(branch.shape), torch.rand(*gate.shape, 1, 1).expand(branch.shape)):
        same(differentiated(tail.gated, (branch, gate), go), differentiated(plain_gated, (branch, gate), go))
        inputs = (branch, gate, shortcut)
        expected = differentiated(plain_gated_and_joined, inputs, go)
        same(differentiated(tail.gated_and_joined, inputs, go), expected)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64, torch.bfloat16])
@pytest.mark.parametrize("layout", FORMATS)
@pytest.mark.parametrize("size", SIZES)
def test_the_mean_and_its_gradient_added_to_another(size: str, layout: str, dtype: torch.dtype) -> None:
    branch, _, _, go = maps(size, dtype, " ".join([layout] * 3))
    mine, theirs = (
        differentiated(lambda x, mean=mean: x * mean(None, x)[:, :, None, None], (branch,), go)
        for mean in (squeeze.Average.forward, plain_mean)
    )
    same(mine, theirs)


@pytest.mark.parametrize(("spare_bytes", "calls"), [(0, 0), (-1, 1)])
def test_small_maps_are_left_to_plain_operations(spare_bytes: int, calls: int, monkeypatch: pytest.MonkeyPatch) -> None:
    branch, gate, shortcut, go = maps("small", torch.float32)
    applied: list[Any] = []

    def apply(*given: Any) -> Tensor:
        applied.append(given)
        return plain_gated_and_joined(*given)

    monkeypatch.setattr(tail, "SMALL_BYTES", branch.nbytes + spare_bytes)
    monkeypatch.setattr(tail._Tail, "apply", apply)
    expected = differentiated(plain_gated_and_joined, (branch, gate, shortcut), go)
    same(differentiated(tail.gated_and_joined, (branch, gate, shortcut), go), expected)
    assert len(applied) == calls


def test_memory_is_used_again() -> None:
    """In training for the sum, without gradients for all; what is given to keep is kept."""
    branch, gate, shortcut, _ = maps("in pieces", torch.float32)
    assert tail.joined(branch.clone(), shortcut).is_contiguous(memory_format=torch.channels_last)
    before, given = branch.clone(), branch.clone()
    assert tail.joined(given, shortcut).data_ptr() == given.data_ptr()
    given = before.clone()
    with torch.no_grad():
        assert tail.gated_and_joined(given, gate, shortcut).data_ptr() == given.data_ptr()
        assert tail.gated(branch, gate).data_ptr() != branch.data_ptr()
    tail.gated_and_joined(branch.requires_grad_(), gate, shortcut)
    assert torch.equal(branch, before)


@pytest.mark.parametrize("relu", [True, False])
def test_second_derivatives_are_right(relu: bool) -> None:
    inputs = [t.requires_grad_() for t in maps("small", torch.float64)[:3]]
    assert torch.autograd.gradgradcheck(lambda b, g, s: tail.gated_and_joined(b * 1, g * 1, s * 1, relu), inputs)


def test_the_second_derivative_of_the_mean_is_right() -> None:
    x = maps("small", torch.float64)[0].requires_grad_()
    assert torch.autograd.gradgradcheck(lambda t: squeeze.Average()(t).square(), x)


@pytest.mark.parametrize("dtypes", ["bfloat16 float32 float32", "float32 bfloat16 float32", "bfloat16 bfloat16 float32",
                                    "float32 float32 bfloat16", "bfloat16 bfloat16 bfloat16"])  # fmt: skip
def test_mixed_precisions_give_what_the_formula_gives(dtypes: str) -> None:
    full = maps("in pieces", torch.float32)
    kinds = [getattr(torch, name) for name in dtypes.split()]
    branch, gate, shortcut = inputs = tuple(t.to(kind) for t, kind in zip(full, kinds, strict=False))
    go = full[3].to(plain_gated_and_joined(branch, gate, shortcut).dtype)
    same(differentiated(tail.gated_and_joined, inputs, go), differentiated(plain_gated_and_joined, inputs, go))
    mine = differentiated(tail.joined, (branch, shortcut), go)
    if mine[0].dtype == go.dtype:
        same(mine, differentiated(plain_joined, (branch, shortcut), go))


PLACED: tuple[Model, ...] = (
    CifarResNet(depth=14, widths=(16, 32)), ResNet(depth=50, width=0.25, small_images=True),
    PreActResNet(depth=14), WideResNet(depth=10, widen=1), ShakeShake(depth=8, base_width=8),
    ShuffleNet(small_images=True), MobileNet(small_images=True, width=0.5),
)  # fmt: skip
"""Wide enough for the CPU's kernels, small enough to be quick."""
OTHERS: tuple[Model, ...] = (
    ShakeShake(depth=11, base_width=16, block="bottleneck", cardinality=2), VGG(width=0.25, small_images=True),
    BNInception(width=0.25, small_images=True), InceptionResNetV2(width=0.25, small_images=True),
)  # fmt: skip
CASES = [
    *(pytest.param(m, place, id=f"{m.title}-{place}", marks=[pytest.mark.slow] if m is not PLACED[0] else [])
      for m in PLACED for place in (None, *m.placements)),
    *(pytest.param(m, place, id=f"{m.title}-{place}", marks=pytest.mark.slow)
      for m in OTHERS for place in (None, "standard")),
]  # fmt: skip


def trained(model: Model, dtype: torch.dtype = torch.float32, autocast: bool = False) -> Tensors:
    """Loss, gradients, and all values after a step; logits in evaluation, without and with gradients."""
    network = models.build(model, channels=3, classes=10, seed=0, device=torch.device("cpu")).to(dtype)
    generator = torch.Generator().manual_seed(3)
    x_NCHW = torch.randn(4, 3, 16, 16, generator=generator, dtype=dtype).to(memory_format=torch.channels_last)
    optimizer = torch.optim.SGD(network.parameters(), lr=0.1, momentum=0.9)
    torch.manual_seed(0)
    with torch.autocast("cpu", torch.bfloat16, enabled=autocast):
        loss = F.cross_entropy(network.train()(x_NCHW), torch.tensor([1, 2, 3, 4]))
    loss.backward()  # type: ignore[no-untyped-call]
    gradients = [p.grad.clone() for p in network.parameters() if p.grad is not None]
    optimizer.step()
    values = [v.clone() for v in network.state_dict().values()]
    logits = network.eval()(x_NCHW).detach()
    with torch.no_grad():
        return loss.detach(), *gradients, *values, logits, network(x_NCHW)


def check(model: Model, patch: pytest.MonkeyPatch, **how: object) -> None:
    mine = trained(model, **how)  # type: ignore[arg-type]
    with patch.context() as plain:
        made_plain(plain)
        theirs = trained(model, **how)  # type: ignore[arg-type]
    assert mine[0].isfinite()
    same(mine, theirs)


@pytest.mark.parametrize(("model", "place"), CASES)
def test_a_step_of_every_network_has_the_same_bits(
    model: Model, place: Placement | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    check(model.model_copy(update={"se": place and SE(placement=place, reduction=4)}), monkeypatch)


@pytest.mark.parametrize("operators", [{"squeeze": "max"}, {"squeeze": "none"}, {"gate": "relu"}, {"gate": "tanh"}])
def test_other_operators_too(operators: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> None:
    se = SE.model_validate({"reduction": 4} | operators)
    check(PLACED[0].model_copy(update={"se": se}), monkeypatch, dtype=torch.float64)


@pytest.mark.parametrize("model", [PLACED[0], PLACED[2]], ids=lambda m: m.title)
def test_under_autocast_too(model: Model, monkeypatch: pytest.MonkeyPatch) -> None:
    check(model.model_copy(update={"se": SE(reduction=4)}), monkeypatch, autocast=True)


def test_hooks_see_every_block_and_gate() -> None:
    model = CifarResNet(depth=14, widths=(16, 32), se=SE(reduction=4))
    network = models.build(model, channels=3, classes=10, seed=0, device=torch.device("cpu"))
    blocks = [m for m in network.modules() if isinstance(m, SEBlock)]
    seen: list[object] = []
    for block in blocks:
        block.register_forward_pre_hook(lambda b, _: seen.append(b))
        block.squeeze.register_forward_hook(lambda s, _, made: seen.append(tuple(made.shape)))
        block.gate.register_forward_hook(lambda g, _, made: seen.append(g))
    x_NCHW = torch.randn(2, 3, 8, 8)
    for mode in (True, False):
        seen.clear()
        with torch.set_grad_enabled(mode):
            network.train(mode)(x_NCHW)
        assert seen == [e for b in blocks for e in (b, (2, b.expand.out_features), b.gate)]
