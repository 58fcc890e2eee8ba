"""How far a checkpoint says that a trial came."""

from pathlib import Path

import torch

from senet_lab import checkpoints, store
from senet_lab.training.begin import begin
from senet_lab.training.train import train
from tests.conftest import TINY


def test_the_epochs_of_a_checkpoint_are_read_without_its_network(tmp_path: Path) -> None:
    learner, parts = begin(TINY, torch.device("cpu"))
    first = next(train(TINY, learner, parts))
    store.save_state(tmp_path, learner.to_bytes())
    assert checkpoints.epochs(tmp_path) == (first,)


def test_what_cannot_be_used_holds_no_epochs(tmp_path: Path) -> None:
    assert checkpoints.epochs(tmp_path) == ()
    for payload in (b"not of torch", b""):
        store.save_state(tmp_path, payload)
        assert checkpoints.epochs(tmp_path) == ()
    (tmp_path / "state.bin").write_bytes(b"cut off")
    assert checkpoints.epochs(tmp_path) == ()
