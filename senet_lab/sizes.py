"""How many trials of a shape are best trained together here: measured, in a process that goes away after it.

The driver thus holds no GPU, and a measurement that crashes costs none of its trials.
"""

from collections.abc import Iterator, Sequence
from pathlib import Path

from senet_lab.apart import apart
from senet_lab.spec import Trial


def measured(trials: Sequence[Trial], device: str, data_dir: Path) -> Iterator[int | Exception]:
    """Of each trial how many like it to train at once on `device`, or why that could not be found out."""
    for trial in trials:
        try:
            yield apart(_best, trial, device, data_dir)
        except Exception as error:
            yield error


def _best(trial: Trial, device: str, data_dir: Path) -> int:
    import torch

    from senet_lab.training.arrange import best_size

    return best_size(trial, torch.device(device), data_dir)
