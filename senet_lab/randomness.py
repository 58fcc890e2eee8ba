"""Named streams: every source of chance has its own, derived from (seed, names).

Two variants with the same seed therefore share the split, the order of the images, the
augmentation, and the initial value of every parameter that both have: they are paired.
Nothing here touches a global generator. Training seeds torch's own at the start of every epoch, by the
stream "noise", for what draws inside a network.
"""

import hashlib

import numpy as np
import torch


def stream_seed(seed: int, *names: str | int) -> int:
    """A 63-bit seed for the stream called `names`, the same on every machine."""
    text = "/".join(str(part) for part in (seed, *names))
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "big") >> 1


def numpy_stream(seed: int, *names: str | int) -> np.random.Generator:
    """A fresh numpy generator at the start of the stream called `names`."""
    return np.random.default_rng(stream_seed(seed, *names))


def torch_stream(seed: int, *names: str | int) -> torch.Generator:
    """A fresh CPU generator at the start of the stream called `names`."""
    return torch.Generator().manual_seed(stream_seed(seed, *names))
