"""The layer that most networks are made of."""

import pytest
import torch

from senet_lab.models.convolution import conv_bn


@pytest.mark.parametrize(("size", "stride", "side", "out"), [(1, 1, 5, 5), (3, 1, 5, 5), (7, 2, 8, 4), (3, 2, 5, 3)])
def test_zeros_around_the_map_keep_its_size(size: int, stride: int, side: int, out: int) -> None:
    assert conv_bn(4, 6, size, stride)(torch.zeros(2, 4, side, side)).shape == (2, 6, out, out)


def test_no_bias_and_as_many_groups_as_asked() -> None:
    assert sum(p.numel() for p in conv_bn(4, 6, 3, groups=2).parameters()) == 6 * 4 // 2 * 9 + 2 * 6
