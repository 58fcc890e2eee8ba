"""A network's answers, against the answers counted one by one."""

import math

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from senet_lab.training import evaluate as module
from senet_lab.training.evaluate import evaluate
from tests.training.ready import Part


class Fixed(nn.Module):
    """Logits that are the image itself: 3 classes, an image of (3, 1, 1)."""

    def forward(self, x_NCHW: Tensor) -> Tensor:
        return x_NCHW[:, :, 0, 0]


def part(n: int = 13) -> Part:
    x_NC = torch.randn(n, 3, generator=torch.Generator().manual_seed(0))
    return Part(x_NC[:, :, None, None], torch.arange(n) % 3)


@pytest.mark.parametrize("n", [1, 7, 8, 13])
def test_error_loss_and_bits_are_those_of_the_single_images(n: int) -> None:
    images = part(n)
    found = evaluate(Fixed(), images)
    right, losses = [], []
    for logits, label in zip(images.x_NCHW[:, :, 0, 0].tolist(), images.y_N.tolist(), strict=True):
        right.append(max(range(3), key=lambda k: logits[k]) == label)
        losses.append(math.log(sum(math.exp(v) for v in logits)) - logits[label])
    bits = np.unpackbits(np.frombuffer(found.bits(), np.uint8), count=found.images)
    assert found.images == n
    assert bits.astype(bool).tolist() == right
    assert found.error == pytest.approx(1 - sum(right) / n)
    assert round(found.error * n) == n - bits.sum()
    assert found.loss == pytest.approx(sum(losses) / n, rel=1e-5)


def test_batches_change_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    whole = evaluate(Fixed(), part())
    monkeypatch.setattr(module, "BATCH", 4)
    assert evaluate(Fixed(), part()) == whole


def test_batch_norm_is_in_evaluation_mode_and_left_as_it_was() -> None:
    network = nn.Sequential(nn.BatchNorm2d(3), Fixed())
    network[0].running_mean.fill_(5.0)
    before = {name: value.clone() for name, value in network.state_dict().items()}
    network.train()
    found = evaluate(network, part())
    assert network.training and network[0].training
    assert all(torch.equal(before[name], value) for name, value in network.state_dict().items())
    shifted = Part((part().x_NCHW - 5) / math.sqrt(1 + 1e-5), part().y_N)
    assert found.loss == pytest.approx(evaluate(Fixed(), shifted).loss, rel=1e-5)
    network.eval()
    evaluate(network, part())
    assert not network.training


def test_no_gradient_is_kept() -> None:
    network = nn.Sequential(nn.Conv2d(3, 3, 1), Fixed())
    evaluate(network, part())
    assert all(p.grad is None for p in network.parameters())


@pytest.mark.parametrize("value", [math.nan, math.inf])
def test_logits_that_are_no_numbers_are_no_exception(value: float) -> None:
    images = part()
    images.x_NCHW[2, 1] = value
    assert not math.isfinite(evaluate(Fixed(), images).loss)
