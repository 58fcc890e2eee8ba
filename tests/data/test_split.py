"""Train, validation and test parts."""

import numpy as np
import pytest
import torch

from senet_lab.data import Images
from senet_lab.data.split import Part, Parts, split
from senet_lab.errors import SpecError
from senet_lab.spec import Data

CPU = torch.device("cpu")


def images(pool: int = 40, test: int = 25, channels: int = 3) -> Images:
    """Every image another; its label is its number, so that parts can be traced."""
    rng = np.random.default_rng(0)
    pixels = rng.integers(0, 256, (pool + test, channels, 4, 4), dtype=np.uint8)
    labels = np.arange(pool + test)
    return Images(pixels[:pool], labels[:pool], pixels[pool:], labels[pool:], ("a", "b"))


def parted(of: Images, validation: int, seed: int) -> Parts:
    return split(of, Data(source="digits", validation=validation), seed, CPU)


def pixels(part: Part) -> torch.Tensor:
    """All that the network would see, in order."""
    return torch.cat([x_BCHW for x_BCHW, _ in part.in_order(7)])


def numbers(part: Part) -> set[int]:
    return set(part.y_N.tolist())


@pytest.mark.parametrize("seed", range(5))
def test_the_parts_are_disjoint_and_complete(seed: int) -> None:
    parts = parted(images(), 10, seed)
    train, validation, test = numbers(parts.train), numbers(parts.validation), numbers(parts.test)
    assert (len(train), len(validation), len(test)) == (30, 10, 25)
    assert train | validation == set(range(40)) and not train & validation
    assert parts.test.y_N.tolist() == list(range(40, 65))


def test_the_seed_draws_the_validation_part_and_leaves_the_test_part_alone() -> None:
    parts = [parted(images(), 10, seed) for seed in range(5)]
    assert len({frozenset(numbers(p.validation)) for p in parts}) == 5
    assert all(torch.equal(p.test.y_N, parts[0].test.y_N) for p in parts)
    for p in parts:  # the same pixels, on the scale of the part that was trained on
        assert torch.equal(raw(p, p.test), torch.from_numpy(images().test))


def raw(parts: Parts, part: Part) -> torch.Tensor:
    """The bytes again, by the mean and deviation that the training part's own bytes have."""
    kept = torch.from_numpy(images().pool)[parts.train.y_N].double() / 255
    std_C, mean_C = torch.std_mean(kept, dim=(0, 2, 3))
    return ((pixels(part).double() * std_C[:, None, None] + mean_C[:, None, None]) * 255).round().to(torch.uint8)


def test_labels_stay_with_their_images() -> None:
    parts = parted(images(), 10, 3)
    pool = torch.from_numpy(images().pool)
    for part in (parts.train, parts.validation):
        assert torch.equal(raw(parts, part), pool[part.y_N])


def test_pixels_are_on_the_scale_of_the_training_part_per_channel() -> None:
    parts = parted(images(), 10, 3)
    std_C, mean_C = torch.std_mean(pixels(parts.train).double(), dim=(0, 2, 3))
    assert torch.allclose(mean_C, torch.zeros(3, dtype=torch.double), atol=1e-6)
    assert torch.allclose(std_C, torch.ones(3, dtype=torch.double), atol=1e-6)
    assert not torch.allclose(pixels(parts.validation).mean(), torch.zeros(()), atol=1e-6)


def test_a_channel_without_contrast_stays_finite() -> None:
    flat = images()
    flat.pool[:, 1] = 7
    assert pixels(parted(flat, 10, 0).train).isfinite().all()


def test_the_same_seed_gives_the_same_parts_whatever_was_drawn_before() -> None:
    first = parted(images(), 10, 3)
    torch.manual_seed(1)
    np.random.seed(1)
    again = parted(images(), 10, 3)
    for a, b in zip(vars(first).values(), vars(again).values(), strict=True):
        assert torch.equal(pixels(a), pixels(b)) and torch.equal(a.y_N, b.y_N)


@pytest.mark.parametrize("validation", [40, 41])
def test_a_pool_that_cannot_spare_the_validation_part_is_refused(validation: int) -> None:
    with pytest.raises(SpecError, match=f"found {validation}; the training pool has 40 images, hold out fewer"):
        parted(images(), validation, 0)
