"""Images that are decoded and cropped while the network trains."""

import io
import math
from dataclasses import replace

import numpy as np
import pytest
import torch
from PIL import Image

from senet_lab.data import Encoded
from senet_lab.data.split import split
from senet_lab.data.stream import Streamed, centre, random_crop
from senet_lab.errors import DataError
from senet_lab.randomness import numpy_stream, torch_stream
from senet_lab.spec import Data
from tests.data.pictures import encoded

CPU = torch.device("cpu")
SIZES = [(20, 14), (14, 20), (16, 16), (31, 9), (9, 31)]


class Listed(list[bytes]):
    """Image files in memory."""

    def name(self, i: int) -> str:
        return f"image {i}"


POOL = Listed(encoded(seed, size=SIZES[seed % 5]) for seed in range(23))
TEST = Listed(encoded(100 + seed, size=SIZES[seed % 5]) for seed in range(7))
DATA = Data(source="folder:x", validation=5, image_size=8, flip=True)


def images() -> Encoded:
    return Encoded(POOL, np.arange(23), TEST, np.arange(7), ("a",))


def train_part(loaders: int = 0, seed: int = 0, **asked: object) -> Streamed:
    found = split(images(), DATA.model_copy(update=asked), seed, CPU, loaders).train
    assert isinstance(found, Streamed)
    return found


def epoch(part: Streamed, number: int = 1, seed: int = 0) -> tuple[torch.Tensor, torch.Tensor]:
    found = list(part.shuffled(6, seed, number))
    return torch.cat([x for x, _ in found]), torch.cat([y for _, y in found])


@pytest.mark.parametrize("loaders", [1, 2, 3])
def test_the_number_of_loaders_changes_no_bit(loaders: int) -> None:
    for a, b in zip(epoch(train_part(0)), epoch(train_part(loaders)), strict=True):
        assert torch.equal(a, b)
    one, other = (torch.cat([x for x, _ in train_part(n).in_order(4)]) for n in (0, loaders))
    assert torch.equal(one, other)


def test_an_image_draws_from_its_own_stream_wherever_it_comes() -> None:
    """The same crop of an image, whatever the order and the other images are."""
    x_BCHW, y_B = epoch(train_part(cutout=0.5))
    part = train_part(cutout=0.5)
    keep = torch.isin(part.y_N, y_B[:12])
    fewer = replace(part, rows_N=part.rows_N[keep], y_N=part.y_N[keep])
    x_again, y_again = epoch(fewer)
    assert y_again.tolist() != y_B[:12].tolist()
    where = {int(y): i for i, y in enumerate(y_B)}
    assert all(torch.equal(x, x_BCHW[where[int(y)]]) for x, y in zip(x_again, y_again, strict=True))


def test_the_order_is_that_of_the_other_parts_and_whole_batches_come() -> None:
    part = train_part()
    order = torch.randperm(18, generator=torch_stream(0, "order", 1))
    assert torch.equal(epoch(part)[1], part.y_N[order][:18])
    assert len(list(part.shuffled(5, 0, 1))) == 3


def test_every_epoch_and_seed_has_draws_of_its_own() -> None:
    def of(number: int, seed: int) -> dict[int, bytes]:
        x_BCHW, y_B = epoch(train_part(), number, seed)
        return {int(y): x.numpy().tobytes() for x, y in zip(x_BCHW, y_B, strict=True)}

    first = of(1, 0)
    assert all(first[y] != other[y] for other in (of(2, 0), of(1, 7)) for y in first.keys() & other.keys())


def test_the_default_generator_is_left_to_the_network() -> None:
    torch.manual_seed(3)
    before = torch.get_rng_state()
    epoch(train_part())
    list(train_part(2).in_order(4))
    assert torch.equal(torch.get_rng_state(), before)


def test_pixels_are_scaled_as_published_weights_expect() -> None:
    white = io.BytesIO()
    Image.new("L", (16, 16), 255).save(white, "png")
    part = replace(train_part(), images=Listed([white.getvalue()] * 23))
    x_BCHW, _ = next(part.in_order(4))
    mean_C, std_C = torch.tensor([0.485, 0.456, 0.406]), torch.tensor([0.229, 0.224, 0.225])  # torchvision's
    expected = (1 - mean_C) / std_C
    assert torch.allclose(x_BCHW, expected.view(1, 3, 1, 1).expand(4, 3, 8, 8), atol=1e-5)
    assert x_BCHW.is_contiguous(memory_format=torch.channels_last)


def test_cutout_stands_in_the_batch_as_zeros() -> None:
    plain, cut = epoch(train_part())[0], epoch(train_part(cutout=0.5))[0]
    assert torch.equal(torch.where(cut == 0, cut, plain), cut)
    assert 18 * 3 * 4 <= int((cut == 0).sum()) <= 18 * 3 * 16


def test_half_of_the_images_are_flipped_and_none_without_flip() -> None:
    left = Image.new("RGB", (16, 16))
    left.paste((255, 255, 255), (0, 0, 8, 16))
    buffer = io.BytesIO()
    left.save(buffer, "png")

    def brighter_on_the_right(flip: bool) -> float:
        n = 400
        part = replace(train_part(flip=flip), images=Listed([buffer.getvalue()] * n), rows_N=torch.arange(n))
        x_BCHW = torch.cat([x for x, _ in replace(part, y_N=torch.zeros(n)).shuffled(50, 0, 1)])
        difference = x_BCHW[..., 4:].sum((1, 2, 3)) - x_BCHW[..., :4].sum((1, 2, 3))
        return float((difference[difference.abs() > 1e-3] > 0).float().mean())

    assert brighter_on_the_right(False) == 0.0
    assert abs(brighter_on_the_right(True) - 0.5) < 0.13


def test_a_broken_image_is_named() -> None:
    part = replace(train_part(), images=Listed([b"no image"] * 23))
    with pytest.raises(DataError, match=r"data\.source 'folder:x': image \d+ cannot be read: .*get it anew"):
        list(part.in_order(4))


# --- geometry


def test_random_crops_lie_inside_and_have_the_published_areas_and_aspects() -> None:
    """Szegedy et al.: area even over 8 to 100 %, aspect 3/4 to 4/3, even in its logarithm."""
    generator = numpy_stream(0, "crops")
    boxes = np.array([random_crop(500, 400, generator) for _ in range(4000)])
    width, height = boxes[:, 2] - boxes[:, 0], boxes[:, 3] - boxes[:, 1]
    assert (boxes[:, :2] >= 0).all() and (boxes[:, 2] <= 500).all() and (boxes[:, 3] <= 400).all()
    area, aspect = width * height / 200_000, width / height
    assert area.min() > 0.075 and area.max() <= 1.0 and aspect.min() > 0.74 and aspect.max() < 1.35
    small = area < 0.5  # all of these fit at the first try
    assert abs(np.median(aspect[small]) - 1) < 0.03
    assert abs(np.histogram(area[small], bins=4, range=(0.08, 0.5))[0] / small.sum() - 0.25).max() < 0.04
    slack = boxes[:, 0] / np.maximum(1, 500 - width)
    assert abs(slack.mean() - 0.5) < 0.03


@pytest.mark.parametrize(("width", "height"), [(1000, 3), (3, 1000)])
def test_where_no_crop_fits_the_centre_is_taken(width: int, height: int) -> None:
    left, top, right, bottom = random_crop(width, height, numpy_stream(0, "crops"))
    assert (right - left, bottom - top) in {(4, 3), (3, 4)}
    assert abs(left + right - width) <= 1 and abs(top + bottom - height) <= 1


@pytest.mark.parametrize(("width", "height"), [(500, 375), (375, 500), (256, 256), (60, 900)])
def test_the_centre_is_224_of_a_shorter_side_of_256(width: int, height: int) -> None:
    ramp = np.broadcast_to(np.linspace(0, 255, width), (height, width)).astype(np.uint8)
    found = np.asarray(centre(Image.fromarray(ramp), 224))
    assert found.shape == (224, 224)
    seen = 224 / 256 * min(width, height) / width  # of the image's width
    middle = float(np.mean(found))
    assert middle == pytest.approx(127.5, abs=1.5)
    assert float(found[:, -1].mean() - found[:, 0].mean()) == pytest.approx(255 * seen, abs=3)
    assert math.isclose(round(224 * 8 / 7), 256)
