"""A trial made ready to train: its parts of the data and its network, in a process set up for it."""

import torch

from senet_lab import data, models
from senet_lab.data.split import Parts, split
from senet_lab.spec import Trial
from senet_lab.training.train import Learner


def begin(trial: Trial, device: torch.device) -> tuple[Learner, Parts]:
    """The learner before its first epoch, and the parts it trains and is judged on.

    Sets this process to one thread: as fast as more where every core has a trial, and the same
    bits everywhere.
    """
    torch.set_num_threads(1)
    if device.type == "cuda":
        torch.cuda.reset_peak_memory_stats(device)
    images = data.load(trial.data)
    channels, classes = images.pool.shape[1], len(images.classes)
    parts = split(images, trial.data.validation, trial.seed, device)
    network = models.build(trial.model, channels=channels, classes=classes, seed=trial.seed, device=device)
    return Learner(network, trial.train), parts
