"""Parts that lie in memory as bytes: their scale, their batches."""

from collections.abc import Iterator

import numpy as np
import pytest
import torch
import torch.nn.functional as F

from senet_lab.data import held as module
from senet_lab.data.augment import Draws
from senet_lab.data.held import Batch, Held, on_device
from senet_lab.data.scale import CHUNK, Scale, measure
from senet_lab.randomness import torch_stream
from senet_lab.spec import Data

CPU = torch.device("cpu")
PIXELS = np.random.default_rng(0).integers(0, 256, (40, 3, 6, 6), dtype=np.uint8)
ROWS = np.random.default_rng(1).permutation(40)[:30]


def part(**asked: object) -> Held:
    setting = Data.model_validate({"source": "digits", "validation": 10} | asked)
    labels = torch.from_numpy(ROWS)  # an image's label is its row, so that it can be traced
    return Held(on_device(PIXELS, CPU), torch.from_numpy(ROWS), labels, measure(PIXELS, ROWS), setting)


def scaled(rows: np.ndarray) -> torch.Tensor:  # type: ignore[type-arg]
    kept = torch.from_numpy(PIXELS[ROWS]).double()
    std_C, mean_C = torch.std_mean(kept, dim=(0, 2, 3))
    return ((torch.from_numpy(PIXELS[rows]).double() - mean_C[:, None, None]) / std_C[:, None, None]).float()


def test_the_scale_is_mean_and_deviation_of_the_rows_alone() -> None:
    found = measure(PIXELS, ROWS)
    std_C, mean_C = torch.std_mean(torch.from_numpy(PIXELS[ROWS]).double() / 255, dim=(0, 2, 3))
    assert torch.equal(found.mean_C, mean_C.float()) and torch.equal(found.std_C, std_C.float())


def test_the_scale_depends_on_neither_order_nor_chunks() -> None:
    pixels = np.random.default_rng(2).integers(0, 256, (CHUNK + 7, 1, 2, 2), dtype=np.uint8)
    order = np.random.default_rng(3).permutation(len(pixels))
    a, b = measure(pixels, np.arange(len(pixels))), measure(pixels, order)
    assert torch.equal(a.mean_C, b.mean_C) and torch.equal(a.std_C, b.std_C)
    std_C, mean_C = torch.std_mean(torch.from_numpy(pixels).double() / 255, dim=(0, 2, 3))
    assert torch.equal(a.mean_C, mean_C.float()) and torch.equal(a.std_C, std_C.float())


def test_sums_of_a_large_set_do_not_overflow() -> None:
    """4,194,304 white pixels and one black: n times the sum of squares is beyond 2 to the 59."""
    pixels = np.full((2, 1, 2048, 1024), 255, np.uint8)
    pixels[0, 0, 0, 0] = 0
    n = 2 * 2048 * 1024
    found = measure(pixels, np.arange(2))
    assert float(found.mean_C) == pytest.approx(1 - 1 / n, rel=1e-7)
    assert float(found.std_C) == pytest.approx((1 / n) ** 0.5, rel=1e-5)


def test_bytes_become_float32_in_channels_last_order() -> None:
    numbers = Scale(torch.tensor([0.5]), torch.tensor([0.25])).numbers(torch.tensor([[[[0, 255]]]], dtype=torch.uint8))
    assert numbers.tolist() == [[[[-2.0, 2.0]]]] and numbers.dtype == torch.float32
    x_BCHW, _ = next(part().in_order(4))
    assert x_BCHW.is_contiguous(memory_format=torch.channels_last)


@pytest.mark.parametrize("batch", [1, 7, 30, 99])
def test_in_order_every_image_comes_once_with_its_label(batch: int) -> None:
    found = list(part(crop_padding=2, flip=True).in_order(batch))
    assert torch.cat([y_B for _, y_B in found]).tolist() == ROWS.tolist()
    assert torch.allclose(torch.cat([x_BCHW for x_BCHW, _ in found]), scaled(ROWS), atol=1e-6)
    assert all(len(y_B) <= batch for _, y_B in found)


def test_shuffled_gives_whole_batches_of_other_images_each() -> None:
    found = list(part().shuffled(8, 0, 1))
    labels = torch.cat([y_B for _, y_B in found]).numpy()
    assert [len(y_B) for _, y_B in found] == [8, 8, 8] and len(set(labels)) == 24 and set(labels) <= set(ROWS)
    assert torch.allclose(torch.cat([x_BCHW for x_BCHW, _ in found]), scaled(labels), atol=1e-6)


def test_order_and_draws_are_those_of_seed_and_epoch() -> None:
    def bits(seed: int, epoch: int) -> list[bytes]:
        return [x.numpy().tobytes() for x, _ in part(crop_padding=1, flip=True, cutout=0.5).shuffled(8, seed, epoch)]

    first = bits(0, 1)
    torch.manual_seed(5)
    assert bits(0, 1) == first
    assert not set(first) & {*bits(0, 2), *bits(1, 1)}


def batch_by_batch(held: Held, batch: int, seed: int, epoch: int) -> Iterator[Batch]:
    """Each batch's draws made when it is its turn, by the same generator: shift, flip, centre."""
    order_N = torch.randperm(len(held), generator=torch_stream(seed, "order", epoch))
    generator = torch_stream(seed, "augment", epoch)
    padding = held.data.crop_padding
    for index_B in torch.split(order_N[: len(held) // batch * batch], batch):
        x_BCHW = held.scale.numbers(held.pixels_PCHW[held.rows_N[index_B]])
        height, width = x_BCHW.shape[2:]
        if padding:
            top_B, left_B = torch.randint(0, 2 * padding + 1, (2, batch), generator=generator)
            crops = zip(F.pad(x_BCHW, (padding,) * 4), top_B, left_B, strict=True)
            x_BCHW = torch.stack([image[:, top : top + height, left : left + width] for image, top, left in crops])
        if held.data.flip:
            turned_B = torch.rand(batch, generator=generator) < 0.5
            x_BCHW = torch.where(turned_B[:, None, None, None], x_BCHW.flip(3), x_BCHW)
        if held.data.cutout:
            side = round(held.data.cutout * height)
            centre_B2 = (torch.rand(batch, 2, generator=generator) * torch.tensor([height, width])).long()
            for image, (row, column) in zip(x_BCHW, (centre_B2 - side // 2).tolist(), strict=True):
                image[:, max(row, 0) : row + side, max(column, 0) : column + side] = 0
        yield x_BCHW, held.y_N[index_B]


EVERY_WAY = [
    {},
    {"crop_padding": 1},
    {"flip": True},
    {"cutout": 0.5},
    {"crop_padding": 2, "flip": True},
    {"crop_padding": 2, "flip": True, "cutout": 0.5},
]


@pytest.mark.parametrize("asked", EVERY_WAY, ids=str)
@pytest.mark.parametrize("batch", [4, 7, 30])
@pytest.mark.parametrize("steps", [0, 1, 3, 99])
def test_draws_made_up_front_give_the_bits_of_draws_made_batch_by_batch(
    asked: dict[str, object], batch: int, steps: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "AT_ONCE", steps * batch * 3 * 6 * 6 * 4)
    held = part(**asked)
    found, expected = list(held.shuffled(batch, 3, 2)), list(batch_by_batch(held, batch, 3, 2))
    assert len(found) == len(expected) == 30 // batch
    for (x_BCHW, y_B), (old_BCHW, old_B) in zip(found, expected, strict=True):
        assert torch.equal(x_BCHW, old_BCHW) and torch.equal(y_B, old_B)
        assert x_BCHW.is_contiguous(memory_format=torch.channels_last)


@pytest.mark.parametrize("asked", EVERY_WAY, ids=str)
def test_an_epoch_holds_the_draws_of_every_step(asked: dict[str, object]) -> None:
    held = part(**asked)
    index_SB, draws = held.epoch(8, 0, 1)
    shapes = {"shift_2B": (3, 2, 8), "turned_B": (3, 8), "centre_B2": (3, 8, 2)}
    names = {"crop_padding": "shift_2B", "flip": "turned_B", "cutout": "centre_B2"}
    found = {name: tuple(of_all.shape) for name, of_all in draws._asdict().items() if of_all is not None}
    assert index_SB.shape == (3, 8)
    assert found == {names[key]: shapes[names[key]] for key in asked}
    one = Draws(*(None if of_all is None else of_all[1] for of_all in draws))
    (x_BCHW, y_B), (other_BCHW, other_B) = held.batch(index_SB[1], one), list(held.shuffled(8, 0, 1))[1]
    assert torch.equal(x_BCHW, other_BCHW) and torch.equal(y_B, other_B)


def test_cutout_reaches_the_batch() -> None:
    (plain, _), (cut, _) = (next(part(cutout=c).shuffled(8, 0, 1)) for c in (0.0, 0.5))
    assert ((cut == 0) & (plain != 0)).any() and torch.equal(torch.where(cut == 0, cut, plain), cut)


def test_the_array_is_shared_and_not_copied() -> None:
    readonly = PIXELS.copy()
    readonly.flags.writeable = False
    assert on_device(readonly, CPU).data_ptr() == readonly.ctypes.data


def test_elsewhere_there_is_one_copy_of_the_last_data_set() -> None:
    elsewhere = torch.device("meta")
    pool, test, other = (np.zeros((n, 1, 2, 2), np.uint8) for n in (2, 1, 2))
    kept = [on_device(pixels, elsewhere) for pixels in (pool, test)]
    assert [on_device(pixels, elsewhere) for pixels in (pool, test)] == kept
    assert on_device(pool, CPU).device == CPU
    on_device(other, elsewhere)
    assert on_device(test, elsewhere) is kept[1] and on_device(pool, elsewhere) is not kept[0]
