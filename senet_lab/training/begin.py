"""A trial made ready to train: its parts of the data and its network, in a process set up for it."""

from pathlib import Path

import torch

from senet_lab import data, models
from senet_lab.data.split import Parts, split
from senet_lab.spec import Trial
from senet_lab.training.learner import Learner


def begin(
    trial: Trial, device: torch.device, data_dir: Path = data.DATA_DIR, loaders: int = 0
) -> tuple[Learner, Parts]:
    """The learner before its first epoch, and the parts it trains and is judged on.

    `loaders`: processes that decode images of large data sets.

    Sets this process to one thread: as fast as more where every core has a trial, and the same
    bits everywhere.
    """
    torch.set_num_threads(1)
    if device.type == "cuda":
        torch.cuda.reset_peak_memory_stats(device)
    facts = data.facts(trial.data, data_dir)
    parts = split(data.load(trial.data, data_dir), trial.data, trial.seed, device, loaders)
    network = models.build(trial.model, channels=facts.channels, classes=facts.classes, seed=trial.seed, device=device)
    return Learner(network, trial.train), parts
