"""Named streams."""

import hashlib
import random

import numpy as np
import pytest
import torch

from senet_lab.randomness import numpy_stream, stream_seed, torch_stream


def test_the_seed_of_a_stream_is_frozen() -> None:
    """SHA-256 of 'seed/name/...', the first 8 bytes without their last bit; the same on every machine."""
    expected = int.from_bytes(hashlib.sha256(b"3/init/stem.weight").digest()[:8], "big") // 2
    assert stream_seed(3, "init", "stem.weight") == expected == 4_094_084_051_380_165_711
    assert stream_seed(3, "order", 2) == int.from_bytes(hashlib.sha256(b"3/order/2").digest()[:8], "big") // 2


def test_streams_are_frozen_in_torch_and_numpy() -> None:
    """If a new version of either draws otherwise, results of before cannot be reproduced: say so, do not adapt."""
    assert torch.randperm(8, generator=torch_stream(0, "order", 1)).tolist() == [2, 1, 6, 3, 5, 7, 4, 0]
    assert numpy_stream(0, "split").permutation(8).tolist() == [1, 0, 5, 7, 6, 2, 3, 4]


@pytest.mark.parametrize("other", [(1, "a"), (0, "b"), (0, "a", 1), (0, "a", 2), (0,), (10, "a"), (0, "A")])
def test_another_seed_or_name_is_another_stream(other: tuple[int, *tuple[str | int, ...]]) -> None:
    assert stream_seed(*other) != stream_seed(0, "a")
    drawn = torch.randn(4, generator=torch_stream(*other))
    assert not torch.equal(drawn, torch.randn(4, generator=torch_stream(0, "a")))
    assert numpy_stream(*other).random() != numpy_stream(0, "a").random()


def test_a_stream_begins_anew_at_every_call() -> None:
    first = torch.randn(5, generator=torch_stream(0, "a"))
    assert torch.equal(first, torch.randn(5, generator=torch_stream(0, "a")))
    assert numpy_stream(0, "a").random() == numpy_stream(0, "a").random()


def test_many_streams_fit_and_differ() -> None:
    seeds = {stream_seed(seed, "order", epoch) for seed in range(100) for epoch in range(100)}
    assert len(seeds) == 10_000
    assert all(0 <= s < 2**63 for s in seeds)


def test_no_global_generator_is_touched_or_heard() -> None:
    def states() -> tuple[object, ...]:
        return random.getstate(), str(np.random.get_state()), torch.get_rng_state().tolist()

    before = states()
    drawn = torch.randn(3, generator=torch_stream(0, "a")), numpy_stream(0, "a").random(3)
    assert states() == before
    torch.manual_seed(99)
    np.random.seed(99)
    assert torch.equal(torch.randn(3, generator=torch_stream(0, "a")), drawn[0])
    assert (numpy_stream(0, "a").random(3) == drawn[1]).all()
