"""Shake-Shake networks: the mixing, the counts, and the network written out a second time."""

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

from senet_lab.models.cost import count
from senet_lab.models.shake_shake import Mix, ShakeBlock, ShiftedShortcut
from senet_lab.spec import SE, Model, Placement, ShakeShake, Unit
from tests.models import checks
from tests.models.checks import State, conv_norm, norm, se

PLACES: list[Placement] = ["standard", "pre", "post", "identity"]
CIFAR_10 = ShakeShake()
CIFAR_100 = ShakeShake(depth=29, block="bottleneck", base_width=64, cardinality=4, backward="even")
SMALL = ShakeShake(depth=14, width=0.0625)
SMALL_100 = ShakeShake(depth=20, block="bottleneck", base_width=64, cardinality=2, backward="even", width=0.0625)


def reference(state: State, x: Tensor, model: ShakeShake, place: Placement | None) -> Tensor:
    """Evaluation: models/shakeshakeblock.lua and shakeshake.lua of github.com/xgastaldi/shake-shake."""

    def at(here: Placement, name: str, x: Tensor) -> Tensor:
        return se(state, f"{name}.se", x) if place == here else x

    def basic(name: str, x: Tensor, stride: int) -> Tensor:
        x = conv_norm(state, f"{name}.1", x.clamp(min=0), stride).clamp(min=0)
        return conv_norm(state, f"{name}.3", x)

    def bottleneck(name: str, x: Tensor, stride: int) -> Tensor:
        x = conv_norm(state, f"{name}.0", x).clamp(min=0)
        x = conv_norm(state, f"{name}.2", x, stride, model.cardinality).clamp(min=0)
        return conv_norm(state, f"{name}.4", x)

    def shifted(name: str, x: Tensor, stride: int) -> Tensor:
        x = x.clamp(min=0)
        moved = torch.zeros_like(x)
        moved[:, :, 1:, 1:] = x[:, :, :-1, :-1]
        ways = [F.conv2d(m[:, :, ::stride, ::stride], state[f"{name}.{k}.weight"])
                for k, m in (("straight", x), ("shifted", moved))]  # fmt: skip
        return norm(state, f"{name}.bn", torch.cat(ways, 1))

    branch = basic if model.block == "basic" else bottleneck
    x = conv_norm(state, "stem", x)
    x = x if model.block == "basic" else x.clamp(min=0)
    for number, unit in enumerate(model.units):
        i = [u.stage for u in model.units[:number]].count(unit.stage)
        name, y, shortcut = f"stages.{unit.stage}.{i}", at("pre", f"stages.{unit.stage}.{i}", x), x
        y = sum(branch(f"{name}.branches.{b}", y, unit.stride) for b in (0, 1)) / 2  # type: ignore[assignment]
        if i == 0 and model.block == "basic":
            shortcut = shifted(f"{name}.shortcut", x, unit.stride)
        elif i == 0:
            shortcut = conv_norm(state, f"{name}.shortcut", x, unit.stride)
        x = at("identity", name, shortcut) + at("standard", name, y)
        x = at("post", name, x if model.block == "basic" else x.clamp(min=0))
    return checks.head(state, x.clamp(min=0))


@pytest.mark.parametrize("place", [None, *PLACES])
@pytest.mark.parametrize("model", [SMALL, SMALL_100], ids=lambda m: m.title)
def test_in_evaluation_the_network_is_its_definition(model: ShakeShake, place: Placement | None) -> None:
    asked = checks.gated(model, place, reduction=2) if place else model
    network, x = checks.shaken(asked), checks.images(9)
    checks.check_equal(network, x, reference(dict(network.state_dict()), x, model, place))


def block(backward: str) -> ShakeBlock:
    return ShakeBlock(Unit(2, 4, 4, middle=4), ShakeShake.model_validate({"backward": backward}))


def coefficients(part: ShakeBlock, images: int) -> tuple[Tensor, Tensor, Tensor]:
    """Each image's weight of the first branch, and the shares of a gradient of 1 that go to both."""
    a = torch.ones(images, 3, 2, 2, requires_grad=True)
    b = torch.zeros(images, 3, 2, 2, requires_grad=True)
    mixed = part.mixed(a, b)
    mixed.sum().backward()  # type: ignore[no-untyped-call]
    assert a.grad is not None and b.grad is not None
    for tensor in (mixed, a.grad, b.grad):  # one number for an image
        assert (tensor == tensor[:, :1, :1, :1]).all()
    return mixed[:, 0, 0, 0].detach(), a.grad[:, 0, 0, 0], b.grad[:, 0, 0, 0]


def test_shake_draws_weights_and_shares_apart_for_each_image() -> None:
    torch.manual_seed(0)
    alpha, beta, rest = coefficients(block("shake"), 4000)
    torch.testing.assert_close(beta + rest, torch.ones(4000))
    for drawn in (alpha, beta):
        assert 0 <= drawn.min() < 0.01 and 0.99 < drawn.max() <= 1
        assert abs(float(drawn.mean()) - 0.5) < 0.02 and abs(float(drawn.var()) - 1 / 12) < 0.005
    assert abs(float(torch.corrcoef(torch.stack([alpha, beta]))[0, 1])) < 0.05


def test_even_shares_the_gradient_half_and_half() -> None:
    alpha, first, second = coefficients(block("even"), 50)
    assert alpha.std() > 0.1
    assert (first == 0.5).all() and (second == 0.5).all()


@pytest.mark.parametrize("backward", ["shake", "even"])
def test_in_evaluation_nothing_is_drawn(backward: str) -> None:
    part, before = block(backward).eval(), torch.get_rng_state()
    assert all((found == 0.5).all() for found in coefficients(part, 5))
    assert torch.equal(before, torch.get_rng_state())


def test_draws_are_those_of_the_default_generator() -> None:
    part = block("shake")
    torch.manual_seed(3)
    first, again = coefficients(part, 5), coefficients(part, 5)
    assert not any(torch.equal(x, y) for x, y in zip(first, again, strict=True))
    torch.manual_seed(3)
    assert all(torch.equal(x, y) for x, y in zip(first, coefficients(part, 5), strict=True))


def test_both_branches_count() -> None:
    """Forward alpha a + (1 - alpha) b, backward beta and 1 - beta, of any a and b."""
    a, b = (torch.randn(2, 3, 4, 4, dtype=torch.double, requires_grad=True) for _ in range(2))
    alpha, beta = torch.tensor([0.3, 0.8]).double(), torch.tensor([0.9, 0.2]).double()
    mixed = Mix.apply(a, b, alpha[:, None, None, None], beta[:, None, None, None])  # type: ignore[no-untyped-call]
    for n in (0, 1):
        torch.testing.assert_close(mixed[n], alpha[n] * a[n] + (1 - alpha[n]) * b[n])
    gradient = torch.randn(2, 3, 4, 4, dtype=torch.double)
    mixed.backward(gradient)
    assert a.grad is not None and b.grad is not None
    for n in (0, 1):
        torch.testing.assert_close(a.grad[n], beta[n] * gradient[n])
        torch.testing.assert_close(b.grad[n], (1 - beta[n]) * gradient[n])


def test_the_second_half_of_a_shortcut_sees_the_pixels_between() -> None:
    """A one at (1, 1) of the input stands at (2, 2) of the shifted map, so at (1, 1) after the stride."""
    shortcut = ShiftedShortcut(Unit(3, 1, 2, 2)).eval()
    torch.nn.init.ones_(shortcut.straight.weight)
    torch.nn.init.ones_(shortcut.shifted.weight)
    for row, column, expected in [(1, 1, [(1, 1, 1)]), (2, 2, [(0, 1, 1)]), (0, 1, []), (3, 3, [])]:
        x = torch.zeros(1, 1, 4, 4)
        x[0, 0, row, column] = 1
        assert [tuple(at) for at in shortcut(x)[0].nonzero().tolist()] == expected


def test_counts_are_those_published() -> None:
    """26.2 M (arXiv 1705.07485), and 34.4 M, as ResNeXt-29 8x64d (arXiv 1611.05431, Table 7)."""
    assert count(CIFAR_10, channels=3, size=32, classes=10).params == 26_192_922
    assert count(CIFAR_100, channels=3, size=32, classes=10).params == 34_437_450
    assert count(CIFAR_100, channels=3, size=32, classes=100).params == 34_437_450 + 90 * 1025


def test_se_weights_are_counted_once_for_both_branches() -> None:
    """2 C^2 / r for each block of C channels (v4 Eqn. 5)."""
    for model, expected in ((CIFAR_10, 4 * (96**2 + 192**2 + 384**2) // 8), (CIFAR_100, 3 * 21 * 256**2 // 8)):
        plain, made = (count(m, channels=3, size=32, classes=10).params for m in (model, checks.gated(model)))
        assert made - plain == expected


@pytest.mark.parametrize("model", [CIFAR_10, CIFAR_100, SMALL, SMALL_100], ids=lambda m: m.title)
def test_blocks_are_those_of_the_spec(model: Model) -> None:
    checks.check_hidden_widths(model)


@pytest.mark.parametrize("model", [CIFAR_10, CIFAR_100])
def test_inside_two_branches_there_is_no_single_place(model: Model) -> None:
    checks.check_refusal(model, "conv3x3", "no meaning in Shake-.*: it has two branches")


@pytest.mark.parametrize("place", [None, *PLACES])
@pytest.mark.parametrize("model", [SMALL, SMALL_100], ids=lambda m: m.title)
def test_small_images(model: Model, place: Placement | None) -> None:
    checks.check_learns_from_small_images(checks.gated(model, place) if place else model)


def test_odd_numbers_of_channels_divide_into_halves_nearly() -> None:
    checks.check_learns_from_small_images(ShakeShake(depth=8, base_width=7, se=SE(reduction=2)))
