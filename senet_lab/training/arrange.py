"""How many trials of one shape to train together on a device, and how: measured there, not guessed."""

from collections.abc import Sequence
from pathlib import Path

import torch

from senet_lab import data
from senet_lab.data.split import Parts
from senet_lab.spec import Trial
from senet_lab.training.population import Arrangement
from senet_lab.training.train import Learner


def arrange(trials: Sequence[Trial], learners: Sequence[Learner], parts: Sequence[Parts]) -> Arrangement:
    """The fastest way to train these together on the device they are on: a few steps of each are timed.

    From one program of all to as many programs as trials; no learner is changed.
    """
    raise NotImplementedError


def best_size(trial: Trial, device: torch.device, data_dir: Path = data.DATA_DIR, most: int = 64) -> int:
    """How many trials of the shape of `trial` should be trained together here; on a CPU 1 unless tiny.

    K = 1, 2, 4, ... `most`, as long as the trials done in an hour grow by more than 5 % and the memory lasts.
    Trains a few steps of copies of `trial` with other seeds, and keeps nothing.
    """
    raise NotImplementedError
