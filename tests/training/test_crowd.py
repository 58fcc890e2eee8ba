"""The batches of several trials at once, bit for bit those of each."""

from dataclasses import replace

import pytest
import torch

from senet_lab import data
from senet_lab.data.held import Held
from senet_lab.data.split import split
from senet_lab.spec import Data
from senet_lab.training.crowd import Crowd, Feed

SEEDS = (0, 3, 4)
EVERY_WAY = [{}, {"crop_padding": 2}, {"flip": True}, {"crop_padding": 1, "flip": True, "cutout": 0.4}]


def parts(**asked: object) -> list[Held]:
    """Three colours made of the digits' one, so that channels can be confused."""
    setting = Data.model_validate({"source": "digits", "validation": 700} | asked)
    found = []
    for seed in SEEDS:
        part = split(data.load(setting), setting, seed, torch.device("cpu")).train
        assert isinstance(part, Held)
        pixels = torch.cat([part.pixels_PCHW, 255 - part.pixels_PCHW, part.pixels_PCHW // 2], 1)
        scale = replace(part.scale, mean_C=torch.rand(3), std_C=torch.rand(3))
        found.append(replace(part, pixels_PCHW=pixels, scale=scale))
    return found


@pytest.mark.parametrize("asked", EVERY_WAY, ids=str)
def test_every_step_holds_the_bits_of_each_trials_batches(asked: dict[str, object]) -> None:
    held = parts(**asked)
    feed = Feed(Crowd(held), 60)
    memory = []
    for epoch in (1, 2):
        rates_SK = torch.arange(9.0).view(3, 3) + epoch
        feed.begin(SEEDS, epoch, rates_SK)
        memory.append([table.data_ptr() for table in feed.tables.values()])
        expected = [list(part.shuffled(60, seed, epoch)) for part, seed in zip(held, SEEDS, strict=True)]
        assert feed.steps == len(expected[0]) == 3
        for step in (0, 1, 2, 0):  # after the last one the first again
            x_BCHW, y_BK, rate_K = feed.take()
            assert x_BCHW.is_contiguous(memory_format=torch.channels_last)
            assert torch.equal(x_BCHW, torch.cat([of_one[step][0] for of_one in expected], 1))
            assert torch.equal(y_BK, torch.stack([of_one[step][1] for of_one in expected], 1))
            assert torch.equal(rate_K, rates_SK[step])
    assert memory[0] == memory[1]


@pytest.mark.parametrize("batch", [50, 206])
def test_a_part_in_order(batch: int) -> None:
    held = parts(crop_padding=2)
    expected = [list(part.in_order(batch)) for part in held]
    for step, (x_BCHW, y_BK) in enumerate(Crowd(held).in_order(batch)):
        assert torch.equal(x_BCHW, torch.cat([of_one[step][0] for of_one in expected], 1))
        assert torch.equal(y_BK, torch.stack([of_one[step][1] for of_one in expected], 1))
