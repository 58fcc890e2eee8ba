"""Parameters and multiply-adds, against hand counts and published figures."""

import subprocess
import sys
from typing import Any

import pytest
import torch
from torch.utils.flop_counter import FlopCounterMode

from senet_lab.blocks.se import SEBlock
from senet_lab.errors import SpecError
from senet_lab.models import build
from senet_lab.models.cost import count
from senet_lab.records import Cost
from senet_lab.spec import SE, InceptionResNetV2, Model, ResNet, ResNeXt, ShuffleNet


def cost(model: Model, size: int = 32) -> Cost:
    return count(model, channels=3, size=size, classes=10)


def by_hand(widths: tuple[int, ...], blocks: int, size: int) -> tuple[int, int]:
    """(weights, multiply-adds) of convolutions, batch norm and classifier, layer by layer."""
    params, macs, before = 27 * widths[0] + 2 * widths[0], 27 * widths[0] * size**2, widths[0]
    for stage, width in enumerate(widths):
        size = size if stage == 0 else -(-size // 2)
        for _ in range(blocks):
            params += 9 * before * width + 9 * width * width + 4 * width
            macs += (9 * before * width + 9 * width * width) * size**2
            before = width
    return params + before * 10 + 10, macs + before * 10


@pytest.mark.parametrize(("depth", "widths", "size"), [(20, (16, 32, 64), 32), (6, (16, 32), 8), (14, (4, 8, 16), 9)])
def test_against_a_count_by_hand(depth: int, widths: tuple[int, ...], size: int) -> None:
    found = cost(Model(depth=depth, widths=widths), size)
    assert (found.params, found.macs) == by_hand(widths, (depth - 2) // 2 // len(widths), size)


@pytest.mark.parametrize(
    ("depth", "params", "mega_macs"), [(20, 0.27e6, 40.8), (32, 0.46e6, 69.1), (56, 0.85e6, 125.5), (110, 1.7e6, 252.9)]
)
def test_against_the_literature(depth: int, params: float, mega_macs: float) -> None:
    """Parameters: He et al. Table 6. Multiply-adds: the usual figures, which count batch norm too: within 1 %."""
    found = cost(Model(depth=depth, widths=(16, 32, 64)))
    assert found.params == pytest.approx(params, rel=0.02)
    assert found.macs / 1e6 == pytest.approx(mega_macs, rel=0.01)


NETWORKS: dict[str, Any] = {
    "SE-ResNet-20": Model(depth=20, widths=(16, 32, 64), se=SE(reduction=4)),
    "no squeeze": Model(depth=8, widths=(8, 16, 32), se=SE(squeeze="none")),
    "SE-ResNet-50": ResNet(depth=50, se=SE()),
    "SE-ResNeXt-50": ResNeXt(depth=50, se=SE()),
    "SE-ShuffleNet": ShuffleNet(se=SE()),
    "SE-Inception-ResNet-v2": InceptionResNetV2(se=SE()),
}


@pytest.mark.parametrize(("name", "size"), [(n, s) for n in NETWORKS for s in (32, 96) if s > 32 or "-v2" not in n])
def test_operations_are_those_that_torchs_own_counter_counts(name: str, size: int) -> None:
    """But for what a squeeze reads, which that one does not count; on either side of what passes really."""
    model = NETWORKS[name]
    network = build(model, channels=3, classes=10, seed=0, device=torch.device("meta")).eval()
    reads = []
    for block in (m for m in network.modules() if isinstance(m, SEBlock)):
        block.squeeze.register_forward_hook(lambda _, x, out: reads.append(x[0].numel() if out.ndim == 2 else 0))
    with FlopCounterMode(display=False) as flops, torch.no_grad():
        network(torch.empty(1, 3, size, size, device="meta"))
    found = cost(model, size)
    assert found.macs == flops.get_total_flops() // 2 + sum(reads)
    assert found.params == sum(p.numel() for p in network.parameters())


def test_a_small_network_is_counted_without_imports_of_seconds() -> None:
    code = (
        "import sys; from senet_lab.models.cost import count; from senet_lab.recipes import DIGITS as d\n"
        "count(d.model, channels=1, size=8, classes=10); print({'sympy', 'torch._dynamo'} & {*sys.modules})"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "set()\n"


@pytest.mark.parametrize("bias", [False, True])
def test_se_costs_its_weights_once_and_one_read_of_its_map(bias: bool) -> None:
    """Per block of C channels on H x W: 2 C^2/r for the two layers, C H W for the squeeze (v4 section 4)."""
    widths, reduction, size = (16, 32), 4, 8
    plain = cost(Model(depth=10, widths=widths), size)
    gated = cost(Model(depth=10, widths=widths, se=SE(reduction=reduction, bias=bias)), size)
    maps = [(16, 8), (16, 8), (32, 4), (32, 4)]
    weights = sum(2 * c * (c // reduction) for c, _ in maps)
    assert gated.macs - plain.macs == weights + sum(c * s**2 for c, s in maps)
    assert gated.params - plain.params == weights + (sum(c + c // reduction for c, _ in maps) if bias else 0)


@pytest.mark.parametrize(("place", "maps"), [
    ("standard", [(16, 8), (32, 4)]), ("post", [(16, 8), (32, 4)]), ("conv3x3", [(16, 8), (32, 4)]),
    ("identity", [(16, 8), (32, 4)]), ("pre", [(16, 8), (16, 8)]),
])  # fmt: skip
def test_se_costs_by_the_map_that_it_sees(place: str, maps: list[tuple[int, int]]) -> None:
    plain = cost(Model(depth=6, widths=(16, 32)), 8)
    gated = cost(Model(depth=6, widths=(16, 32), se=SE(reduction=4, placement=place)), 8)  # type: ignore[arg-type]
    assert gated.macs - plain.macs == sum(c * c // 2 + c * s**2 for c, s in maps)


def test_another_squeeze_or_gate_costs_the_same() -> None:
    costs = {cost(Model(depth=6, widths=(16, 32), se=SE(reduction=4, squeeze=s, gate=g)), 8)
             for s in ("avg", "max") for g in ("sigmoid", "tanh", "relu")}  # type: ignore[arg-type]  # fmt: skip
    assert len(costs) == 1


def test_statistics_are_two_per_channel_of_every_batch_norm() -> None:
    found = cost(Model(depth=6, widths=(16, 32)))
    assert found.params_and_statistics - found.params == 2 * (16 + 16 + 16 + 32 + 32)


def test_images_too_small_for_a_network_are_refused_with_the_remedy() -> None:
    with pytest.raises(SpecError, match=r"Inception-ResNet-v2 cannot take images of 32 pixels .*small_images=True"):
        count(InceptionResNetV2(), channels=3, size=32, classes=10)
    assert count(InceptionResNetV2(small_images=True), channels=3, size=32, classes=10).params > 0
