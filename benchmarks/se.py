"""What SE costs: a network with it over the same network without, in ours and with others' blocks in plain PyTorch.

    pip install --no-deps --target OTHERS timm torchvision==0.28.0
    python -m benchmarks.se --others OTHERS

timm and torchvision are looked for where they are installed, and in `--others`; neither is needed: where one
cannot be imported, its block as it is written out in benchmarks/blocks.py stands in, and the name says so.
"""

import functools
import importlib
import sys
from argparse import Namespace
from collections.abc import Callable
from functools import partial
from pathlib import Path

import torch
import torch.nn.functional as F
from torch import nn

from benchmarks import blocks, measure, plain
from benchmarks.cases import Case, resnet20, resnet50
from benchmarks.measure import Goal, Part, Row

REDUCTION = 16
TRAINING, INFERENCE, NO_SLOWER = Goal("<=", 1.08), Goal("<=", 1.03), Goal("<=", 1.0)
_kept: list[object] = []


@functools.cache
def others() -> dict[str, plain.MakeSE | str]:
    """By name, what makes the block; or why there is none."""
    _declare_operators()
    found: dict[str, plain.MakeSE | str] = {}
    try:
        module = importlib.import_module("timm.layers").SEModule
        found["timm SEModule"] = lambda channels: module(channels, rd_channels=max(1, channels // REDUCTION))
    except Exception as error:
        found["timm SEModule"] = f"not importable here: {type(error).__name__}: {str(error)[:100]}"
    try:
        block = importlib.import_module("torchvision.ops").SqueezeExcitation
        found["torchvision SqueezeExcitation"] = lambda channels: block(channels, max(1, channels // REDUCTION))
    except Exception as error:
        found["torchvision SqueezeExcitation"] = f"not importable here: {type(error).__name__}: {str(error)[:100]}"
    return found


def importable() -> dict[str, plain.MakeSE]:
    """The blocks of timm and torchvision, written out where there is no real one."""
    found: dict[str, plain.MakeSE] = {}
    for (name, make), form in zip(others().items(), (blocks.LikeTimm, blocks.LikeTorchvision), strict=True):
        if isinstance(make, str):
            found[f"as {name}, written out"] = lambda channels, form=form: form(channels, max(1, channels // REDUCTION))
        else:
            found[name] = make
    return found


def _declare_operators() -> None:
    """PyPI's torchvision is built for CUDA: beside a torch for CPUs it imports only if these two are known."""
    if torch.version.cuda is not None:
        return
    library = torch.library.Library("torchvision", "DEF")
    library.define("nms(Tensor dets, Tensor scores, float iou_threshold) -> Tensor")
    library.define("qnms(Tensor dets, Tensor scores, float iou_threshold) -> Tensor")
    _kept.append(library)


def work(network: nn.Module, case: Case, training: bool, device: str) -> Callable[[], object]:
    """A step of SGD, or a forward pass in evaluation mode, on one batch in NHWC."""
    network = network.to(device, memory_format=torch.channels_last).train(training)
    x = torch.randn(case.batch, case.channels, case.size, case.size, device=device)
    x = x.to(memory_format=torch.channels_last)
    y = torch.randint(case.classes, (case.batch,), device=device)
    optimizer = torch.optim.SGD(network.parameters(), lr=1e-3, momentum=0.9)

    def infer() -> None:
        with torch.no_grad():
            network(x)

    def step() -> None:
        loss = F.cross_entropy(network(x), y)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()

    return step if training else infer


def compare(without: Case, with_se: Case, training: bool, chosen: Namespace, part: Part) -> None:
    """Rows of one network, one batch size, one direction."""
    device = "cuda" if torch.cuda.is_available() else "cpu"
    networks = {"ours": (without.ours(), with_se.ours())}
    for name, make in {"plain": partial(plain.SEModule, reduction=REDUCTION), **importable()}.items():
        networks[name] = (without.plain(plain.no_se), with_se.plain(make))
    ways = {}
    for name, pair in networks.items():
        for kind, network in zip(("without", "with"), pair, strict=True):
            ways[f"{name} {kind}"] = measure.clocked(work(network, without, training, device), device)
    what = (
        f"{without.name}, {without.size}x{without.size}, B={without.batch}, {'training' if training else 'inference'}"
    )
    seconds = measure.in_turn(ways, chosen.rounds or (2 if chosen.quick else 5), what)
    part.raw[what] = seconds
    goal = {("ResNet-20", True): TRAINING, ("ResNet-50", False): INFERENCE}.get((without.name, training))
    for name in networks:
        pair = seconds[f"{name} with"], seconds[f"{name} without"]
        shown = map(measure.text, pair)
        part.rows.append(Row(f"{what}: {name}", *shown, measure.ratios(*pair), goal if name == "ours" else None))
    pair = seconds["ours with"], seconds["plain with"]
    row = f"{what}: ours with SE / plain with SE"
    part.rows.append(
        Row(row, *map(measure.text, pair), measure.ratios(*pair), NO_SLOWER, "here both columns are with SE")
    )


def fill(chosen: Namespace, part: Part) -> None:
    """Rows a network and batch size, then the paper's."""
    torch.set_num_threads(chosen.threads)
    if chosen.others:
        sys.path.append(str(chosen.others.absolute()))
    small, size = (16, 64) if chosen.quick else (128, 224)
    for training in (False, True):
        compare(resnet20(None, small), resnet20(REDUCTION, small), training, chosen, part)
    for batch, training in ((1, False), (2, True)) if chosen.quick else ((1, False), (8, False), (4, True)):
        compare(resnet50(None, batch, size), resnet50(REDUCTION, batch, size), training, chosen, part)
    part.rows += [Row(name, "", remark=why) for name, why in others().items() if isinstance(why, str)]
    part.rows.append(Row("ResNet-50, 224x224, inference on a CPU: the paper (v4, 4)", "167 ms", "164 ms", [167 / 164]))
    part.rows.append(
        Row("ResNet-50, B=256, forward and backward on 8 GPUs: the paper (v4, 4)", "209 ms", "190 ms", [209 / 190])
    )
    part.notes += [
        f"r = {REDUCTION}, channels last, {chosen.threads} thread(s); training is forward, loss, backward and SGD.",
        "Others' blocks stand in the same network of benchmarks/plain.py: hidden width C // r, their own biases.",
    ]


PART = Part("The price of SE", "seconds with SE over seconds without", ours="with SE", other="without")

if __name__ == "__main__":
    parser = measure.options(__doc__)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--others", type=Path, help="a folder that holds timm and torchvision")
    measure.main(parser, fill, PART)
