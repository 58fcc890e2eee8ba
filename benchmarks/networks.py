"""Training throughput of each network against the same network in plain eager PyTorch, and against the machine's peak.

    python -m benchmarks.networks --rounds 7

Ours goes through `training.train.train` on parts of made-up images; plain PyTorch through a loop of its own on the
same number of images as one float tensor, with plain SGD, in both orders of memory. One thread, as trials have it.
"""

import statistics
from argparse import Namespace
from collections.abc import Callable

import torch
import torch.nn.functional as F
from torch import nn

from benchmarks import measure
from benchmarks.cases import Case, digits, resnet20, trained
from benchmarks.measure import Goal, Part, Row
from senet_lab.training.learner import Learner
from senet_lab.training.train import train

FORMATS = {"plain NCHW": torch.contiguous_format, "plain NHWC": torch.channels_last}
NEVER_SLOWER = Goal(">=", 1.0)


def of_ours(case: Case, steps: int, device: str) -> Callable[[], float]:
    """Seconds of an epoch in our loop."""
    trial = case.trial(steps)
    epochs = train(trial, Learner(case.ours(device), trial.train), case.parts(steps, device))
    return measure.clocked(lambda: next(epochs), device)


def of_plain(case: Case, steps: int, device: str, memory_format: torch.memory_format) -> Callable[[], float]:
    """Seconds of an epoch as people write one, with the same two images to validate on."""
    network = case.theirs(device).to(memory_format=memory_format)
    optimizer = torch.optim.SGD(network.parameters(), lr=1e-3, momentum=0.9, nesterov=True)
    shape = (steps * case.batch, case.channels, case.size, case.size)
    x = torch.randn(shape, device=device).to(memory_format=memory_format)
    y = torch.randint(case.classes, (len(x),), device=device)
    return measure.clocked(lambda: plain_epoch(network, optimizer, x, y, case.batch), device)


def plain_epoch(
    network: nn.Module, optimizer: torch.optim.Optimizer, x: torch.Tensor, y: torch.Tensor, batch: int
) -> float:
    """The usual loop; data are where the network is. Returns the mean loss."""
    network.train()
    total = torch.zeros((), device=x.device)
    for index in torch.randperm(len(x), device=x.device).split(batch):
        logits = network(x[index])
        loss = F.cross_entropy(logits, y[index])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        total += loss.detach()
    network.eval()
    with torch.no_grad():
        network(x[:2])
    return float(total)


def peak(device: str) -> dict[str, float]:
    """GFLOP/s of a float32 matrix product and of the fastest of two 3x3 convolutions, the best of a few tries."""
    n = 1536 if device == "cpu" else 8192
    a, b = torch.randn(n, n, device=device), torch.randn(n, n, device=device)
    product = measure.clocked(lambda: a @ b, device)
    found = {"sgemm": 2 * n**3 / min(product() for _ in range(7)) / 1e9, "conv 3x3": 0.0}
    for channels, size in ((64, 32), (256, 14)):
        conv = nn.Conv2d(channels, channels, 3, padding=1, bias=False).to(device, memory_format=torch.channels_last)
        x = torch.randn(32, channels, size, size, device=device).to(memory_format=torch.channels_last)
        with torch.no_grad():
            seconds = min(map(lambda clock: clock(), [measure.clocked(lambda c=conv, x=x: c(x), device)] * 7))
        found["conv 3x3"] = max(found["conv 3x3"], 2 * 9 * channels**2 * size**2 * 32 / seconds / 1e9)
    return found


def fill(chosen: Namespace, part: Part) -> None:
    """A row a network."""
    torch.set_num_threads(chosen.threads)
    device = "cuda" if torch.cuda.is_available() else "cpu"
    rounds = chosen.rounds or (2 if chosen.quick else 5)
    part.raw["peak_gflops"] = peaks = peak(device)
    part.raw["networks"] = {}
    cases = [digits(), resnet20(16, 16)] if chosen.quick else trained()
    for case in cases:
        steps = max(1, 512 // case.batch) if case.size == 8 else 2 if case.size <= 32 else 1
        ways = {"ours": of_ours(case, steps, device)}
        ways |= {name: of_plain(case, steps, device, order) for name, order in FORMATS.items()}
        seconds = measure.in_turn(ways, rounds, case.name)
        images = steps * case.batch
        rates = {way: [images / s for s in found] for way, found in seconds.items()}
        best = measure.fastest(seconds, list(FORMATS))
        gflops = statistics.median(rates["ours"]) * case.flops / 1e9
        part.rows.append(
            Row(
                f"{case.name}, {case.size}x{case.size}, B={case.batch}",
                measure.text(rates["ours"], "images/s"),
                f"{measure.text(rates[best], 'images/s')} ({best.removeprefix('plain ')})",
                measure.ratios(seconds[best], seconds["ours"]),
                NEVER_SLOWER,
                f"{gflops:.0f} GFLOP/s, {100 * gflops / peaks['sgemm']:.0f} % of sgemm",
            )
        )
        part.raw["networks"][case.name] = {"batch": case.batch, "size": case.size, "images_per_second": rates}
    part.notes += [
        f"{device}, {chosen.threads} thread(s). Peak measured here: sgemm {peaks['sgemm']:.0f} GFLOP/s, the best "
        f"single 3x3 convolution, forward, {peaks['conv 3x3']:.0f}.",
        "GFLOP/s: 6 operations a multiply-add of the forward pass and image; element-wise work is not counted.",
        "Plain: the faster of NCHW and NHWC, by the median. Both validate on two images an epoch; neither augments.",
    ]


PART = Part("Training throughput by network", "images/s of ours over the fastest plain form's")

if __name__ == "__main__":
    parser = measure.options(__doc__)
    parser.add_argument("--threads", type=int, default=1)
    measure.main(parser, fill, PART)
