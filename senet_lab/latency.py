"""How long a network takes for one image here."""

import statistics
import time
from pathlib import Path

import torch

from senet_lab import data, environment, models
from senet_lab.spec import Trial

WARMING, ROUNDS = 10, 50


def device() -> str:
    """What `measure` times on: the first GPU if there is one, else one thread of the processor."""
    return torch.cuda.get_device_name(0) if torch.cuda.is_available() else f"{environment.processor()}, one thread"


@torch.no_grad()
def measure(trial: Trial, data_dir: Path) -> float:
    """Seconds that a trial's network takes for one image, forward, in evaluation mode: the median of 50 times.

    On `device`; weights as drawn, as they change no time. Nothing else should run on the machine meanwhile.
    """
    facts = data.facts(trial.data, data_dir)
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    network = models.build(trial.model, channels=facts.channels, classes=facts.classes, seed=0, device=device).eval()
    x_1CHW = torch.zeros(1, facts.channels, facts.size, facts.size, device=device)
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        return statistics.median([_seconds(network, x_1CHW) for _ in range(WARMING + ROUNDS)][WARMING:])
    finally:
        torch.set_num_threads(threads)


def _seconds(network: torch.nn.Module, x_1CHW: torch.Tensor) -> float:
    start = time.perf_counter()
    network(x_1CHW)
    if x_1CHW.is_cuda:
        torch.cuda.synchronize()
    return time.perf_counter() - start
