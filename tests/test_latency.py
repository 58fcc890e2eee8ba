"""Seconds of an image."""

from pathlib import Path

import pytest
import torch

from senet_lab import latency
from tests.conftest import TINY


def test_it_is_the_median_on_one_thread_after_warming_up(monkeypatch: pytest.MonkeyPatch) -> None:
    threads, seen = torch.get_num_threads(), []

    def seconds(network: torch.nn.Module, x_1CHW: torch.Tensor) -> float:
        assert not network.training and x_1CHW.shape == (1, 1, 8, 8)
        seen.append(torch.get_num_threads())
        return 9.0 if len(seen) <= latency.WARMING else float(len(seen) % 3)

    monkeypatch.setattr(latency, "_seconds", seconds)
    assert latency.measure(TINY, Path("data")) == 1.0
    assert set(seen) == {1} and len(seen) == latency.WARMING + latency.ROUNDS
    assert torch.get_num_threads() == threads


def test_an_image_takes_time() -> None:
    assert latency._seconds(torch.nn.Flatten(), torch.zeros(1, 1, 8, 8)) > 0
