"""The gates of a network's SE blocks on the test images, gathered while the network is tested (v4 section 7.2).

Nothing of the pass changes: hooks look at what each gate makes, and sums stay on the device until the end.
Shapes: B images of a batch, C channels of a block, K classes that are kept, S channels kept of each of them.
"""

import contextlib
from collections.abc import Iterator

import numpy as np
import torch
from torch import Tensor, nn

from senet_lab import gates
from senet_lab.blocks.placed import Placed
from senet_lab.blocks.se import SEBlock
from senet_lab.data.split import Part
from senet_lab.gates import Choice, Moments


def blocks(network: nn.Module) -> dict[str, SEBlock]:
    """The SE blocks by depth, each by its name in the paper: SE_<stage>_<unit of the stage, from 1>."""
    found: dict[str, SEBlock] = {}
    for stage, parts in dict(network.named_children()).get("stages", nn.Module()).named_children():
        units = [part for part in parts.children() if isinstance(part, Placed)]
        found |= {f"SE_{stage}_{number}": u.se for number, u in enumerate(units, 1) if u.placement is not None}
    return found


class Probe:
    """What the gates of `network` made of the test part, once it has seen it whole and in order."""

    def __init__(self, network: nn.Module, part: Part, names: tuple[str, ...]) -> None:
        """`names`: of the classes."""
        self.choice = Choice(names, part.y_N.cpu().numpy())
        slots = torch.from_numpy(_slots(self.choice)).to(part.y_N.device)
        self.tallies = [_Tally(name, block, self.choice, slots) for name, block in blocks(network).items()]

    @contextlib.contextmanager
    def watching(self) -> Iterator[None]:
        """Look at every gate while this lasts."""
        with contextlib.ExitStack() as hooks:
            for tally in self.tallies:
                # A file's own gate may be one module in all blocks: a gate counts in the block that is at work.
                for handle in (
                    tally.block.register_forward_pre_hook(tally.begin),
                    tally.block.gate.register_forward_hook(tally.add),
                ):
                    hooks.callback(handle.remove)
            yield

    def payload(self) -> bytes | None:
        """The file of `gates`; None for a network without SE."""
        if not self.tallies:
            return None
        counts = np.bincount(_slots(self.choice), minlength=len(self.choice.classes) + 1)[:-1]
        return gates.to_bytes([tally.block_gates(counts) for tally in self.tallies], self.choice)


class _Tally:
    """Sums over the images that one block has seen, in float64.

    They are of differences from the first image's gates, so that the deviation of a gate that hardly moves is exact.
    """

    def __init__(self, name: str, block: SEBlock, choice: Choice, slots_N: Tensor) -> None:
        self.name, self.block, self.slots_N = name, block, slots_N
        self.probe = choice.probe
        self.probe_P = torch.from_numpy(self.probe).to(slots_N.device)
        channels = block.expand.out_features
        self.stride, self.grid = choice.stride(channels), gates.grid_stride(channels)
        kept, classes = len(range(0, channels, self.stride)), len(choice.classes)
        new = torch.zeros(0, dtype=torch.float64, device=slots_N.device).new_zeros
        self.origin_C, self.sums_2C, self.sums_2KS = new(channels), new(2, channels), new(2, classes + 1, kept)
        self.probed = [new(0, len(range(0, channels, self.grid)))]
        self.seen, self.at_work = 0, False

    def begin(self, *_: object) -> None:
        self.at_work = True

    def add(self, gate: nn.Module, inputs: object, made: Tensor) -> None:
        """`made`: (B, C), or (B, H, W, C), of which an image's mean over positions counts."""
        if not self.at_work:
            return
        self.at_work = False
        x_BC = made.detach().double() if made.ndim == 2 else made.detach().mean(dim=(1, 2), dtype=torch.float64)
        if self.seen == 0:
            self.origin_C = torch.nan_to_num(x_BC[0], nan=0.0, posinf=0.0, neginf=0.0)
        first, last = np.searchsorted(self.probe, [self.seen, self.seen + len(x_BC)])
        if last > first:
            self.probed.append(x_BC[self.probe_P[first:last] - self.seen][:, :: self.grid])
        slots_B = self.slots_N[self.seen : self.seen + len(x_BC)]
        self.seen += len(x_BC)
        x_BC = x_BC - self.origin_C
        for power, values_BC in enumerate((x_BC, x_BC * x_BC)):
            self.sums_2C[power] += values_BC.sum(0)
            self.sums_2KS[power].index_add_(0, slots_B, values_BC[:, :: self.stride])

    def block_gates(self, counts_K: gates.Ints) -> gates.Block:
        """`counts_K`: test images of each class that is kept."""
        images = len(self.slots_N)
        assert self.seen == images, f"{self.name} saw {self.seen} of {images} test images"
        origin_C, sums_2C, sums_2KS = (t.cpu().numpy() for t in (self.origin_C, self.sums_2C, self.sums_2KS))
        every = _moments(sums_2C[:, None], np.array([images]), origin_C)
        by_class = _moments(sums_2KS[:, :-1], counts_K, origin_C[:: self.stride])
        return gates.Block(self.name, every, by_class, torch.cat(self.probed).cpu().numpy())


def _slots(choice: Choice) -> gates.Ints:
    """Of each test image, the row of its class among those that are kept; one more for all others."""
    row = np.full(len(choice.names), len(choice.classes))
    row[choice.classes] = np.arange(len(choice.classes))
    return row[choice.labels]


def _moments(sums: gates.Reals, images: gates.Ints, origin: gates.Reals) -> Moments:
    """From the sums of differences from `origin` and of their squares: (2, rows, channels)."""
    with np.errstate(invalid="ignore", divide="ignore"):  # classes without images are left out later
        shift, square = sums / images[:, None]
        return Moments(images, origin + shift, np.sqrt(np.maximum(square - shift * shift, 0.0)))
