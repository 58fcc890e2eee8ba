"""Crops and flips, against a loop over single images."""

import pytest
import torch
from torch import Tensor

from senet_lab.data.augment import Draws, apply, cut_out, draw
from senet_lab.randomness import torch_stream
from senet_lab.spec import Data


def batch(n: int = 6, channels: int = 2, height: int = 5, width: int = 7) -> Tensor:
    return torch.randn(n, channels, height, width, generator=torch_stream(0, "test"))


def augment(x_NCHW: Tensor, padding: int, flip: bool, generator: torch.Generator, cutout: float = 0.0) -> Tensor:
    setting = Data(source="digits", validation=1, crop_padding=padding, flip=flip, cutout=cutout)
    height, width = x_NCHW.shape[2:]
    return apply(x_NCHW, draw(len(x_NCHW), (height, width), setting, generator), setting)


def one_by_one(x_NCHW: Tensor, padding: int, flip: bool, generator: torch.Generator) -> Tensor:
    """v4 section 5.1 word by word: pad with zeros, cut out at random, mirror half of the time."""
    n, _, height, width = x_NCHW.shape
    offsets = torch.randint(0, 2 * padding + 1, (2, n), generator=generator).tolist() if padding else [[0] * n] * 2
    turned = (torch.rand(n, generator=generator) < 0.5).tolist() if flip else [False] * n
    out = torch.zeros_like(x_NCHW)
    for i in range(n):
        for y in range(height):
            for x in range(width):
                source_y = y + offsets[0][i] - padding
                source_x = (width - 1 - x if turned[i] else x) + offsets[1][i] - padding
                if 0 <= source_y < height and 0 <= source_x < width:
                    out[i, :, y, x] = x_NCHW[i, :, source_y, source_x]
    return out


@pytest.mark.parametrize("flip", [False, True])
@pytest.mark.parametrize("padding", [0, 1, 4])
@pytest.mark.parametrize("channels_last", [False, True])
def test_against_a_loop_over_single_images(padding: int, flip: bool, channels_last: bool) -> None:
    layout = torch.channels_last if channels_last else torch.contiguous_format
    x_NCHW = batch().contiguous(memory_format=layout)
    expected = one_by_one(x_NCHW, padding, flip, torch_stream(1, "draws"))
    assert torch.equal(augment(x_NCHW, padding, flip, torch_stream(1, "draws")), expected)


def test_without_augmentation_nothing_is_drawn_or_changed() -> None:
    generator = torch_stream(1, "draws")
    before = generator.get_state()
    assert torch.equal(augment(batch(), 0, False, generator), batch())
    assert torch.equal(generator.get_state(), before)
    setting = Data(source="digits", validation=1)
    assert draw(6, (5, 7), setting, generator) == Draws(None, None, None)
    assert apply(x_NCHW := batch(), Draws(None, None, None), setting) is x_NCHW


def cut_one_by_one(x_NCHW: Tensor, centres: list[list[int]], length: int) -> Tensor:
    """The published code of Cutout (DeVries and Taylor), image by image."""
    out = x_NCHW.clone()
    _, _, h, w = x_NCHW.shape
    for image, (y, x) in zip(out, centres, strict=True):
        y1, y2 = max(y - length // 2, 0), min(y + length // 2, h)
        x1, x2 = max(x - length // 2, 0), min(x + length // 2, w)
        image[:, y1:y2, x1:x2] = 0.0
    return out


@pytest.mark.parametrize(("fraction", "length"), [(0.25, 2), (0.5, 4), (1.0, 8)])
def test_cutout_against_a_loop_over_single_images(fraction: float, length: int) -> None:
    x_NCHW = batch(64, height=8, width=8)
    centre_N2 = torch.randint(0, 8, (64, 2), generator=torch_stream(4, "draws"))
    assert torch.equal(cut_out(x_NCHW, centre_N2, fraction), cut_one_by_one(x_NCHW, centre_N2.tolist(), length))


def test_cutout_draws_every_centre_and_its_draws_come_last() -> None:
    """One pixel of 8 x 8 is cut, each equally often; crops and flips are those without Cutout."""
    n = 6400
    ones = torch.ones(n, 1, 8, 8)
    counts = (augment(ones, 0, False, torch_stream(5, "draws"), 1 / 8) == 0).sum(0).flatten()
    assert counts.sum() == n and ((counts - n / 64).abs() < 5 * (n / 64) ** 0.5).all()
    moved = augment(batch(), 2, True, torch_stream(6, "draws"))
    cut = augment(batch(), 2, True, torch_stream(6, "draws"), 0.4)
    assert not torch.equal(moved, cut) and torch.equal(cut, torch.where(cut == 0, cut, moved))


def test_every_shift_and_both_sides_come_up_about_equally_often() -> None:
    """A dot in the middle tells where it went: 9 places, each 1/9 of the time; a mark tells the side."""
    n, padding = 9000, 1
    dot = torch.zeros(n, 1, 5, 5)
    dot[:, :, 2, 2] = 1
    places = augment(dot, padding, False, torch_stream(2, "draws")).flatten(1).argmax(1)
    counts = torch.bincount(places, minlength=25)
    assert (counts > 0).sum() == 9
    assert ((counts[counts > 0] - n / 9).abs() < 5 * (n / 9) ** 0.5).all()
    left = torch.zeros(n, 1, 1, 2)
    left[:, :, :, 0] = 1
    turned = augment(left, 0, True, torch_stream(2, "draws"))[:, 0, 0, 1].mean()
    assert abs(float(turned) - 0.5) < 5 * 0.5 / n**0.5


def test_the_images_of_a_batch_have_draws_of_their_own() -> None:
    same = batch(1).expand(64, -1, -1, -1)
    out = augment(same, 2, True, torch_stream(3, "draws"))
    assert len({image.numpy().tobytes() for image in out}) > 20


def test_the_input_is_left_alone() -> None:
    x_NCHW = batch()
    augment(x_NCHW, 2, True, torch_stream(3, "draws"))
    assert torch.equal(x_NCHW, batch())
