"""How far an interrupted trial came, read from its checkpoint."""

import io

import torch

from senet_lab import store
from senet_lab.files import Place
from senet_lab.records import EpochMetrics


def epochs(folder: Place) -> tuple[EpochMetrics, ...]:
    """The epochs that the checkpoint in a run folder holds; none where there is none that can be used."""
    payload = store.load_state(folder)
    if payload is None:
        return ()
    try:
        state = torch.load(io.BytesIO(payload), weights_only=True, map_location="cpu")
        return tuple(EpochMetrics.model_validate(m) for m in state["epochs"])
    except Exception:  # torch has many ways to say that it cannot read this; the trial then starts anew
        return ()
